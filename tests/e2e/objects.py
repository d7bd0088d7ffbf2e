"""Kubernetes objects of the scenarios, as the API takes them."""
from agent import NODE
from api import SHOP
from lab import POD_PORT


def port(number=80, name="http", protocol="TCP", target=POD_PORT, node_port=None):
    made = {"name": name, "protocol": protocol, "port": number, "targetPort": target}
    return made | ({"nodePort": node_port} if node_port else {})


def service(name="web", cluster_ip="10.96.0.5", ports=None, selector="", **spec):
    """Selects the pods of the app of its own name, or of `selector`; with None it has no selector."""
    made = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": SHOP},
            "spec": {"ports": ports or [port()], **spec}}
    if cluster_ip:
        made["spec"]["clusterIP"] = cluster_ip
    if selector is not None:
        made["spec"]["selector"] = {"app": selector or name}
    return made


def pod(number, app="web"):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{app}-{number}", "namespace": SHOP, "labels": {"app": app}},
            "spec": {"nodeName": NODE, "containers": [{"name": "main", "image": "web", "ports": [{"containerPort": POD_PORT}]}],
                     "tolerations": [{"operator": "Exists"}]}}


def endpoint(address, **conditions):
    return {"addresses": [address], "nodeName": NODE, "conditions": {"ready": True, **conditions}}


HTTP = {"name": "http", "protocol": "TCP", "port": POD_PORT}


def endpoint_slice(name, of, endpoints, family="IPv4", ports=(HTTP,), labels=None):
    """One that no controller owns. `endpoints` may be addresses."""
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
            "metadata": {"name": name, "namespace": SHOP, "labels": {
                "kubernetes.io/service-name": of, "endpointslice.kubernetes.io/managed-by": "e2e"} if labels is None else labels},
            "ports": list(ports), "endpoints": [endpoint(item) if isinstance(item, str) else item for item in endpoints]}
