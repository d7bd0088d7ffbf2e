"""An etcd that was restored empty: its API server is well, and knows of nothing."""
import signal

from api import SHOP
from lab import Failure, pod_ip, wait_until
from objects import endpoint_slice, service

HOLD = 20  # seconds
RATE = 100  # requests a second
NUMBERS = range(1, 15)


def address(number):
    return f"10.96.1.{number}"


def start_shop(cluster):
    """More Services than could be deleted by hand in one breath. Their pods are the lab's own: those of the API would end."""
    cluster.start_pods(1, 2)
    for number in NUMBERS:
        cluster.api.create(service(f"s{number}", address(number), selector=None),
                           endpoint_slice(f"s{number}-x", f"s{number}", [pod_ip(1), pod_ip(2)]))
    cluster.start_podferry(config=f"relist_hold: {HOLD}s\n")
    wait_until("all Services are served", lambda: len(present(cluster)) == len(NUMBERS), 30)


def present(cluster):
    saved = cluster.ipvs()
    return [number for number in NUMBERS if f"-A -t {address(number)}:80 " in saved
            and saved.count(f"-a -t {address(number)}:80 ") == 2]


def lose_data(cluster, bump=True):
    cluster.ask_host("empty-etcd", bump=bump)
    cluster.write_token(cluster.request_token())  # the service account is another one
    wait_until("the API server has no such Service", lambda: not cluster.api.list("Service", SHOP)["items"], 10)


def must_be_served(cluster):
    if len(present(cluster)) != len(NUMBERS):
        raise Failure(f"only these are served: {present(cluster)}")


def it_does_not_believe_an_empty_list_at_once(cluster):
    """Connections go on, the operator is told, and after relist_hold the server's word counts."""
    start_shop(cluster)
    lose_data(cluster)
    wait_until("removals are held back", lambda: cluster.metric("podferry_api_held_removals") >= 2 * len(NUMBERS), 90)
    cluster.load("pod4", address(1), 80, RATE, HOLD / 4)
    must_be_served(cluster)
    if "suddenly lacks" not in cluster.status():
        raise Failure("podferry status does not tell of it:\n" + cluster.status())
    rows = cluster.finish_load()
    failed = [row for row in rows if not row["ok"]]
    if failed:
        raise Failure(f"{len(failed)} of {len(rows)} requests failed: {failed[:3]}")
    wait_until("the server is obeyed in the end", lambda: not present(cluster), HOLD + 20)


def it_does_not_believe_it_after_a_restart_either(cluster):
    """A podferry that starts then has nothing but the kernel to compare with."""
    start_shop(cluster)
    cluster.stop_podferry(signal.SIGKILL)
    lose_data(cluster)
    cluster.start_podferry()
    must_be_served(cluster)
    if "in case the server has lost its data" not in cluster.status():
        raise Failure("podferry status does not tell of it:\n" + cluster.status())
    wait_until("the server is obeyed in the end", lambda: not present(cluster), HOLD + 20)


def it_notices_that_history_went_back(cluster):
    """Revisions that begin anew: a watch from a version that is yet to come hears nothing, not even bookmarks."""
    start_shop(cluster)
    for resource in ("services", "endpointslices"):  # each watch learns by itself that this server sends them
        wait_until(f"a bookmark has come for {resource}", bookmark_of(cluster, resource), 150)
    lose_data(cluster, bump=False)
    took = wait_until("removals are held back", lambda: cluster.metric("podferry_api_held_removals") >= 2 * len(NUMBERS), 240)
    must_be_served(cluster)
    print(f"      noticed after {took:.0f} s")


def bookmark_of(cluster, resource):
    """What is not changed is heard of all the same."""
    oldest = 0.0

    def has_come():
        nonlocal oldest
        stale = {labels["resource"]: value for labels, value in cluster.metrics("podferry_api_stale_seconds")}
        before, oldest = oldest, stale[resource]
        return stale[resource] < before

    return has_come
