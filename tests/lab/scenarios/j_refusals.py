"""What the kernel refuses, or has no more: it costs what is refused, is said, and is nobody's drift."""
import pathlib

from lab import NODE_IP, OUTSIDE_IP, Failure, pod_ip, run, wait_until
from manifests import pods, service
from modules import nothing_is_loaded, unload
from netns import network_namespace

AUDIT = 3 + 1.5  # audit_period, and the time of an audit on a slow machine
BROADCAST = pod_ip(9)
EDGE = {4: "10.96.0.9", 6: "fd00:96::9"}
DUAL = f"""  ipFamilyPolicy: PreferDualStack
  clusterIPs: ["{EDGE[4]}", "{EDGE[6]}"]
  externalIPs: ["203.0.113.5", "2001:db8::5"]
"""


def expect(condition, otherwise):
    if not condition:
        raise Failure(otherwise)


def audit_seldom(lab):
    path = lab.folder / "config.yaml"
    path.write_text(path.read_text().replace("audit_period: 3s", "audit_period: 10m"))


def drift(lab):
    return sum(float(line.split()[-1]) for line in lab.metrics_page().splitlines() if line.startswith("podferry_drift_repairs_total{"))


def it_holds_nothing_back_beside_a_refused_endpoint(lab):
    """An endpoint is a broadcast address to this node: pods beside it are replaced at once, without an audit."""
    audit_seldom(lab)
    lab.ip(f"route add broadcast {BROADCAST} dev eth0 table local\n", "node")
    lab.start_pods(1, 2)
    lab.write("web.yaml", service() + pods(1, probe=None) + pods(9, probe=None))
    lab.start_podferry()
    wait_until("the pod is used", lambda: lab.weights("10.96.0.5", 80) == {"pod1": 1}, 5)
    wait_until("the refusal is a problem of its Service", lambda: "Service shop/web: the kernel refuses add-server" in lab.status(), 5)
    expect(BROADCAST in lab.status() and "Invalid argument" in lab.status(), lab.status())
    audits = lab.metric("podferry_audits_total")
    for number in (2, 1, 2, 1):
        lab.write("web.yaml", service() + pods(number, probe=None) + pods(9, probe=None))
        took = wait_until("the pod is replaced", lambda: lab.weights("10.96.0.5", 80).get(f"pod{number}") == 1, 3)
        print(f"      replaced after {took:.2f} s")
        wait_until("the one before gets nothing", lambda: not lab.weights("10.96.0.5", 80).get(f"pod{3 - number}"), 3)
    expect(lab.metric("podferry_audits_total") == audits, "a refusal has asked for an audit")
    expect(lab.page(10256, "/livez")[0] == 200, "one refused object is not the node's problem")
    lab.write("web.yaml", service() + pods(1, probe=None))
    wait_until("the problem is gone", lambda: "refuses" not in lab.status(), 5)


def switch_ipv6(lab, on):
    with network_namespace("node"):
        for which in ("all", "default"):
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("0" if on else "1")
    if on:
        lab.ip(f"addr add {NODE_IP[6]}/64 dev eth0 nodad\nroute add default via {OUTSIDE_IP[6]}\n", "node")


def it_serves_ipv4_where_ipv6_is_off(lab):
    """IPv6 is switched off; dual-stack Services then cost nobody anything, and have IPv6 when it is on again."""
    lab.start_pods(1, 2, 3)
    lab.write("web.yaml", service() + pods(1, 2))
    lab.start_podferry()
    wait_until("both pods are used", lambda: len(lab.weights("10.96.0.5", 80)) == 2, 10)
    switch_ipv6(lab, False)
    lab.write("edge.yaml", service("edge", EDGE[4], DUAL) + pods(3, app="edge", probe=None))
    wait_until("the dual-stack Service has IPv4", lambda: lab.is_answered_by("pod3", EDGE[4]), 10)
    wait_until("at its external address too", lambda: [who for who, _ in lab.ask("outside", "tcp", "203.0.113.5", 80, 1)] == ["pod3"], 5)
    wait_until("it is said", lambda: "IPv6 is off on this host" in lab.status(), 5)
    lab.kill_pod(2)
    wait_until("a dead pod leaves", lambda: lab.weights("10.96.0.5", 80).get("pod2") == 0, 10)
    lab.stop_podferry()
    lab.start_podferry()
    lab.write("late.yaml", service("late", "10.96.0.11") + pods(3, app="late", probe=None))
    wait_until("a Service that comes later is served", lambda: lab.is_answered_by("pod3", "10.96.0.11"), 5)
    expect("refuses" not in lab.status(), f"IPv6 is asked for:\n{lab.status()}")
    switch_ipv6(lab, True)
    wait_until("IPv6 is there", lambda: EDGE[6] in lab.routes() and lab.weights(EDGE[6], 80) == {"pod3": 1}, 10)
    wait_until("nothing is wrong any more", lambda: "problems         0" in lab.status() or "IPv6 is off" not in lab.status(), 5)
    expect(lab.page(10256, "/livez")[0] == 200, "livez")


def it_calls_nothing_drift_that_the_host_does(lab):
    """The node's address goes and comes, and so does IPv6: the kernel drops our routes with them, and nobody is accused."""
    lab.start_pods(1)
    lab.write("edge.yaml", service("edge", EDGE[4], DUAL) + pods(1, app="edge", probe=None))
    lab.start_podferry()
    wait_until("it is served", lambda: EDGE[4] in lab.routes() and EDGE[6] in lab.routes(), 10)

    def settled():
        before = lab.metric("podferry_audits_total")
        wait_until("an audit has looked", lambda: lab.metric("podferry_audits_total") >= before + 2, 2 * AUDIT)

    settled()
    lab.ip(f"addr del {NODE_IP[4]}/24 dev eth0\n", "node")
    wait_until("the route is there without that source", lambda: f"{EDGE[4]} dev podferry0" in lab.routes() and
               f"{EDGE[4]} dev podferry0 scope host src" not in lab.routes(), 10)
    settled()
    lab.ip(f"addr add {NODE_IP[4]}/24 dev eth0\nroute add default via {OUTSIDE_IP[4]}\n", "node")
    wait_until("and with it again", lambda: f"{EDGE[4]} dev podferry0 scope host src {NODE_IP[4]}" in lab.routes(), 10)
    switch_ipv6(lab, False)
    wait_until("IPv6 is given up", lambda: "IPv6 is off on this host" in lab.status(), 10)
    settled()
    switch_ipv6(lab, True)
    wait_until("IPv6 is there", lambda: EDGE[6] in lab.routes(), 10)
    settled()
    expect(drift(lab) == 0, "somebody is accused:\n" + "\n".join(line for line in lab.log().splitlines() if "drift" in line))


def it_finds_ipvs_again(lab):
    """The module is unloaded and loaded anew: said meanwhile, everything else goes on, and all is programmed again."""
    lab.start_pods(1)
    lab.write("web.yaml", service() + pods(1, probe=None))
    lab.start_podferry()
    wait_until("it is served", lambda: lab.is_answered_by("pod1"), 10)
    try:
        with nothing_is_loaded():
            lab.on("node", "ipvsadm", "-C")
            unload("ip_vs")
            wait_until("it is said", lambda: "the kernel has no IPVS any more" in lab.status(), AUDIT + 2)
            wait_until("/livez says so", lambda: lab.page(10256, "/livez")[0] == 503, 5)
            expect(lab.page(10256, "/healthz")[0] == 503 and lab.page(10256, "/readyz")[0] == 503, "healthz or readyz is 200")
            lab.write("late.yaml", service("late", "10.96.0.11") + pods(1, app="late", probe=None))
            wait_until("the rest goes on", lambda: "10.96.0.11 . tcp . 80" in lab.nft(), 5)
    finally:
        run(["modprobe", "-a", "ip_vs", "ip_vs_rr"])
    took = wait_until("it is served again", lambda: lab.is_answered_by("pod1"), 2 * AUDIT)
    print(f"      served again after {took:.2f} s")
    wait_until("all of it", lambda: lab.is_answered_by("pod1", "10.96.0.11"), 5)
    wait_until("/livez says so", lambda: lab.page(10256, "/livez")[0] == 200 and lab.page(10256, "/readyz")[0] == 200, 5)
    wait_until("the problems are gone", lambda: "IPVS any more" not in lab.status() and "refuses" not in lab.status(), AUDIT + 5)


def tracking_drops(lab):
    heading, *rows = lab.on("node", "cat", "/proc/net/stat/nf_conntrack").splitlines()
    return sum(int(row.split()[heading.split().index("drop")], 16) for row in rows)


def it_accuses_no_pod_while_connection_tracking_is_full(lab):
    """The kernel drops what probes send: the pods keep their weight, and the host is named; then a dead pod leaves as ever."""
    most = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_max")  # of all network namespaces
    lab.start_pods(1, 2)
    lab.write("web.yaml", service() + pods(1, 2))
    lab.start_podferry()
    both = {"pod1": 1, "pod2": 1}
    wait_until("both pods are used", lambda: lab.weights("10.96.0.5", 80) == both, 10)
    lab.on("node", "sh", "-c", "for port in $(seq 1001 1060); do conntrack -I -p tcp -s 172.16.0.1 -d 172.16.0.2 --sport $port --dport 80 "
           "--state ESTABLISHED -u SEEN_REPLY,ASSURED -t 600 >/dev/null 2>&1; done", timeout=120)
    before = most.read_text()
    drops = tracking_drops(lab)
    most.write_text("30")
    try:
        wait_until("probes are lost", lambda: tracking_drops(lab) >= drops + 16, 60)
        expect(lab.weights("10.96.0.5", 80) == both, f"a pod is accused: {lab.weights('10.96.0.5', 80)}\n{lab.log()[-1500:]}")
        expect("this host cannot make some probes" in lab.status() and "connection tracking" in lab.status(), lab.status())
    finally:
        most.write_text(before)
    lab.kill_pod(2)
    wait_until("a dead pod leaves", lambda: lab.weights("10.96.0.5", 80).get("pod2") == 0, 15)
    expect(lab.weights("10.96.0.5", 80)["pod1"] == 1, "the other one is accused")
