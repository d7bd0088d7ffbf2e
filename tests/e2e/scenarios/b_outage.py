"""The API server goes away, comes back different, forgets, falls silent: connections go on, and nothing is lost."""
import time

from lab import RATE, Failure, check_rate, wait_until
from objects import pod, service

OUTAGE = 60  # seconds
WEB = {"web-1", "web-2"}
NOTICED = 120  # seconds until a connection over which nothing comes is given up


def start_web(cluster):
    cluster.api.create(service(), pod(1), pod(2))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)


def staleness(cluster):
    return max((value for _, value in cluster.metrics("podferry_api_stale_seconds")), default=0.0)


def check_load(rows):
    failed = [row for row in rows if not row["ok"]]
    if failed:
        raise Failure(f"{len(failed)} of {len(rows)} requests failed: {failed[:3]}")
    check_rate(rows)


def it_serves_while_the_api_server_is_gone(cluster):
    """A minute without it: no request fails, staleness is told, what changes right after it is caught up with."""
    start_web(cluster)
    cluster.load("pod4", "10.96.0.5", 80, RATE, OUTAGE + 5)
    cluster.ask_host("kill-api-server")
    gone = time.monotonic()
    wait_until("staleness is told", lambda: staleness(cluster) > 10, 30)
    rows = cluster.finish_load()
    wait_until("a minute is over", lambda: time.monotonic() - gone >= OUTAGE, OUTAGE)
    if staleness(cluster) < OUTAGE / 2:
        raise Failure(f"podferry_api_stale_seconds is {staleness(cluster):.0f} after {OUTAGE} s without an API server")
    cluster.ask_host("start-api-server")
    cluster.api.create(service("new", "10.96.0.6", selector="web"))
    cluster.api.delete("Pod", "web-2", grace=0)
    took = cluster.wait_for_pods_behind({"web-1"}, "10.96.0.6", within=60)
    cluster.wait_for_pods_behind({"web-1"}, within=10)
    wait_until("nothing is stale any more", lambda: staleness(cluster) < 10, 60)
    check_load(rows)
    check_log_tells_once(cluster)
    print(f"      {len(rows)} requests, none failed; caught up {took:.1f} s after the API server was ready again")


def check_log_tells_once(cluster):
    """An outage is a line when it begins and one when it ends, not one for every attempt."""
    back = "the Kubernetes API is back"  # once the watches have proven themselves
    wait_until("the log says that the API is back", lambda: back in cluster.log(), 30)
    for words in ("the Kubernetes API cannot be reached", back):
        lines = [line for line in cluster.log().splitlines() if words in line]
        if len(lines) != 1:
            raise Failure(f"{len(lines)} lines of the log say {words!r}:\n" + "\n".join(lines[:20]))


def it_goes_to_the_next_api_server(cluster):
    """Of the addresses that are given, the first is dead from the start."""
    cluster.api.create(service(), pod(1), pod(2))
    cluster.start_podferry("--api-server", "https://10.0.2.2:1", "--api-server", f"https://10.0.2.2:{cluster.host['api_port']}")
    cluster.wait_for_pods_behind(WEB)


def it_loses_nothing_when_history_is_forgotten(cluster):
    """Cut off from an API server that then restarts on a compacted etcd: 410 Gone, a new list, no lost or ghost objects."""
    start_web(cluster)
    cluster.api.create(service("ghost", "10.96.0.6", selector="web"), service("moved", "10.96.0.7", selector="web"))
    for address in ("10.96.0.6", "10.96.0.7"):
        cluster.wait_for_pods_behind(WEB, address)
    lists = cluster.total("podferry_api_relists_total")
    cluster.cut_off_podferry()
    cluster.api.delete("Service", "ghost")
    cluster.api.delete("Service", "moved")
    cluster.api.delete("Pod", "web-2", grace=0)
    cluster.api.create(service("moved", "10.96.0.8", selector="web"), service("born", "10.96.0.9", selector="web"), pod(3))
    wait_until("the slices know of the new pod", lambda: knows_pod(cluster, "born", "web-3"), 30)
    cluster.ask_host("kill-api-server")
    cluster.ask_host("compact-etcd")
    cluster.ask_host("start-api-server")
    cluster.let_podferry_through()
    took = cluster.wait_for_pods_behind({"web-1", "web-3"}, "10.96.0.9", within=NOTICED)
    for address, pods in (("10.96.0.5", {"web-1", "web-3"}), ("10.96.0.6", None), ("10.96.0.7", None),
                          ("10.96.0.8", {"web-1", "web-3"})):
        cluster.wait_for_pods_behind(pods, address, within=10)
    if cluster.total("podferry_api_relists_total") <= lists:
        raise Failure("podferry has not listed again: the test proves nothing")
    print(f"      whole again after {took:.1f} s; watches ended: {cluster.metrics('podferry_api_watch_restarts_total')}")


def knows_pod(cluster, of, name):
    slices = cluster.api.list("EndpointSlice", query=f"?labelSelector=kubernetes.io/service-name={of}")["items"]
    return any(each["conditions"]["ready"] and each["targetRef"]["name"] == name
               for item in slices for each in item["endpoints"] or [])


def it_accepts_a_new_serving_certificate(cluster):
    """The API server comes back with another certificate of the same CA."""
    start_web(cluster)
    cluster.ask_host("kill-api-server")
    cluster.ask_host("start-api-server", new_certificate=True)
    cluster.api.create(service("new", "10.96.0.6", selector="web"))
    took = cluster.wait_for_pods_behind(WEB, "10.96.0.6", within=60)
    print(f"      caught up {took:.1f} s after the API server was ready again")


def it_goes_on_with_a_rotated_token(cluster):
    """The token's file is written anew and the old token is void: the next connection has the new one."""
    bound = cluster.api.create({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": "bound", "namespace": cluster.host["namespace"]}})
    cluster.write_token(cluster.request_token(600, bound))
    start_web(cluster)
    cluster.write_token(cluster.request_token(600))
    cluster.api.delete("Secret", "bound", cluster.host["namespace"])
    cluster.ask_host("kill-api-server")  # ends the connections, and its memory of the old token
    cluster.ask_host("start-api-server")
    cluster.api.create(service("new", "10.96.0.6", selector="web"))
    took = cluster.wait_for_pods_behind(WEB, "10.96.0.6", within=60)
    refused = cluster.total("podferry_api_requests_total", code="401")
    print(f"      caught up after {took:.1f} s; {refused:.0f} requests were refused with the old token")


def it_waits_for_a_token_that_comes_late(cluster):
    """The old token is void before there is a new one: podferry asks again and again, and serves meanwhile."""
    bound = cluster.api.create({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": "bound", "namespace": cluster.host["namespace"]}})
    cluster.write_token(cluster.request_token(600, bound))
    start_web(cluster)
    cluster.api.delete("Secret", "bound", cluster.host["namespace"])
    cluster.ask_host("kill-api-server")
    cluster.ask_host("start-api-server")
    wait_until("the old token is refused", lambda: cluster.total("podferry_api_requests_total", code="401") > 0, 60)
    if cluster.answers() != WEB:
        raise Failure("the Service does not answer while the token is void")
    cluster.write_token(cluster.request_token(600))
    cluster.api.create(service("new", "10.96.0.6", selector="web"))
    took = cluster.wait_for_pods_behind(WEB, "10.96.0.6", within=60)
    print(f"      caught up {took:.1f} s after the new token")


def it_notices_a_black_hole(cluster):
    """Nothing comes from the API server any more, no FIN, no RST: noticed, and soon made good when the way is free."""
    start_web(cluster)
    before = cluster.total("podferry_api_watch_restarts_total", resource="services")
    cluster.cut_off_podferry()
    cluster.api.create(service("new", "10.96.0.6", selector="web"))
    noticed = wait_until("podferry gives its watch up",
                         lambda: cluster.total("podferry_api_watch_restarts_total", resource="services") > before, NOTICED)
    if cluster.answers() != WEB or cluster.pods_behind("10.96.0.6") is not None:
        raise Failure("the black hole has changed the data plane, or lets something through")
    cluster.let_podferry_through()
    took = cluster.wait_for_pods_behind(WEB, "10.96.0.6", within=60)
    print(f"      noticed after {noticed:.0f} s, caught up {took:.1f} s after the way was free; "
          f"watches ended: {cluster.metrics('podferry_api_watch_restarts_total')}")
