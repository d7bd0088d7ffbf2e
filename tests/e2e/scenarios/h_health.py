"""What load balancers, the kubelet and tools made for kube-proxy are told over HTTP."""
import json

from lab import Failure, wait_until
from objects import pod, service

TAINT = "ToBeDeletedByClusterAutoscaler"


def ask(cluster, page, port=10256):
    """Status, headers and body."""
    head, _, body = cluster.on("node", "curl", "-s", "-i", f"http://127.0.0.1:{port}{page}", check=False).partition("\n\n")
    first, *lines = head.splitlines() or ["HTTP/1.1 0"]
    return int(first.split()[1]), {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body


def statuses(cluster):
    return tuple(ask(cluster, page)[0] for page in ("/healthz", "/livez", "/readyz"))


def expect_health(cluster, status, eligible):
    """Of /healthz: kube-proxy's fields and no others."""
    found, headers, body = ask(cluster, "/healthz")
    fields = json.loads(body)
    if (found, fields.pop("nodeEligible"), sorted(fields)) != (status, eligible, ["currentTime", "lastUpdated"]):
        raise Failure(f"/healthz: {found} {body}")
    if (headers["content-type"], headers["x-content-type-options"]) != ("application/json", "nosniff"):
        raise Failure(f"/healthz: {headers}")


def it_answers_as_kube_proxy_does(cluster):
    """While it waits for the API, then: /healthz, /livez, /readyz; on the other port /healthz and /proxyMode."""
    cluster.api.create(service(), pod(1))
    good = cluster.token.read_text()
    cluster.write_token("not-a-token")
    cluster.start_podferry(wait=False)
    wait_until("podferry answers, and carries nothing yet", lambda: statuses(cluster) == (503, 200, 503), 30)
    expect_health(cluster, 503, True)
    cluster.write_token(good)
    wait_until("podferry carries", lambda: statuses(cluster) == (200, 200, 200), 60)
    expect_health(cluster, 200, True)
    for page, body in (("/proxyMode", "ipvs"), ("/healthz", "ok")):
        status, headers, found = ask(cluster, page, 10249)
        if (status, headers["content-type"], headers["x-content-type-options"], found) != (
                200, "text/plain; charset=utf-8", "nosniff", body):
            raise Failure(f":10249{page}: {status} {headers} {found}")
    if not cluster.total("podferry_proxy_healthz_total", code="503") or not cluster.total("podferry_proxy_livez_total", code="200"):
        raise Failure("the answers are not counted")


def it_tells_load_balancers_that_the_node_is_about_to_go(cluster):
    """Tainted by the autoscaler, marked as deleted, deleted: /healthz is 503, and no reason to restart podferry."""
    cluster.start_podferry()
    expect_health(cluster, 200, True)
    node = lambda change: cluster.api.patch("Node", "node", change)  # noqa: E731

    def leaves(what):
        wait_until(f"load balancers are told: {what}", lambda: statuses(cluster) == (503, 200, 200), 10)
        expect_health(cluster, 503, False)

    def stays():
        wait_until("load balancers may come", lambda: statuses(cluster) == (200, 200, 200), 10)
        expect_health(cluster, 200, True)

    node({"spec": {"taints": [{"key": TAINT, "effect": "NoSchedule"}]}})
    leaves("tainted")
    node({"spec": {"taints": None}})
    stays()
    node({"metadata": {"finalizers": ["podferry.io/test"]}})
    cluster.api.delete("Node", "node")
    leaves("marked as deleted")
    node({"metadata": {"finalizers": None}})
    wait_until("podferry hears of the end of the Node", lambda: cluster.metric("podferry_objects", kind="Node") == 0, 10)
    leaves("deleted")
    cluster.agent.register()
    stays()
