"""Types of Services change; the API server's own Service; pods that are wanted although they are not ready."""
from agent import condition
from api import SHOP
from cluster import HOST
from lab import NODE_IP, Failure, wait_until
from objects import endpoint_slice, pod, port, service
from resolvers import Resolver

WEB = {"web-1", "web-2"}
DNS = "10.96.0.53"
NODE_PORT, OTHER_NODE_PORT = 30053, 30054
NAME = {"type": "ExternalName", "externalName": "db.example.com", "clusterIP": None, "clusterIPs": None, "ports": None}
API = "10.96.0.1"
# As a network plugin does for pods that leave the node: the host behind api0 knows that interface's address only.
LEAVING = """\
add table ip leaving
add chain ip leaving postrouting { type nat hook postrouting priority 110; }
add rule ip leaving postrouting oifname "api0" ip saddr != 10.0.2.0/24 masquerade
"""


def change(cluster, name="web", **spec):
    cluster.api.patch("Service", name, {"spec": spec})


def dns(number=53, node_port=None):
    return [port(number, "dns", "UDP", node_port=node_port)]


def must_answer(cluster, wanted, *asked, **how):
    seen = cluster.answers(*asked, **how)
    if seen != wanted:
        raise Failure(f"{asked} {how} is answered by {seen}, not {wanted}")


def it_follows_a_udp_services_type_and_ports(cluster):
    """ClusterIP, NodePort, other ports, and back: a client that keeps its port hears nobody when its node port has gone."""
    cluster.api.create(service("dns", DNS, dns(), "web"), pod(1), pod(2))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB, DNS, 53, "u")
    change(cluster, "dns", type="NodePort", ports=dns(node_port=NODE_PORT))
    cluster.wait_for_pods_behind(WEB, NODE_IP[4], NODE_PORT, "u")
    must_answer(cluster, WEB, NODE_IP[4], NODE_PORT, "outside", protocol="udp")
    clients = [Resolver(cluster, "outside", NODE_IP[4], NODE_PORT, own) for own in (5001, 5002)]
    for client in clients:
        client.wait_for(WEB)
    change(cluster, "dns", ports=dns(5353, OTHER_NODE_PORT))
    cluster.wait_for_pods_behind(None, NODE_IP[4], NODE_PORT, "u")
    cluster.wait_for_pods_behind(WEB, NODE_IP[4], OTHER_NODE_PORT, "u")
    for client in clients:
        client.wait_for("-")
    must_answer(cluster, WEB, NODE_IP[4], OTHER_NODE_PORT, "outside", protocol="udp")
    must_answer(cluster, WEB, DNS, 5353, protocol="udp")
    must_answer(cluster, {"error:"}, DNS, 53, protocol="udp", count=1)
    change(cluster, "dns", type="ClusterIP", ports=dns())
    cluster.wait_for_pods_behind(None, NODE_IP[4], OTHER_NODE_PORT, "u")
    cluster.wait_for_pods_behind(WEB, DNS, 53, "u")
    must_answer(cluster, WEB, DNS, 53, protocol="udp")
    must_answer(cluster, {"error:"}, NODE_IP[4], OTHER_NODE_PORT, "outside", protocol="udp", count=1)
    if any(client.stop()[-1][1] != "-" for client in clients):
        raise Failure("a node port that has gone is still answered")


def it_follows_a_service_that_is_only_a_name_for_a_while(cluster):
    """NodePort, ExternalName, ClusterIP, ExternalName, NodePort."""
    cluster.api.create(service(type="NodePort", ports=[port(node_port=30080)]), pod(1), pod(2))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB, NODE_IP[4], 30080)
    must_answer(cluster, WEB, NODE_IP[4], 30080, "outside")
    for type_name, address, node_port in (("ClusterIP", "10.96.0.6", None), ("NodePort", "10.96.0.7", 30081)):
        change(cluster, **NAME)
        wait_until("an ExternalName is not served", lambda: not any(
            word in cluster.ipvs() + cluster.nft() for word in ("10.96.0.5", "10.96.0.6", "3008")), 20)
        must_answer(cluster, {"error:"}, NODE_IP[4], 30080, "outside", count=1)
        change(cluster, type=type_name, externalName=None, clusterIP=address, ports=[port(node_port=node_port)])
        cluster.wait_for_pods_behind(WEB, address)
        must_answer(cluster, WEB, address)
    cluster.wait_for_pods_behind(WEB, NODE_IP[4], 30081)
    must_answer(cluster, WEB, NODE_IP[4], 30081, "outside")


def it_leads_pods_to_the_api_server(cluster):
    """Through the Service `kubernetes`, which the API server makes; its slice is written as the API server would."""
    its = endpoint_slice("kubernetes", "kubernetes", [{"addresses": [HOST], "conditions": {"ready": True}}],
                         ports=[{"name": "https", "protocol": "TCP", "port": cluster.host["api_port"]}])
    its["metadata"]["namespace"] = "default"
    cluster.on("node", "nft", LEAVING)
    cluster.start_podferry()
    cluster.api.delete("EndpointSlice", "kubernetes", "default")
    cluster.api.create(its)
    try:
        for space in ("pod4", "node"):
            ask = ["curl", "-s", "-m", "5", "--cacert", cluster.host["ca"], "--connect-to", f"kubernetes.default:443:{API}:443",
                   "-H", f"Authorization: Bearer {cluster.api.token}", f"https://kubernetes.default/api/v1/namespaces/{SHOP}"]
            wait_until(f"the API server answers {space}", lambda: '"kind": "Namespace"' in cluster.on(space, *ask, check=False), 20)
    finally:
        cluster.api.delete("EndpointSlice", "kubernetes", "default")


def it_uses_unready_pods_when_they_are_published(cluster):
    """publishNotReadyAddresses, switched on and off, while one of two pods is not ready."""
    cluster.api.create(service(), pod(1), pod(2))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)
    unready = [condition(name) | {"status": "False"} for name in ("ContainersReady", "Ready")]
    cluster.api.patch("Pod", "web-1", {"status": {"conditions": [
        condition("PodScheduled"), condition("Initialized"), *unready]}}, part="status")
    cluster.wait_for_pods_behind({"web-2"})
    must_answer(cluster, {"web-2"})
    change(cluster, publishNotReadyAddresses=True)
    cluster.wait_for_pods_behind(WEB)
    must_answer(cluster, WEB)
    change(cluster, publishNotReadyAddresses=False)
    cluster.wait_for_pods_behind({"web-2"})
    must_answer(cluster, {"web-2"})
