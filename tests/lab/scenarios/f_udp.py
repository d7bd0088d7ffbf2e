"""UDP clients that keep their port, as resolvers do, while pods come and go; and what connection tracking has of them."""
import re
import time

from lab import NODE_IP, OUTSIDE_IP, POD_PORT, Failure, pod_ip, run, wait_until
from manifests import pods, service
from resolvers import Resolver, longest_silence

DNS = "10.96.0.53"
PORTS = [("dns", "UDP", 53, None), ("dns-tcp", "TCP", 53, None)]


def dns(**more):
    return service("dns", DNS, ports=PORTS, **more)


def dns_pods(*numbers):
    return pods(*numbers, app="dns", probe=None)


def entries(lab, *options):
    """Entries of connection tracking, with their ids."""
    return [line for line in lab.on("node", "conntrack", "-L", "-o", "id", *options).splitlines() if " id=" in line]


def entry(lab, source_port, protocol="udp", family="ipv4"):
    """(answerer, id) of the entry of a client's port; None: there is none."""
    found = entries(lab, "-f", family, "-p", protocol, "--orig-port-src", str(source_port))
    if not found:
        return None
    return re.findall(r"src=(\S+)", found[0])[1], re.search(r"id=(\d+)", found[0])[1]


def deleted(lab, family="IPv4"):
    return lab.metric("podferry_conntrack_reconciler_deleted_entries_total", ip_family=family)


def fill(lab, address, answerer, count, network="172.16.0.0"):
    """`count` entries of clients that are not there; how long one look through the table takes, in ms."""
    line = lab.on("node", "lab-flows", address, "53", answerer, str(POD_PORT), str(count), network, timeout=120)
    return float(re.search(r"([0-9.]+) ms", line)[1])


def answered_by(lab, pod, family="ipv4"):
    """How many entries lead to the pod."""
    return len(entries(lab, "-f", family, "-p", "udp", "--reply-src", pod))


def it_moves_a_resolver_when_its_pod_goes(lab):
    """Never more than one retry; the flow of a healthy pod is not touched; TCP neither. The kernel itself removes entries of
    its own IPVS connections when a real server goes (since 5.9): those that another proxy has left are only ours to remove."""
    lab.start_pods(1, 2)
    lab.write("dns.yaml", dns() + dns_pods(1, 2))
    lab.start_podferry()
    resolvers = {port: Resolver(lab, "pod4", DNS, 53, port) for port in (5001, 5002, 5003, 5004)}
    for resolver in resolvers.values():
        resolver.wait_for(("pod1", "pod2"))
    before = {port: entry(lab, port) for port in resolvers}
    at_pod1 = [port for port in resolvers if before[port][0] == pod_ip(1)]
    at_pod2 = [port for port in resolvers if before[port][0] == pod_ip(2)]
    if not at_pod1 or not at_pod2:
        raise Failure(f"both pods should have clients: {before}")
    fill(lab, DNS, pod_ip(1), 20)
    fill(lab, DNS, pod_ip(2), 30, "172.17.0.0")
    lab.on("node", "conntrack", "-I", "-p", "tcp", "--state", "ESTABLISHED", "-t", "600", "-s", "172.19.0.1", "-d", DNS,
           "--sport", "4000", "--dport", "53", "--reply-src", pod_ip(1), "--reply-dst", "172.19.0.1",
           "--reply-port-src", str(POD_PORT), "--reply-port-dst", "4000")
    lab.write("dns.yaml", dns() + dns_pods(2))
    took = wait_until("entries that lead to pod1 are removed", lambda: answered_by(lab, pod_ip(1)) == 0, 10)
    for port in at_pod1:
        resolvers[port].wait_for(("pod2",))
    rows = {port: resolver.stop() for port, resolver in resolvers.items()}
    for port in at_pod1:
        if longest_silence(rows[port]) > 1 or rows[port][-1][1] != "pod2":
            raise Failure(f"a client of pod1 waited for more than one retry: {rows[port]}")
    for port in at_pod2:
        if entry(lab, port) != before[port] or {who for _, who, _ in rows[port]} != {"pod2"}:
            raise Failure(f"a client of pod2 was disturbed: {before[port]}, {entry(lab, port)}, {rows[port]}")
    if answered_by(lab, pod_ip(2)) != 30 + len(resolvers):
        raise Failure(f"{answered_by(lab, pod_ip(2))} entries lead to pod2, not {30 + len(resolvers)}")
    wait_until("the removals are counted", lambda: 20 <= deleted(lab) <= 20 + len(at_pod1), 5)
    if entry(lab, 4000, "tcp")[0] != pod_ip(1):
        raise Failure("an entry of TCP was removed")
    print(f"      removed within {took:.2f} s; unanswered at most {max(longest_silence(rows[p]) for p in at_pod1)}")


def it_moves_a_resolver_when_its_pod_fails_its_probe(lab):
    """The pod stays, and answers: but it is not asked any more."""
    lab.start_pods(1, 2)
    lab.write("dns.yaml", dns() + pods(1, 2, app="dns"))
    lab.start_podferry()
    wait_until("both pods pass their probes", lambda: len(lab.weights(DNS, 53, "u")) == 2, 15)
    resolvers = [Resolver(lab, "pod4", DNS, 53, port) for port in (5001, 5002)]
    for resolver in resolvers:
        resolver.wait_for(("pod1", "pod2"))
    lab.sicken_pod(1)
    wait_until("pod1 is taken out", lambda: lab.weights(DNS, 53, "u") == {"pod2": 1}, 10)
    for resolver in resolvers:
        resolver.wait_for(("pod2",))
        rows = resolver.stop()
        if longest_silence(rows) > 1:
            raise Failure(f"more than one retry: {rows}")
    if lab.weights(DNS, 53) != {"pod1": 0, "pod2": 1}:
        raise Failure(f"of TCP it stays with weight 0: {lab.weights(DNS, 53)}")


def it_finds_clients_that_came_before_the_service(lab):
    """Their entries lead to the front end's own address; they are masqueraded only by an entry of their own. What goes to an
    address of the service range that no Service has is dropped, and gets no entry."""
    external, node_port = "203.0.113.53", 30053
    lab.start_pods(1)
    lab.start_podferry()  # which makes the node track connections
    clients = {5001: (external, 53), 5002: (NODE_IP[4], node_port)}
    resolvers = {port: Resolver(lab, "outside", *where, port) for port, where in clients.items()}
    local = Resolver(lab, "pod4", DNS, 53, 5003)
    for port, (address, _) in clients.items():
        wait_until(f"connection tracking knows port {port}", lambda: entry(lab, port), 10)
        if entry(lab, port)[0] != address:
            raise Failure(f"it should lead to {address}: {entry(lab, port)}")
    if entry(lab, 5003):
        raise Failure(f"what goes to an address that no Service has is let through: {entry(lab, 5003)}")
    extra = f"  type: NodePort\n  externalIPs: [{external}]\n"
    front = service("dns", DNS, extra=extra, ports=[("dns", "UDP", 53, node_port)])
    lab.write("dns.yaml", front)
    wait_until("the Service is there", lambda: lab.has_virtual_server(DNS, 53, "u"), 10)
    lab.write("dns.yaml", front + dns_pods(1))
    local.wait_for(("pod1",))
    for port, resolver in resolvers.items():
        resolver.wait_for(("pod1",))
        wait_until(f"port {port} is masqueraded", lambda: resolver.rows()[-1][2] != OUTSIDE_IP[4], 10)
        wait_until(f"the entry of port {port} leads to the pod", lambda: (entry(lab, port) or [None])[0] == pod_ip(1), 10)
    if deleted(lab) < 1:
        raise Failure("podferry has removed nothing")


def it_removes_what_is_stale_when_it_starts(lab):
    """Of both families: such as another proxy has left."""
    six = "fd00:96::53"
    lab.start_pods(1)
    lab.write("dns.yaml", service("dns", DNS, extra=f'  clusterIPs: [{DNS}, "{six}"]\n  ipFamilyPolicy: RequireDualStack\n',
                                  ports=PORTS) + dns_pods(1))
    for address, family, network in ((DNS, 4, "172.1{}.0.0"), (six, 6, "fd00:17{}::")):
        fill(lab, address, pod_ip(1, family), 5, network.format(1))
        fill(lab, address, pod_ip(2, family), 7, network.format(2))
    lab.start_podferry()
    for name in ("IPv4", "IPv6"):
        wait_until(f"those of {name} are removed", lambda: deleted(lab, name) == 7, 10)
    left = [(answered_by(lab, pod_ip(n)), answered_by(lab, pod_ip(n, 6), "ipv6")) for n in (1, 2)]
    if left != [(5, 5), (0, 0)]:
        raise Failure(f"entries left for pod1 and pod2: {left}")


MAX = "net.netfilter.nf_conntrack_max"  # of the host, for all network namespaces


def it_is_not_held_up_by_a_large_table(lab):
    """100,000 other entries: reading them takes its time, the kernel gets its changes meanwhile, and it is not read all the
    time. Then as many that are stale."""
    most = run(["sysctl", "-n", MAX]).strip()
    run(["sysctl", "-q", "-w", f"{MAX}={max(int(most), 400_000)}"])  # above it the kernel drops entries early
    try:
        look_through_a_large_table(lab)
    finally:
        run(["sysctl", "-q", "-w", f"{MAX}={most}"])


def used(lab):
    return {name for name, weight in lab.weights("10.96.0.5", 80).items() if weight}


def look_through_a_large_table(lab):
    count = 100_000
    lab.start_pods(1, 2)
    lab.write("dns.yaml", dns() + dns_pods(1, 2))
    lab.write("web.yaml", service() + pods(1, 2, probe=None))
    lab.start_podferry()
    look = fill(lab, "10.96.200.1", "10.1.200.1", count)
    name, family = "podferry_conntrack_reconciler_sync_duration_seconds", {"ip_family": "IPv4"}
    seconds, looks = lab.metric(name + "_sum", **family), lab.metric(name + "_count", **family)
    slowest, changes, began = 0.0, 0, time.monotonic()
    while time.monotonic() - began < 6:  # pods of both Services come and go
        for numbers in ((2,), (1, 2)):
            lab.write("dns.yaml", dns() + dns_pods(*numbers))
            lab.write("web.yaml", service() + pods(*numbers, probe=None))
            expected = {f"pod{n}" for n in numbers}
            slowest = max(slowest, wait_until("the change is in the kernel", lambda: used(lab) == expected, 10))
            changes += 1
    seconds, looks = lab.metric(name + "_sum", **family) - seconds, lab.metric(name + "_count", **family) - looks
    elapsed = time.monotonic() - began
    if not 1 <= looks <= 2 + elapsed / min(10.0, max(0.2, 9 * seconds / looks)):
        raise Failure(f"{looks} looks of {seconds:.2f} s in all, in {elapsed:.1f} s")
    if slowest > 2:
        raise Failure(f"a change took {slowest:.2f} s")
    fill(lab, DNS, pod_ip(1), count, "172.18.0.0")
    before = deleted(lab)
    lab.write("dns.yaml", dns() + dns_pods(2))
    gone = wait_until("all stale entries are removed", lambda: deleted(lab) - before >= count, 60)
    memory = re.search(r"VmHWM:\s+(\d+) kB", open(f"/proc/{lab.processes['podferry'].pid}/status").read())[1]
    print(f"      {count} entries: a look takes {look:.0f} ms, {seconds / looks * 1000:.0f} ms in podferry; {looks:.0f} looks "
          f"for {changes} changes, the slowest of which took {slowest:.2f} s; {count} stale ones removed within {gone:.1f} s; "
          f"at most {int(memory) // 1024} MiB")
