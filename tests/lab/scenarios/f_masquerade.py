"""Whose address pods see of a ClusterIP's clients, and whom a Local policy takes for a pod: with and without a pod network, with
and without masquerade_all (kube-proxy's TestInternalExternalMasquerade, in all four combinations)."""
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

def start(lab, pod_network, masquerade_all):
    path = lab.folder / "config.yaml"
    text = path.read_text() + f"masquerade_all: {str(masquerade_all).lower()}\n"
    path.write_text(text if pod_network else re.sub(r"network_cidr: .*\n", "", text))
    lab.start_pods(1, 2)
    lab.write("web.yaml", SERVICE)
    lab.start_podferry()

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
