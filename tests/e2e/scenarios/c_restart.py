"""podferry is restarted: without an API server, and with one that has moved on."""
import json
import signal

from cluster import PODFERRY_ADDRESS
from lab import Failure, wait_until
from objects import pod, service

WEB = {"web-1", "web-2"}


def it_touches_nothing_until_the_api_server_is_back(cluster):
    """SIGKILL and a start without one: the data plane stays, /readyz says why it waits; then there is nothing to write."""
    cluster.api.create(service(), pod(1), pod(2), service("other", "10.96.0.6", selector="web", type="NodePort"))
    cluster.start_podferry()
    for address in ("10.96.0.5", "10.96.0.6"):
        cluster.wait_for_pods_behind(WEB, address)
    before = cluster.ipvs(), cluster.routes(), elements(cluster)
    cluster.ask_host("kill-api-server")
    cluster.stop_podferry(signal.SIGKILL)
    cluster.start_podferry(wait=False)
    wait_until("/readyz answers", lambda: cluster.readiness()[0] == 503, 30)
    wait_until("/readyz says why", lambda: "services" in cluster.readiness()[1].lower(), 30)
    waiting_for = json.loads(cluster.status("-o", "json"))["waitingFor"]
    if not waiting_for:
        raise Failure(f"status does not say what it waits for: {cluster.status('-o', 'json')}")
    audits = cluster.metric("podferry_audits_total")
    if (cluster.ipvs(), cluster.routes(), elements(cluster)) != before or cluster.answers() != WEB or audits:
        raise Failure(f"the start without an API server has changed the data plane ({audits:.0f} audits)")
    cluster.ask_host("start-api-server")
    took = wait_until("podferry is ready", cluster.podferry_is_ready, 60)
    if cluster.writes() or (cluster.ipvs(), cluster.routes(), elements(cluster)) != before:
        raise Failure(f"the restart wrote to the kernel: {cluster.writes()}")
    cluster.api.create(service("new", "10.96.0.7", selector="web"))
    cluster.wait_for_pods_behind(WEB, "10.96.0.7")
    print(f"      waited for: {waiting_for}; ready {took:.1f} s after the API server")


def elements(cluster):
    """The sets of our table, without the counters."""
    return [line.strip() for line in cluster.nft().splitlines() if "counter" not in line]


def it_removes_what_vanished_meanwhile(cluster):
    """What was deleted while podferry was down is removed at its start, and only that."""
    cluster.api.create(service(), pod(1), pod(2), service("old", "10.96.0.6", selector="web"))
    cluster.start_podferry()
    for address in ("10.96.0.5", "10.96.0.6"):
        cluster.wait_for_pods_behind(WEB, address)
    cluster.stop_podferry()
    cluster.api.delete("Service", "old")
    cluster.start_podferry()
    if cluster.pods_behind("10.96.0.6") is not None or "10.96.0.6" in cluster.routes() + cluster.nft():
        raise Failure("something of the vanished Service is left")
    deleted = cluster.writes().get("delete-service")
    if cluster.pods_behind() != WEB or deleted != 1:
        raise Failure(f"more than the vanished Service has changed: {cluster.writes()}")


def it_accuses_nobody_when_its_node_gets_addresses_late(cluster):
    """It starts before its Node has any; then its routes get another source address, which is its own doing."""
    cluster.api.create(service(), pod(1))
    given = cluster.api.get("Node", "node")["status"]["addresses"]
    addresses = lambda now: cluster.api.patch("Node", "node", {"status": {"addresses": now}}, part="status")  # noqa: E731
    addresses(None)
    try:
        cluster.start_podferry()
        cluster.wait_for_pods_behind({"web-1"})
        if f"src {PODFERRY_ADDRESS}" in cluster.routes():
            raise Failure(f"the routes have that source already:\n{cluster.routes()}")
        addresses([{"type": "InternalIP", "address": PODFERRY_ADDRESS}])
        wait_until("the routes follow", lambda: f"10.96.0.5 dev podferry0 scope host src {PODFERRY_ADDRESS}" in cluster.routes(), 20)
        repairs = [line for line in cluster.metrics_page().splitlines() if line.startswith("podferry_drift_repairs_total")
                   and not line.endswith(" 0")]
        if repairs or "drift detected" in cluster.log():
            raise Failure(f"somebody is accused: {repairs}")
    finally:
        addresses(given)
