"""Traffic policies, source ranges and affinity, for each kind of client. Pod 1 is on this node; pod 2 counts as another
node's."""
import signal
import time

from lab import GATEWAY_IP, NODE_IP, OUTSIDE_IP, Failure, pod_ip, wait_until
from manifests import pods, service

VIP = {4: "203.0.113.8", 6: "fd00:203::8"}
CLUSTER_IP = {4: "10.96.0.5", 6: "fd00:96::5"}
LOCAL = "externalTrafficPolicy: Local, "


def balanced(extra="", port=80):
    """A Service of type LoadBalancer with node port 30080 and two addresses."""
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec: {{type: LoadBalancer, {extra}clusterIPs: ["{CLUSTER_IP[4]}", "{CLUSTER_IP[6]}"], ipFamilyPolicy: RequireDualStack,
       ports: [{{port: {port}, nodePort: 30080}}]}}
status: {{loadBalancer: {{ingress: [{{ip: {VIP[4]}}}, {{ip: "{VIP[6]}"}}]}}}}
---
"""


def slices(*endpoints):
    """(pod, node name, conditions), as slices of both families."""
    text = ""
    for family in (4, 6):
        listed = ", ".join(f'{{addresses: ["{pod_ip(pod, family)}"], nodeName: {node}, conditions: {conditions}}}'
                           for pod, node, conditions in endpoints)
        text += f"""
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web-{family}, namespace: shop, labels: {{kubernetes.io/service-name: web}}}}
addressType: IPv{family}
ports: [{{port: 8080}}]
endpoints: [{listed}]
---
"""
    return text


READY = "{ready: true}"
BOTH = slices((1, "node", READY), (2, "elsewhere", READY))
ELSEWHERE = slices((2, "elsewhere", READY))
DROPPED = {("error:", "timed out")}
REFUSED = {("error:", "Connection refused")}


def expect(lab, space, address, port, wanted, protocol="tcp"):
    """`wanted`: the set of (pod, source that it sees), or of errors."""
    seen = set(lab.ask(space, protocol, address, port, 1 if wanted in (DROPPED, REFUSED) else 6))
    if seen != wanted:
        raise Failure(f"{space} to {address}:{port}/{protocol}: {seen}, not {wanted}")


def fronts(family):
    return ((VIP[family], 80), (NODE_IP[family], 30080))


def it_serves_outside_clients_from_here_and_all_others_from_everywhere(lab):
    """externalTrafficPolicy: Local. Pods see an outside client's own address; a restart writes nothing."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", balanced(LOCAL) + BOTH)
    lab.start_podferry()
    for family in (4, 6):
        own, outside, node = pod_ip(4, family), OUTSIDE_IP[family], GATEWAY_IP[family]
        for address, port in fronts(family):
            expect(lab, "outside", address, port, {("pod1", outside)})
            expect(lab, "pod4", address, port, {("pod1", own), ("pod2", own)})
            expect(lab, "node", address, port, {("pod1", node), ("pod2", node)})
    before = lab.ipvs()
    lab.stop_podferry(signal.SIGKILL)
    lab.start_podferry()
    if lab.metric("podferry_netlink_operations_total", op="add-service", result="ok") or lab.ipvs() != before:
        raise Failure(f"a restart has changed marks:\n{before}\n{lab.ipvs()}")


def without_local_endpoint(lab):
    """As the metric counts Services: by policy and family."""
    return [lab.metric("podferry_sync_proxy_rules_no_local_endpoints_total", traffic_policy=policy, ip_family=family)
            for policy in ("internal", "external") for family in ("IPv4", "IPv6")]


def it_drops_outside_clients_without_a_pod_here(lab):
    """externalTrafficPolicy: Local and internalTrafficPolicy: Local without a pod on this node."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", balanced(LOCAL + "internalTrafficPolicy: Local, ") + ELSEWHERE)
    lab.start_podferry()
    for family in (4, 6):
        own = pod_ip(4, family)
        for address, port in fronts(family):
            expect(lab, "outside", address, port, DROPPED)
            expect(lab, "pod4", address, port, {("pod2", own)})
        expect(lab, "pod4", CLUSTER_IP[family], 80, DROPPED)
    if without_local_endpoint(lab) != [1, 1, 1, 1]:
        raise Failure(f"counted: {without_local_endpoint(lab)}")
    lab.write("web.yaml", balanced(LOCAL + "internalTrafficPolicy: Local, ") + slices())
    wait_until("pod 2 is gone", lambda: not any(lab.weights(VIP[4], 80).values()), 10)
    if without_local_endpoint(lab) != [0, 0, 0, 0]:
        raise Failure(f"counted, although there is no endpoint anywhere: {without_local_endpoint(lab)}")
    for address, port in (*fronts(4), (CLUSTER_IP[4], 80)):
        expect(lab, "outside", address, port, REFUSED)
        expect(lab, "pod4", address, port, REFUSED)


def ranges(*networks):
    return "loadBalancerSourceRanges: [" + ", ".join(f'"{network}"' for network in networks) + "], "


def it_lets_only_listed_sources_in(lab):
    """loadBalancerSourceRanges of any length, for pods, the host and outside; a list is exchanged for one that overlaps it."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", balanced(ranges(f"{pod_ip(4)}/31", "fd00:1::/62")) + BOTH)
    lab.start_podferry()
    both = {("pod1", GATEWAY_IP[4]), ("pod2", GATEWAY_IP[4])}
    expect(lab, "pod4", VIP[4], 80, both)
    for space in ("pod3", "outside", "node"):
        expect(lab, space, VIP[4], 80, DROPPED)
    expect(lab, "pod3", VIP[6], 80, {("pod1", GATEWAY_IP[6]), ("pod2", GATEWAY_IP[6])})
    expect(lab, "outside", VIP[6], 80, DROPPED)
    expect(lab, "outside", NODE_IP[4], 30080, both)  # not a load balancer's address
    lab.write("web.yaml", balanced(ranges("10.0.0.0/13", f"{OUTSIDE_IP[4]}/32")) + BOTH)
    wait_until("the new list is in force", lambda: lab.ask("outside", "tcp", VIP[4], 80, 1)[0][0] != "error:", 20)
    expect(lab, "pod3", VIP[4], 80, both)
    expect(lab, "node", VIP[4], 80, DROPPED)
    if "spec.loadBalancerSourceRanges: has no IPv6 range" not in lab.status():
        raise Failure(f"nobody says that IPv6 is open:\n{lab.status()}")
    expect(lab, "outside", VIP[6], 80, {("pod1", GATEWAY_IP[6]), ("pod2", GATEWAY_IP[6])})
    lab.write("web.yaml", balanced(ranges("0.0.0.0/0")) + BOTH)
    wait_until("everybody is let in", lambda: lab.ask("node", "tcp", VIP[4], 80, 1)[0][0] != "error:", 20)


def it_keeps_a_client_with_its_pod_over_all_front_ends(lab):
    """sessionAffinity: ClientIP, ClusterIP and load balancer's address, with the pods' own port."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", balanced("sessionAffinity: ClientIP, ", 8080) + BOTH)
    lab.start_podferry()
    for space in ("pod3", "pod4", "outside"):
        answers = {who for address in (CLUSTER_IP[4], VIP[4]) for who, _ in lab.ask(space, "tcp", address, 8080, 5)}
        if len(answers) != 1 or "error:" in answers:
            raise Failure(f"{space} was answered by {answers}")


def it_shows_pods_the_source_that_the_policy_says(lab):
    """externalTrafficPolicy is changed there and back: pods see an outside client as the node, as itself, as the node."""
    lab.start_pods(1)
    local = slices((1, "node", READY))
    lab.write("web.yaml", balanced() + local)
    lab.start_podferry()
    for policy, sources in (("", GATEWAY_IP), (LOCAL, OUTSIDE_IP), ("", GATEWAY_IP)):
        lab.write("web.yaml", balanced(policy) + local)
        for family in (4, 6):
            for address, port in fronts(family):
                wait_until(f"pods see {sources[family]} through {address}", lambda: lab.ask(
                    "outside", "tcp", address, port, 1) == [("pod1", sources[family])], 10)
                expect(lab, "outside", address, port, {("pod1", sources[family])})


def templates(lab):
    """What IPVS remembers of clients with affinity."""
    return [line for line in lab.on("node", "ipvsadm", "-L", "-n", "-c").splitlines() if f"{pod_ip(4)}:0 " in line]


def it_lets_a_client_go_when_its_affinity_has_timed_out(lab):
    """The kernel counts from when it has forgotten the client's last connection: of UDP here, within a second."""
    lab.start_pods(1, 2)
    affinity = "  sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 3}}\n"
    lab.write("web.yaml", service(extra=affinity, ports=[("dns", "UDP", 53, None)]) + pods(1, 2, probe=None))
    lab.start_podferry(config="ipvs_udp_timeout: 1s\n")
    wait_until("both pods are used", lambda: len(lab.weights(CLUSTER_IP[4], 53, "u")) == 2, 10)
    followed = []
    for _ in range(3):
        before = time.monotonic()
        pods_of_client = {who for who, _ in lab.ask("pod4", "udp", CLUSTER_IP[4], 53, 4)}
        if len(pods_of_client) != 1 or not templates(lab):
            raise Failure(f"a client with affinity is answered by {pods_of_client}: {templates(lab)}")
        followed += pods_of_client
        wait_until("the client is forgotten", lambda: not templates(lab), 20)
        if time.monotonic() - before < 3:
            raise Failure(f"it was forgotten after {time.monotonic() - before:.1f} s already")
    if set(followed) != {"pod1", "pod2"}:
        raise Failure(f"it is not free after its timeout: {followed}")


def it_takes_only_the_service_port_of_an_address(lab):
    """An external IP that is another machine's: its other ports and its ARP stay with it."""
    lab.start_pods(1)
    lab.spawn("daemon", "outside", ["/usr/bin/python3", "-m", "http.server", "22", "--bind", "0.0.0.0"],
              stdout=-3, stderr=-3)
    wait_until("the other machine's daemon listens", lambda: ":22 " in lab.on("outside", "ss", "-Hltn"), 20)
    lab.write("web.yaml", f"""
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec: {{clusterIP: {CLUSTER_IP[4]}, externalIPs: ["{OUTSIDE_IP[4]}", 192.168.50.77], ports: [{{port: 80}}]}}
---
""" + slices((1, "node", READY)).split("---")[0])
    lab.start_podferry()
    for space in ("pod4", "node"):
        expect(lab, space, OUTSIDE_IP[4], 80, {("pod1", GATEWAY_IP[4])})
        if not lab.on(space, "curl", "-s", "-m", "3", f"http://{OUTSIDE_IP[4]}:22/", check=False):
            raise Failure(f"{space} does not reach another machine's port 22")
        if "1 received" not in lab.on(space, "ping", "-c", "1", "-W", "2", OUTSIDE_IP[4], check=False):
            raise Failure(f"{space} cannot ping another machine")
    # A neighbour who asks for an external address is not told that it is here: that is the load balancer's to say.
    answers = lab.ask("outside", "tcp", "192.168.50.77", 80, 1)
    if answers != [("error:", "No route to host")] and answers != [("error:", "timed out")]:
        raise Failure(f"a neighbour reaches an external IP of its own network: {answers}")
    if "lladdr" in lab.on("outside", "ip", "neigh", "show", "192.168.50.77"):
        raise Failure("the node answers ARP for an external IP")


def marked(lab):
    """The virtual servers with a mark, as the kernel has them."""
    return [line for line in lab.ipvs().splitlines() if line.startswith("-A -f ")]


def it_keeps_connections_when_the_policy_changes(lab):
    """externalTrafficPolicy Local to Cluster and back: whoever is connected stays so, new connections get the new policy."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", balanced(LOCAL) + BOTH)
    lab.start_podferry()
    lab.hold("pod4", VIP[4], 80, "pod2", "inside")
    lab.hold("node", NODE_IP[4], 30080, "pod2", "host")
    lab.hold("outside", VIP[4], 80, "pod1", "outside")
    lab.write("web.yaml", balanced() + BOTH)
    wait_until("outside gets both pods", lambda: {who for who, _ in lab.ask("outside", "tcp", VIP[4], 80)} == {"pod1", "pod2"}, 10)
    for name in ("inside", "host", "outside"):
        lab.still_holds(name)
    if not marked(lab) or "203.0.113.8 . tcp . 80 : 0x" in lab.nft():
        raise Failure(f"new connections are still given a mark, or what carries the old ones is gone:\n{lab.ipvs()}")
    lab.hold("outside", VIP[4], 80, "pod2", "outside2")
    lab.write("web.yaml", balanced(LOCAL) + BOTH)
    wait_until("outside gets this node's pod", lambda: {who for who, _ in lab.ask("outside", "tcp", VIP[4], 80)} == {"pod1"}, 10)
    for name in ("inside", "host", "outside", "outside2"):
        lab.still_holds(name)
    lab.write("web.yaml", balanced() + BOTH)
    for name in ("inside", "host"):
        lab.still_holds(name)
        lab.processes[name].terminate()
    wait_until("the virtual servers with marks are gone with their connections", lambda: not marked(lab), 30)
    lab.still_holds("outside")
    if lab.metric("podferry_draining_real_servers") != 0:
        raise Failure("something still drains")
