"""From the real kube-proxy to podferry under load, and back."""
import network
import objects
import share
from a_install import expect, services_are_reached
from cluster import CHART, SYSTEM, image, wait_until
from judge import Watch, calm_load

# What docs/operations.md has for each mode: kube-proxy's leftovers go, and nothing of others.
NO_CHAINS = 'for t in iptables ip6tables; do $t-save | grep -v KUBE- | $t-restore; done'
LEFTOVERS = {
    "ipvs": f"{NO_CHAINS}; for s in $(ipset list -n | grep ^KUBE-); do ipset destroy $s; done",
    "nftables": "nft delete table ip kube-proxy; nft delete table ip6 kube-proxy",
    "iptables": NO_CHAINS,
}


# How long requests may be lost on the way back. A kube-proxy of mode nftables empties IPVS when it starts (platformCleanup), and writes its rules
# later; in the modes without IPVS, what IPVS carries ends when podferry cleans up.
MOST_SECONDS_LOST_BACK = {"ipvs": 0, "nftables": 30, "iptables": 3}


def it_moves_from_ipvs_and_back(cluster):
    """Virtual servers are adopted with their connections, both ways."""
    rate = move(cluster, "ipvs")
    move_back(cluster, "ipvs", rate)


def it_moves_from_nftables_and_back(cluster):
    """Connections go on by what connection tracking knows of them."""
    rate = move(cluster, "nftables")
    move_back(cluster, "nftables", rate)


def it_moves_from_iptables_and_back(cluster):
    """As from nftables."""
    rate = move(cluster, "iptables")
    move_back(cluster, "iptables", rate)


def it_is_moved_node_by_node_by_the_chart(cluster):
    """`podferry migrate`, as the chart's Job: with each node's kube-proxy until its podferry is Ready. And back."""
    begin(cluster, "ipvs")
    rate = calm_load(cluster)
    watch = Watch(cluster, rate)
    install(cluster, "--values", str(CHART / "ci/moving-over-values.yaml"))
    wait_for_migration(cluster, 1)
    expect(set(cluster.pods()) == set(network.NODES) and not cluster.pods("k8s-app=kube-proxy"), "not each node has podferry alone")
    for node in network.NODES:
        cluster.on(node, LEFTOVERS["ipvs"])
    services_are_reached(cluster)
    over = watch.end("node by node to podferry")
    watch = Watch(cluster, rate)
    cluster.helm("upgrade", "podferry", str(CHART), "--reuse-values", "--set", "migration.back=true")
    wait_for_migration(cluster, 2)
    expect(set(cluster.pods("k8s-app=kube-proxy")) == set(network.NODES) and not cluster.pods(), "not each node has kube-proxy alone")
    services_are_reached(cluster)
    back = watch.end("node by node to kube-proxy")
    print(f"figure migrate_node_by_node_lost {sum(over) + sum(back)}   (at {rate} requests a second; over and back)", flush=True)
    expect(sum(over) + sum(back) == 0, f"{over}, {back}")


def wait_for_migration(cluster, revision):
    name = f"podferry-migrate-{revision}"

    def succeeded():
        return any(each["metadata"]["name"] == name and each.get("status", {}).get("succeeded") for each in cluster.get("jobs"))
    try:
        wait_until(f"Job {name} has succeeded", succeeded, 240)
    finally:
        print(cluster.tried("logs", "-n", SYSTEM, f"job/{name}"), flush=True)


def begin(cluster, mode):
    """kube-proxy serves."""
    cluster.start_web()
    start_kube_proxy(cluster, mode)
    wait_until("kube-proxy serves", lambda: all(cluster.ask(node, f"{objects.WEB}:{objects.WEB_PORT}").startswith("web-") for node in network.NODES), 60)


def install(cluster, *values):
    cluster.helm("install", "podferry", str(CHART), *values, "--set", image(share.PODFERRY), "--set", "kubeProxyConfig.configMap=kube-proxy",
                 "--set", f"config.service_cluster_ip_range={{{network.SERVICES}}}")


def move(cluster, mode):
    """`helm install`, then kube-proxy's DaemonSet goes, then its leftovers."""
    begin(cluster, mode)
    rate = calm_load(cluster)
    watch = Watch(cluster, rate)
    install(cluster)
    cluster.wait_for_pods()
    cluster.kubectl("delete", "daemonset", "kube-proxy", "-n", SYSTEM)
    wait_until("kube-proxy is gone", lambda: not cluster.get("pods", "-l", "k8s-app=kube-proxy"), 60)
    for node in network.NODES:
        wait_until(f"{node}: kube-proxy's device is gone", lambda: "kube-ipvs0" not in cluster.on(node, "ip -br link"), 90)
        cluster.on(node, LEFTOVERS[mode])
    for node in network.NODES:
        wait_until(f"{node}: podferry has no problem", lambda: "problems           0" in cluster.podferry(node, "status"), 120)
    services_are_reached(cluster)
    lost = watch.end(f"from {mode} to podferry")
    print(f"figure migrate_{mode}_lost {sum(lost)}   (at {rate} requests a second)", flush=True)
    expect(sum(lost) == 0, f"{lost}")
    return rate


def move_back(cluster, mode, rate):
    """`helm uninstall`, kube-proxy's DaemonSet, then the chart's `mode: cleanup`. Connections that IPVS carries are nobody's any more after the
    last step, unless kube-proxy has IPVS too: until then they go on, in any mode."""
    watch = Watch(cluster, rate)
    cluster.helm("uninstall", "podferry", "--wait")
    start_kube_proxy(cluster, mode)
    for node in network.NODES:
        wait_until(f"{node}: kube-proxy has written its rules", lambda: has_rules(cluster, node, mode), 60)
    lost = watch.end(f"from podferry to {mode}, until podferry cleans up")
    last_step = Watch(cluster, rate)
    cluster.install_podferry("--set", "mode=cleanup")
    cluster.wait_for_pods("podferry.io/mode=cleanup")
    cluster.helm("uninstall", "podferry", "--wait")
    for node in network.NODES:
        expect("podferry" not in cluster.on(node, "nft list tables; ip -br link"), f"{node}: podferry's table or device is left")
    services_are_reached(cluster)
    lost_last = last_step.end(f"from podferry to {mode}, when it cleans up")
    print(f"figure migrate_back_{mode}_lost {sum(lost) + sum(lost_last)}   (before it cleans up: {sum(lost)}; connections that were held then: {lost_last.connections})",
          flush=True)
    gone = sum(each.requests + each.datagrams for each in (lost, lost_last))
    expect(lost.connections == 0 and gone <= MOST_SECONDS_LOST_BACK[mode] * rate, f"{lost}, {lost_last}")
    expect(lost_last.connections == 0 or mode != "ipvs", f"{lost_last}")


def start_kube_proxy(cluster, mode):
    cluster.apply(*objects.kube_proxy(mode, cluster.plane.kube_proxy_kubeconfig()))
    cluster.wait_for_pods("k8s-app=kube-proxy")


def has_rules(cluster, node, mode):
    """For the Service of the load."""
    said = {"ipvs": "ip -4 addr show dev kube-ipvs0", "nftables": "nft list map ip kube-proxy service-ips", "iptables": "iptables-save -t nat"}[mode]
    return objects.WEB in cluster.on(node, said, check=False)
