"""What the cluster says of networks: ServiceCIDR objects, and the Node's podCIDRs."""
import signal

from lab import OUTSIDE_IP, Failure, wait_until
from next_router import answerer, expect, start_next_router
from objects import pod, service

WEB = {"web-1", "web-2"}
FREE = {4: "10.96.77.77", 6: "fd00:96::77"}  # in ServiceCIDR kubernetes, which the API server has made
MORE, MORE_RANGE, OTHER = "10.97.77.77", "10.97.0.0/16", "10.98.77.77"


def change_config(cluster, without, more=""):
    config = cluster.folder / "config.yaml"
    config.write_text("".join(line for line in config.read_text().splitlines(True) if not line.startswith(without)) + more)


def becomes(cluster, wanted, address, within=20):
    wait_until(f"{address} is answered by {wanted}", lambda: answerer(cluster, "pod4", address) == wanted, within)
    expect(cluster, wanted, address)


def refused_external_ip(cluster, address):
    return f"{address} is in the range of ClusterIPs" in cluster.status()


def it_follows_service_cidrs(cluster):
    """Without a setting: what no Service has in any of them is dropped, as they come and go; over a restart without an API server
    too. No external address is in them."""
    cluster.track_connections()
    cluster.on("node", "sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1")
    start_next_router(cluster, (*FREE.values(), MORE, OTHER))
    change_config(cluster, ("service_cluster_ip_range",))
    cluster.api.create(service(), pod(1), pod(2), service("greedy", "10.96.0.7", selector="web", externalIPs=[MORE]))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)
    for address in FREE.values():
        becomes(cluster, "error:", address)
    expect(cluster, "router", OTHER)
    if cluster.answers() != WEB or refused_external_ip(cluster, MORE):
        raise Failure("the Service does not answer, or an external address is refused too early")

    cluster.api.create({"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "more"},
                        "spec": {"cidrs": [MORE_RANGE]}})
    becomes(cluster, "error:", MORE)
    wait_until("the external address is refused", lambda: refused_external_ip(cluster, MORE), 10)
    expect(cluster, "router", OTHER)
    wait_until("the range is ready", lambda: any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in cluster.api.get("ServiceCIDR", "more").get("status", {}).get("conditions", [])), 60)
    cluster.api.create(service("far", "10.97.0.5", selector="web"))
    cluster.wait_for_pods_behind(WEB, "10.97.0.5")
    if cluster.answers("10.97.0.5") != WEB:
        raise Failure("a Service in the new range does not answer")

    cluster.ask_host("kill-api-server")
    cluster.stop_podferry(signal.SIGKILL)
    cluster.start_podferry(wait=False)
    wait_until("/readyz answers", lambda: cluster.readiness()[0] == 503, 30)
    for address in (*FREE.values(), MORE):
        expect(cluster, "error:", address)
    cluster.ask_host("start-api-server")
    wait_until("podferry is ready", cluster.podferry_is_ready, 60)
    expect(cluster, "error:", MORE)
    if cluster.metric("podferry_drift_repairs_total", object="nftables"):
        raise Failure("its own rules are taken for drift")

    cluster.api.delete("ServiceCIDR", "more")  # it is being deleted until no Service is in it
    cluster.api.delete("Service", "far")
    cluster.api.delete("Service", "greedy")
    becomes(cluster, "router", MORE, 60)
    for address in FREE.values():
        expect(cluster, "error:", address)


def it_follows_the_nodes_pod_cidrs(cluster):
    """detect_local_mode NodeCIDR: the cluster gives the Node its networks after podferry has started."""
    node = cluster.api.get("Node", "node")
    if "podCIDR" in node["spec"]:
        raise Failure("the Node has networks already; nothing can be proved")
    change_config(cluster, ("network_cidr",), "detect_local_mode: NodeCIDR\n")
    cluster.api.create(service(), pod(1), pod(2))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)

    def seen(space):
        return {source for _, source in cluster.ask(space, "tcp", "10.96.0.5", 80, 6)}

    if seen("outside") != {OUTSIDE_IP[4]} or "has no spec.podCIDRs" not in cluster.status():
        raise Failure(f"{seen('outside')} is seen while no pods are known; {cluster.status()}")
    try:
        cluster.api.patch("Node", "node", {"spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd00:1::/64"]}})
        wait_until("clients outside are masqueraded", lambda: OUTSIDE_IP[4] not in seen("outside"), 20)
        if seen("pod4") != {"10.1.0.14"} or "has no spec.podCIDRs" in cluster.status():
            raise Failure(f"{seen('pod4')} is seen of pod4; {cluster.status()}")
    finally:
        cluster.api.delete("Node", "node")  # they can be given once only
        cluster.agent.register()
