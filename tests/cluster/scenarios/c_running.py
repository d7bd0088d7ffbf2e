"""A podferry that runs: it is upgraded, its node boots anew, it goes."""
import json

import network
import share
from a_install import expect, services_are_reached
from cluster import image, wait_until
from judge import Watch, calm_load

STATE = {"virtual servers": "ipvsadm -Ln", "tables": "nft --stateless list ruleset", "addresses": "ip -br addr show | grep -v veth", "rules": "ip rule; ip -6 rule",
         "routes": "ip route show table all | grep -v veth", "sysctls": "sysctl -a 2>/dev/null | grep -E '^net[.](ipv4[.]vs|netfilter|ipv4[.]conf[.](all|default)|ipv4[.]ip_)'"}
VOLATILE = ("nf_conntrack_count", "nf_conntrack_buckets")


def it_is_upgraded_under_load(cluster):
    """`helm upgrade` to another image: no request and no held connection is lost."""
    start(cluster)
    rate = calm_load(cluster)
    watch = Watch(cluster, rate)
    cluster.install_podferry("--set", image(share.PODFERRY_NEXT), verb="upgrade")
    wait_until("the new image runs", lambda: {pod["spec"]["containers"][0]["image"] for pod in cluster.pods().values()} == {share.PODFERRY_NEXT}, 120)
    cluster.wait_for_pods()
    services_are_reached(cluster)
    lost = watch.end("upgrade")
    print(f"figure upgrade_failed_requests {sum(lost)}   (with the held connections and the datagrams; at {rate} requests a second)", flush=True)
    expect(sum(lost) == 0, f"{lost}")


def it_comes_back_with_its_node(cluster):
    """A node whose power was cut boots anew: podferry and the Services of both nodes are there again."""
    start(cluster)
    before = restarts(cluster)
    cluster.nodes["node2"].reboot()
    wait_until("podferry was started anew", lambda: restarts(cluster) > before, 180)
    cluster.wait_for_pods(seconds=180)
    cluster.wait_for_pods("app=web", "default", 180)
    services_are_reached(cluster)


def it_goes_as_it_came(cluster):
    """`helm uninstall` leaves the data plane; `mode: cleanup` what was before, but for what the documents name."""
    cluster.start_web()
    before = {node: state(cluster, node) for node in network.NODES}
    cluster.install_podferry()
    cluster.wait_for_pods()
    services_are_reached(cluster)
    cluster.helm("uninstall", "podferry", "--wait")
    wait_until("podferry is gone", lambda: not cluster.pods(), 60)
    services_are_reached(cluster)
    cluster.install_podferry("--set", "mode=cleanup")
    cluster.wait_for_pods("podferry.io/mode=cleanup")
    cluster.helm("uninstall", "podferry", "--wait")
    for node in network.NODES:
        after = state(cluster, node)
        for what in STATE:
            if what != "sysctls":
                expect(after[what] == before[node][what], f"{node}: {what} are not as before: {difference(before[node][what], after[what])}")
        left = difference(before[node]["sysctls"], after["sysctls"])
        print(f"      {node}: sysctls that stay: {left}", flush=True)


def start(cluster):
    cluster.start_web()
    cluster.install_podferry()
    cluster.wait_for_pods()
    services_are_reached(cluster)


def restarts(cluster):
    return cluster.pods()["node2"]["status"]["containerStatuses"][0]["restartCount"]


def state(cluster, node):
    said = {what: cluster.on(node, command, check=False) for what, command in STATE.items()}
    said["sysctls"] = "\n".join(line for line in said["sysctls"].splitlines() if not any(name in line for name in VOLATILE))
    return said


def difference(before, after):
    """Lines that went, and those that came."""
    old, new = before.splitlines(), after.splitlines()
    return json.dumps({"gone": [line for line in old if line not in new], "new": [line for line in new if line not in old]})
