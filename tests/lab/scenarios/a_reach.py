"""Connections reach the pods that they should, from everywhere, and nobody else."""
from lab import GATEWAY_IP, NODE_IP, Failure, pod_ip, wait_until
from manifests import pod, pods, service

CLUSTER_IP = {4: "10.96.0.5", 6: "fd00:96::5"}
EXTERNAL_IP = {4: "203.0.113.7", 6: "fd00:203::7"}
PORTS = [("http", "TCP", 80, 30080), ("echo", "UDP", 80, 30080)]
DUAL = f"""  type: NodePort
  ipFamilyPolicy: RequireDualStack
  clusterIPs: ["{CLUSTER_IP[4]}", "{CLUSTER_IP[6]}"]
  externalIPs: ["{EXTERNAL_IP[4]}", "{EXTERNAL_IP[6]}"]
"""


def it_reaches_all_ready_pods_from_everywhere(lab):
    """Client in a pod, on the host, outside; ClusterIP, NodePort, external IP; TCP, UDP; IPv4, IPv6."""
    lab.start_pods(1, 2, 3)
    lab.sicken_pod(3)
    lab.write("web.yaml", service(cluster_ip=CLUSTER_IP[4], extra=DUAL, ports=PORTS) + pods(1, 2, 3))
    lab.start_podferry()
    wait_until("pods 1 and 2 pass their probes", lambda: lab.weights("10.96.0.5", 80).get("pod1") == 1
               and lab.weights("10.96.0.5", 80).get("pod2") == 1, 10)
    wrong = []
    for family in (4, 6):
        fronts = {"ClusterIP": (CLUSTER_IP[family], 80), "NodePort": (NODE_IP[family], 30080),
                  "external IP": (EXTERNAL_IP[family], 80)}
        clients = {"pod": ("pod4", pod_ip(4, family)), "host": ("node", None), "outside": ("outside", None)}
        for front, (address, port) in fronts.items():
            for client, (space, own) in clients.items():
                for protocol in ("tcp", "udp"):
                    answers = lab.ask(space, protocol, address, port)
                    what = f"{client} to {front} {address} over {protocol}"
                    if {who for who, _ in answers} != {"pod1", "pod2"}:
                        wrong.append(f"{what}: {answers}")
                    # Kubernetes promises the client's own address for pods that use a ClusterIP.
                    elif front == "ClusterIP" and own and {source for _, source in answers} != {own}:
                        wrong.append(f"{what}: seen as {answers[0][1]}, not {own}")
                    elif client == "outside" and {source for _, source in answers} != {GATEWAY_IP[family]}:
                        wrong.append(f"{what}: seen as {answers[0][1]}, not masqueraded as the node")
    if wrong:
        raise Failure("\n".join(wrong))


def it_lets_a_pod_reach_itself(lab):
    """Hairpin: the only pod of a Service asks its own Service."""
    lab.start_pods(1)
    lab.write("web.yaml", service(extra='  ipFamilyPolicy: RequireDualStack\n  clusterIPs: ["10.96.0.5", "fd00:96::5"]\n')
              + pod(1, probe=None))
    lab.start_podferry()
    for address in ("10.96.0.5", "fd00:96::5"):
        answers = lab.ask("pod1", "tcp", address, 80, 2)
        if [who for who, _ in answers] != ["pod1", "pod1"]:
            raise Failure(f"pod1 through {address}: {answers}")


def is_refused(space, protocol, answers):
    """The kernel reports a datagram that is refused on its way out of its own host as EPERM, before any ICMP."""
    words = {"Connection refused"} | ({"Operation not permitted"} if (space, protocol) == ("node", "udp") else set())
    return [who for who, _ in answers] == ["error:"] and answers[0][1] in words


def it_refuses_at_once_without_endpoints(lab):
    """A Service without pods, and a port that no Service has, are refused, from everywhere, for TCP and UDP."""
    lab.write("web.yaml", service(extra=DUAL, ports=PORTS))
    lab.start_podferry()
    for space in ("pod4", "node", "outside"):
        for address in ("10.96.0.5", "fd00:96::5"):
            for protocol, port in (("tcp", 80), ("tcp", 22), ("udp", 80), ("udp", 53)):
                answers = lab.ask(space, protocol, address, port, 1)
                if not is_refused(space, protocol, answers):
                    raise Failure(f"{space} to {address}:{port}/{protocol}: {answers}")
    for space in ("pod4", "outside"):
        answers = lab.ask(space, "tcp", NODE_IP[4], 30080, 1)
        if answers != [("error:", "Connection refused")]:
            raise Failure(f"{space} to the node port: {answers}")


def it_never_shows_the_hosts_own_ports(lab):
    """A daemon of the host that listens on all addresses is not reached through a ClusterIP."""
    lab.start_pods(1)
    lab.write("web.yaml", service() + pod(1, probe=None))
    lab.start_podferry()
    lab.spawn("daemon", "node", ["/usr/bin/python3", "-m", "http.server", "22", "--bind", "0.0.0.0"],
              stdout=-3, stderr=-3)
    wait_until("the host's daemon listens", lambda: ":22 " in lab.on("node", "ss", "-Hltn"), 20)
    for space in ("pod4", "node", "outside"):
        if not lab.on(space, "curl", "-s", "-m", "3", f"http://{NODE_IP[4]}:22/", check=False):
            raise Failure(f"{space} cannot reach the host's daemon on its own address: the test proves nothing")
        answers = lab.ask(space, "tcp", "10.96.0.5", 22, 1)
        if answers != [("error:", "Connection refused")]:
            raise Failure(f"{space} reaches the host's port 22 through the ClusterIP: {answers}")


def it_keeps_clients_with_their_pod(lab):
    """sessionAffinity: ClientIP."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", service(extra="  sessionAffinity: ClientIP\n") + pods(1, 2, probe=None))
    lab.start_podferry()
    answers = {who for who, _ in lab.ask("pod4", "tcp", "10.96.0.5", 80, 10)}
    if len(answers) != 1:
        raise Failure(f"one client was answered by {answers}")


def it_uses_given_slices_for_services_without_selector(lab):
    """An EndpointSlice given for a Service without a selector, and an Endpoints object for another."""
    lab.start_pods(1, 2)
    lab.write("given.yaml", """
apiVersion: v1
kind: Service
metadata: {name: sliced, namespace: shop}
spec: {clusterIP: 10.96.0.7, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: sliced-1, namespace: shop, labels: {kubernetes.io/service-name: sliced}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.1.0.11]}]
---
apiVersion: v1
kind: Service
metadata: {name: old, namespace: shop}
spec: {clusterIP: 10.96.0.8, ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: old, namespace: shop}
subsets: [{addresses: [{ip: 10.1.0.12}], ports: [{port: 8080}]}]
""")
    lab.start_podferry()
    for address, who in (("10.96.0.7", "pod1"), ("10.96.0.8", "pod2")):
        answers = lab.ask("pod4", "tcp", address, 80, 2)
        if [name for name, _ in answers] != [who, who]:
            raise Failure(f"{address}: {answers}")
