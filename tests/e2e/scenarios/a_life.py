"""A Service's life through the API: the kernel follows each change."""
import bisect
import concurrent.futures
import statistics
import time

from api import SHOP
from kernel import IpvsTable
from lab import NODE_IP, Failure, pod_ip, wait_until
from objects import endpoint_slice, pod, port, service

ADDRESS = {4: "10.96.0.5", 6: "fd00:96::5"}
EXTERNAL_IP = "203.0.113.7"
NODE_PORT = 30080
WEB = {"web-1", "web-2"}


def start_web(cluster, **spec):
    cluster.api.create(service(**spec), pod(1), pod(2))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)


def change(cluster, **spec):
    cluster.api.patch("Service", "web", {"spec": spec})


def is_refused(cluster, address, number, space="pod4"):
    return cluster.ask(space, "tcp", address, number, 1) == [("error:", "Connection refused")]


def it_follows_a_services_type(cluster):
    """ClusterIP, NodePort, externalIPs, LoadBalancer, and back."""
    start_web(cluster)
    change(cluster, type="NodePort", ports=[port(node_port=NODE_PORT)])
    cluster.wait_for_pods_behind(WEB, NODE_IP[4], NODE_PORT)
    if cluster.answers(NODE_IP[4], NODE_PORT, "outside") != WEB:
        raise Failure("the node port is not answered by the pods")
    change(cluster, externalIPs=[EXTERNAL_IP])
    cluster.wait_for_pods_behind(WEB, EXTERNAL_IP)
    if cluster.answers(EXTERNAL_IP, 80, "outside") != WEB:
        raise Failure("the external IP is not answered by the pods")
    change(cluster, type="LoadBalancer", externalIPs=None)
    cluster.wait_for_pods_behind(None, EXTERNAL_IP)
    cluster.wait_for_pods_behind(WEB, NODE_IP[4], NODE_PORT)
    change(cluster, type="ClusterIP", ports=[port()])
    cluster.wait_for_pods_behind(None, NODE_IP[4], NODE_PORT)
    if cluster.answers() != WEB:
        raise Failure("the ClusterIP has suffered")


def it_follows_a_services_ports(cluster):
    """One more, another number, other names, a protocol, one less."""
    start_web(cluster)
    change(cluster, ports=[port(80, "http"), port(81, "admin"), port(53, "dns", "UDP")])
    cluster.wait_for_pods_behind(WEB, port=81)
    cluster.wait_for_pods_behind(WEB, port=53, protocol="u")
    if cluster.answers(port=53, protocol="udp") != WEB:
        raise Failure("the UDP port is not answered by the pods")
    change(cluster, ports=[port(8081, "admin"), port(80, "http")])
    cluster.wait_for_pods_behind(WEB, port=8081)
    cluster.wait_for_pods_behind(None, port=81)
    cluster.wait_for_pods_behind(None, port=53, protocol="u")
    change(cluster, ports=[port(80, "web"), port(8081, "control")])
    wait_until("the slices have the new names", lambda: slice_port_names(cluster) == {"web", "control"}, 20)
    for number in (80, 8081):
        cluster.wait_for_pods_behind(WEB, port=number)
    change(cluster, ports=[port(80, "web")])
    cluster.wait_for_pods_behind(None, port=8081)
    if not is_refused(cluster, ADDRESS[4], 8081) or cluster.answers() != WEB:
        raise Failure("the port that is left does not answer, or the other one does")


def slice_port_names(cluster):
    slices = cluster.api.list("EndpointSlice", query="?labelSelector=kubernetes.io/service-name=web")["items"]
    return {each["name"] for item in slices for each in item["ports"] or []}


def it_follows_a_services_policies(cluster):
    """Session affinity and its timeout, traffic policies, selector, address families."""
    start_web(cluster)

    def has_persistence(seconds):
        line = next(line for line in cluster.ipvs().splitlines() if line.startswith("-A -t 10.96.0.5:80 "))
        return ("-p" in line.split()) == bool(seconds) and (not seconds or f"-p {seconds}" in line)

    change(cluster, sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 77}})
    wait_until("clients stay with their pod", lambda: has_persistence(77), 20)
    change(cluster, sessionAffinity="None", sessionAffinityConfig=None)
    wait_until("clients are free again", lambda: has_persistence(None), 20)
    change(cluster, type="NodePort", externalTrafficPolicy="Local", internalTrafficPolicy="Local",
           ports=[port(node_port=NODE_PORT)])
    cluster.wait_for_pods_behind(WEB, NODE_IP[4], NODE_PORT)  # both pods are on this node
    if cluster.answers(NODE_IP[4], NODE_PORT, "outside") != WEB or cluster.answers() != WEB:
        raise Failure("local pods are not reached under the Local policies")
    change(cluster, externalTrafficPolicy="Cluster", internalTrafficPolicy="Cluster")
    cluster.api.create(pod(1, "other"))
    change(cluster, selector={"app": "other"})
    cluster.wait_for_pods_behind({"other-1"})
    change(cluster, ipFamilyPolicy="RequireDualStack", clusterIPs=[ADDRESS[4], ADDRESS[6]])
    cluster.wait_for_pods_behind({"other-1"}, ADDRESS[6])
    if cluster.answers(ADDRESS[6]) != {"other-1"}:
        raise Failure("the second address family does not answer")


def it_removes_a_deleted_service(cluster):
    """Nothing of it is left in the kernel; a new one of the same name is served."""
    start_web(cluster)
    cluster.api.delete("Service", "web")
    cluster.wait_for_pods_behind(None)
    wait_until("its route and elements are gone", lambda: ADDRESS[4] not in cluster.routes() + cluster.nft(), 5)
    cluster.api.create(service(cluster_ip="10.96.0.6"))
    cluster.wait_for_pods_behind(WEB, "10.96.0.6")
    if cluster.answers("10.96.0.6") != WEB:
        raise Failure("the new Service is not answered by the pods")


def it_follows_pods_from_0_to_50_and_back(cluster):
    """Under load. On the way back another app's pods take the addresses that become free, and never answer for the first."""
    most, step = 50, 10
    cluster.make_room_for(most)
    cluster.api.create(service(), service("other", "10.96.0.6"))
    cluster.start_podferry()
    wait_until("a Service without pods refuses", lambda: is_refused(cluster, ADDRESS[4], 80), 20)
    waits = [scale(cluster, "web", range(1, 2), range(0))]
    cluster.load("pod4", ADDRESS[4], 80, 100, 300)
    for first in range(2, most + 1, step):
        waits.append(scale(cluster, "web", range(first, min(first + step, most + 1)), range(1, first)))
    for last in range(most, step, -step):
        gone = range(last - step + 1, last + 1)
        for number in gone:
            cluster.api.delete("Pod", f"web-{number}")
        cluster.api.create(*(pod(number, "other") for number in gone))
        waits.append(cluster.wait_for_pods_behind(names("web", range(1, gone.start)), within=60))
    others = names("other", range(step + 1, most + 1))
    cluster.wait_for_pods_behind(others, "10.96.0.6", within=60)
    judge_load(cluster.stop_load(), others)
    cluster.api.delete_all("Pod")
    cluster.wait_for_pods_behind(set(), within=60)
    wait_until("a Service without pods refuses again", lambda: is_refused(cluster, ADDRESS[4], 80), 20)
    print(f"      {len(waits)} steps of up to {step} pods, the slowest in the kernel after {max(waits):.1f} s")


def names(app, numbers):
    return {f"{app}-{number}" for number in numbers}


def scale(cluster, app, new, old):
    cluster.api.create(*(pod(number, app) for number in new))
    return cluster.wait_for_pods_behind(names(app, [*old, *new]), within=60)


def judge_load(rows, others):
    """None is cut, refused, or goes astray."""
    foreign = [row for row in rows if row["who"] in others]
    failed = [row for row in rows if not row["ok"]]
    if foreign or failed or len(rows) < 400:
        raise Failure(f"of {len(rows)} requests {len(failed)} failed and {len(foreign)} were answered by another app's pod: "
                      f"{failed[:3]} {foreign[:3]}")
    print(f"      {len(rows)} requests, none failed, answered by {len({row['who'] for row in rows})} pods")


def it_measures_a_change(cluster):
    """From the API write to the kernel: one endpoint more or less, many times."""
    changes = 200
    few, more = [pod_ip(5)], [pod_ip(5), pod_ip(6)]
    cluster.api.create(service("measured", "10.96.0.9", selector=None), endpoint_slice("measured-1", "measured", few))
    cluster.start_podferry()
    table = IpvsTable("node")
    wait_until("the Service is in the kernel", lambda: table.real_servers("10.96.0.9", 80) == set(few), 20)
    took = []
    with concurrent.futures.ThreadPoolExecutor(1) as writer:
        for number in range(changes):
            wanted = few if number % 2 else more
            began = time.monotonic()
            written = writer.submit(cluster.api.patch, "EndpointSlice", "measured-1", {"endpoints": [
                {"addresses": [address], "conditions": {"ready": True}} for address in wanted]}, SHOP)
            wait_for(table, set(wanted), began)
            took.append(1000 * (time.monotonic() - began))
            written.result()
    table.close()
    print_histogram(took)
    print(f"figure e2e_change_p50_ms {statistics.median(took):.1f} ms")
    print(f"figure e2e_change_p99_ms {sorted(took)[int(0.99 * len(took)) - 1]:.1f} ms", flush=True)


def wait_for(table, wanted, began):
    """wait_until() looks too seldom to measure with."""
    while table.real_servers("10.96.0.9", 80) != wanted:
        if time.monotonic() - began > 20:
            raise Failure("a change is not in the kernel after 20 s")
        time.sleep(0.0005)


def print_histogram(took):
    bounds = [5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000]
    counts = [0] * (len(bounds) + 1)
    for value in took:
        counts[bisect.bisect_left(bounds, value)] += 1
    print("      API write to kernel")
    for bound, count in zip([f"<= {bound} ms" for bound in bounds] + ["longer"], counts):
        print(f"      {bound:>10} {count:4} {'#' * round(60 * count / len(took))}")
