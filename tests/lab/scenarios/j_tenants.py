"""What a Service may claim of what belongs to others: nothing, and what is refused costs itself only."""
from lab import NODE_IP, POD_PORT, Failure, pod_ip, run, wait_until
from manifests import pods, service

VIP = "203.0.113.7"
BALANCED = "203.0.113.8"


def expect(lab, space, address, port, who):
    answers = {answer for answer, _ in lab.ask(space, "tcp", address, port)}
    if answers != {who}:
        raise Failure(f"{space} is answered by {answers} at {address}:{port}, not by {who}")


def it_lets_no_service_take_the_addresses_of_others(lab):
    """externalIPs that name a pod, and the node with podferry's own ports; a load balancer's address 127.0.0.1."""
    lab.start_pods(1, 2)
    claims = f"  type: LoadBalancer\n  externalIPs: [{pod_ip(2)}, {NODE_IP[4]}, {VIP}]\n"
    ports = [(f"p{port}", "TCP", port, None) for port in (80, POD_PORT, 10249, 10256)]
    text = service("thief", "10.96.0.66", claims, ports).replace(
        "---\n", f"status: {{loadBalancer: {{ingress: [{{ip: 127.0.0.1}}, {{ip: {BALANCED}}}]}}}}\n---\n")
    lab.write("thief.yaml", text + pods(1, app="thief", probe=None))
    lab.start_podferry()
    for space in ("pod4", "node", "outside"):
        expect(lab, space, VIP, 80, "pod1")
        expect(lab, space, BALANCED, 80, "pod1")
    expect(lab, "pod4", "10.96.0.66", 80, "pod1")
    expect(lab, "outside", NODE_IP[4], 80, "pod1")
    for space in ("pod4", "node"):
        expect(lab, space, pod_ip(2), POD_PORT, "pod2")
    if not lab.metric("podferry_virtual_servers"):
        raise Failure("127.0.0.1:10249 is not podferry's any more")
    page = run(["ip", "netns", "exec", "outside", "curl", "-s", "-m", "5", f"http://{NODE_IP[4]}:10256/livez"], check=False)
    if "lastUpdated" not in page:
        raise Failure(f"{NODE_IP[4]}:10256 is not podferry's any more: {page!r}")
    status = lab.status()
    for said in (f"spec.externalIPs: {pod_ip(2)} is in the pod network 10.1.0.0/16",
                 "status.loadBalancer.ingress: 127.0.0.1 is a loopback address",
                 f"spec.externalIPs: the kubelet or podferry answers at port 10256/tcp of {NODE_IP[4]}"):
        if said not in status:
            raise Failure(f"podferry status does not say: {said}\n{status}")


def it_takes_no_cluster_ip_for_an_endpoint(lab):
    """An endpoint that is the Service's own ClusterIP would make the node's own daemons answer."""
    lab.start_pods(1)
    lab.write("web.yaml", service("web", "10.96.0.5") + pods(1, probe=None))
    lab.write("loop.yaml", """
apiVersion: v1
kind: Service
metadata: {name: loop, namespace: shop}
spec: {clusterIP: 10.96.0.77, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: loop-1, namespace: shop, labels: {kubernetes.io/service-name: loop}}
addressType: IPv4
ports: [{port: 10256}]
endpoints: [{addresses: [10.96.0.77]}]
""")
    lab.start_podferry()
    expect(lab, "pod4", "10.96.0.5", 80, "pod1")
    said = "endpoints: 10.96.0.77 is in a range of ClusterIPs"
    wait_until(f"podferry status says: {said}", lambda: said in lab.status(), 10)
    for space in ("pod4", "node", "outside"):
        page = run(["ip", "netns", "exec", space, "curl", "-s", "-m", "3", "http://10.96.0.77/livez"], check=False)
        if page:
            raise Failure(f"{space} reaches the node's own daemon through a ClusterIP: {page!r}")
