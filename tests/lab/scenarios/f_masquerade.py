"""Whose address pods see of a ClusterIP's clients, and whom a Local policy takes for a pod: with and without a pod network, with
and without masquerade_all (kube-proxy's TestInternalExternalMasquerade, in all four combinations); and where pods are known by the
Node's podCIDRs or by the interface that they come by (its Test_getLocalDetector)."""
import re

from lab import NODE_IP, OUTSIDE_IP, POD_PORT, Failure, pod_ip, wait_until

VIP = "10.96.0.5"
SERVICE = f"""apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec:
  type: NodePort
  clusterIP: {VIP}
  externalTrafficPolicy: Local
  ports: [{{name: http, port: 80, targetPort: {POD_PORT}, nodePort: 30080}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {{name: web-1, namespace: shop, labels: {{kubernetes.io/service-name: web}}}}
ports: [{{name: http, port: {POD_PORT}}}]
endpoints:
- {{addresses: [{pod_ip(1)}], nodeName: node}}
- {{addresses: [{pod_ip(2)}], nodeName: elsewhere}}
"""

def start(lab, pod_network, masquerade_all=False, more=""):
    path = lab.folder / "config.yaml"
    text = path.read_text() + f"masquerade_all: {str(masquerade_all).lower()}\n" + more
    path.write_text(text if pod_network else re.sub(r"network_cidr: .*\n", "", text))
    lab.start_pods(1, 2)
    lab.write("web.yaml", SERVICE)
    lab.start_podferry()

V6 = """---
apiVersion: v1
kind: Service
metadata: {name: six, namespace: shop}
spec:
  clusterIP: "fd00:96::5"
  ports: [{name: http, port: 80, targetPort: 8080}, {name: dns, protocol: UDP, port: 53, targetPort: 8080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv6
metadata: {name: six-1, namespace: shop, labels: {kubernetes.io/service-name: six}}
ports: [{name: http, port: 8080}, {name: dns, protocol: UDP, port: 8080}]
endpoints:
- {addresses: ["fd00:1::11"]}
"""

def node(pod_cidrs):
    spec = f"spec: {{podCIDR: {pod_cidrs.split(',')[0]}, podCIDRs: [{pod_cidrs}]}}\n" if pod_cidrs else ""
    return "apiVersion: v1\nkind: Node\nmetadata: {name: node}\n" + spec

def seen_of(lab, space, protocol="tcp", address=VIP, port=80):
    """The addresses that pods see of that client."""
    return {source for _, source in lab.ask(space, protocol, address, port, 6)}

def expect_seen(lab, inside, outside=()):
    """Clients whose own address pods see, of both families and over UDP too; and those whom they see as the node."""
    own = {"outside": OUTSIDE_IP, **{f"pod{n}": {4: pod_ip(n), 6: pod_ip(n, 6)} for n in range(1, 5)}}
    for space in (*inside, *outside):
        for family, protocol, address, port in ((4, "tcp", VIP, 80), (6, "tcp", "fd00:96::5", 80), (6, "udp", "fd00:96::5", 53)):
            seen = seen_of(lab, space, protocol, address, port)
            wanted = "its own" if space in inside else "the node's"
            if "error" in str(seen) or (seen == {own[space][family]}) != (space in inside):
                raise Failure(f"{space} over {protocol} to {address}: {seen} is seen, not {wanted}")

def judge(lab, pod_sees_itself, outside_sees_itself, pods_are_inside):
    def sources(space):
        return {source for _, source in lab.ask(space, "tcp", VIP, 80, 8)}

    wait_until("both pods answer", lambda: {who for who, _ in lab.ask("pod4", "tcp", VIP, 80, 8)} == {"pod1", "pod2"}, 20)
    found = {"pod": sources("pod4") == {pod_ip(4)}, "outside": sources("outside") == {OUTSIDE_IP[4]},
             "inside": {who for who, _ in lab.ask("pod4", "tcp", NODE_IP[4], 30080, 12)} == {"pod1", "pod2"}}
    wanted = {"pod": pod_sees_itself, "outside": outside_sees_itself, "inside": pods_are_inside}
    if found != wanted:
        raise Failure(f"whose own address is seen, and whether a pod gets all endpoints of a Local policy: {found}, wanted {wanted}; "
                      f"sources {sources('pod4')} {sources('outside')}")

def it_masquerades_outsiders_where_pods_are_known(lab):
    """A pod network, masquerade_all off: as most clusters are."""
    start(lab, True, False)
    judge(lab, True, False, True)

def it_masquerades_nobody_without_a_pod_network(lab):
    """Everybody might be a pod; and nobody surely is, for a Local policy."""
    start(lab, False, False)
    judge(lab, True, True, False)

def it_masquerades_everybody_when_asked_to(lab):
    """masquerade_all with a pod network."""
    start(lab, True, True)
    judge(lab, False, False, True)

def it_masquerades_everybody_without_a_pod_network(lab):
    """masquerade_all without one."""
    start(lab, False, True)
    judge(lab, False, False, False)

def it_tells_pods_by_their_interface_s_name(lab):
    """detect_local_mode InterfaceNamePrefix: what IPVS sends on is known by where it came in, of both families."""
    start(lab, False, more="detect_local_mode: InterfaceNamePrefix\npod_interface_name_prefix: pod\n")
    lab.write("six.yaml", V6)
    judge(lab, True, False, True)
    expect_seen(lab, ["pod3", "pod4"], ["outside"])

def it_tells_pods_by_their_bridge(lab):
    """detect_local_mode BridgeInterface: who comes by another interface is none, whatever its address."""
    lab.ip("link add cni0 type bridge\nlink set cni0 up\nlink set pod4 master cni0\n"
           f"route replace {pod_ip(4)} dev cni0\nroute replace {pod_ip(4, 6)} dev cni0\n"
           "addr flush dev pod4\naddr add 10.1.0.1/32 dev cni0\naddr add fd00:1::1/128 dev cni0 nodad\n", "node")
    start(lab, True, more="detect_local_mode: BridgeInterface\npod_bridge_interface: cni0\n")
    lab.write("six.yaml", V6)
    judge(lab, True, False, True)
    expect_seen(lab, ["pod4"], ["pod3", "outside"])

def it_tells_pods_by_the_node_s_pod_cidrs(lab):
    """detect_local_mode NodeCIDR: they come late, change, and hold over a restart; while there are none, that is a problem."""
    none = "has no spec.podCIDRs"
    lab.write("node.yaml", node(""))
    lab.write("six.yaml", V6)
    start(lab, False, more="detect_local_mode: NodeCIDR\n")
    judge(lab, True, True, False)
    if none not in lab.status():
        raise Failure(f"no problem is said: {lab.status()}")
    lab.write("node.yaml", node('10.1.0.14/31, "fd00:1::14/126"'))  # pod4's
    wait_until("the node's pods are known", lambda: seen_of(lab, "outside") != {OUTSIDE_IP[4]}, 10)
    judge(lab, True, False, True)
    expect_seen(lab, ["pod4"], ["pod3", "outside"])
    if none in lab.status():
        raise Failure(f"the problem is still said: {lab.status()}")
    lab.write("node.yaml", node('10.1.0.13/32, "fd00:1::13/128"'))
    wait_until("the node has other pods", lambda: seen_of(lab, "pod3") == {pod_ip(3)}, 10)
    wait_until("the former ones are none", lambda: seen_of(lab, "pod4") != {pod_ip(4)}, 10)
    lab.stop_podferry()
    lab.start_podferry()
    if lab.metric("podferry_drift_repairs_total", object="nftables") or seen_of(lab, "pod3") != {pod_ip(3)}:
        raise Failure("its own rules are taken for drift, or lost, after a restart")
