"""Kubernetes objects of the scenarios."""
import pathlib

import network
from share import COREDNS, TOOLS

TRAFFIC = pathlib.Path(__file__).with_name("traffic.py")
SYSTEM = "kube-system"
WEB, WEB_PORT, WEB_NODE_PORT, TARGET = "10.96.5.5", 80, 30080, 8080
ONE_OF_EACH = {node: f"10.96.5.{10 + network.number(node)}" for node in network.NODES}  # a Service with the pod of that node alone
EVERYWHERE = [{"operator": "Exists"}]


def made(kind, name, namespace="default", api="v1", labels=None, **rest):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **({"labels": labels} if labels else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def node(name):
    """With its pods' range, which the kubelet takes as it is."""
    return made("Node", name, namespace=None, labels={"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
                spec={"podCIDR": network.pods(name), "podCIDRs": [network.pods(name)]})


def tools(name, command, host_network=False, privileged=False, mounts=(), volumes=(), **more):
    """The spec of a pod that has the node's programs (images.write_tools)."""
    of_the_node = {"usr": "/usr", "alternatives": "/etc/alternatives"}
    return {"hostNetwork": host_network, "tolerations": EVERYWHERE, "terminationGracePeriodSeconds": 1,
            "containers": [{"name": name, "image": TOOLS, "imagePullPolicy": "Never", "command": command, "securityContext": {"privileged": privileged},
                            "volumeMounts": [*({"name": each, "mountPath": path, "readOnly": True} for each, path in of_the_node.items()), *mounts], **more}],
            "volumes": [*({"name": each, "hostPath": {"path": path}} for each, path in of_the_node.items()), *volumes]}


def traffic(name, at, *arguments, labels=None):
    """A pod of traffic.py on that node."""
    spec = tools("traffic", ["python3", "/scripts/traffic.py", *map(str, arguments)], mounts=[{"name": "scripts", "mountPath": "/scripts"}],
                 volumes=[{"name": "scripts", "configMap": {"name": "traffic"}}])
    return made("Pod", name, labels={"app": "client", **(labels or {})}, spec={"nodeName": at, **spec})


def service(name, cluster_ip, selector, ports=None, **spec):
    ports = ports or [("tcp", "TCP", WEB_PORT, TARGET, {}), ("udp", "UDP", WEB_PORT, TARGET, {})]
    return made("Service", name, spec={"clusterIP": cluster_ip, "selector": selector, **spec, "ports": [
        {"name": each, "protocol": protocol, "port": port, "targetPort": target, **more} for each, protocol, port, target, more in ports]})


def web():
    """A server on each node, a Service over both, also on a node port, and one over each."""
    port = {"nodePort": WEB_NODE_PORT}
    both = [("tcp", "TCP", WEB_PORT, TARGET, port), ("udp", "UDP", WEB_PORT, TARGET, port)]
    return [made("ConfigMap", "traffic", data={"traffic.py": TRAFFIC.read_text()}),
            *(traffic(f"web-{each}", each, "serve", labels={"app": "web", "at": each}) for each in network.NODES),
            service("web", WEB, {"app": "web"}, both, type="NodePort"),
            *(service(f"web-{each}", address, {"app": "web", "at": each}) for each, address in ONE_OF_EACH.items())]


def daemon_set(name, spec, labels):
    return made("DaemonSet", name, SYSTEM, "apps/v1", labels, spec={
        "selector": {"matchLabels": labels}, "updateStrategy": {"type": "RollingUpdate"}, "template": {"metadata": {"labels": labels}, "spec": spec}})


def kube_proxy(mode, kubeconfig):
    """As kubeadm makes it. Its image has the node's programs."""
    labels = {"k8s-app": "kube-proxy"}
    spec = tools("kube-proxy", ["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf", "--hostname-override=$(NODE_NAME)"],
                 host_network=True, privileged=True, env=[{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                 mounts=[{"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"}, {"name": "xtables-lock", "mountPath": "/run/xtables.lock"}],
                 volumes=[{"name": "kube-proxy", "configMap": {"name": "kube-proxy"}},
                          {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}}])
    config = f"""apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
bindAddress: 0.0.0.0
clientConnection:
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
clusterCIDR: {network.ALL_PODS}
mode: {mode}
"""
    return [made("ServiceAccount", "kube-proxy", SYSTEM), binding("kubeadm:node-proxier", "system:node-proxier", "kube-proxy"),
            made("ConfigMap", "kube-proxy", SYSTEM, labels={"app": "kube-proxy"}, data={"config.conf": config, "kubeconfig.conf": kubeconfig}),
            daemon_set("kube-proxy", {"serviceAccountName": "kube-proxy", "priorityClassName": "system-node-critical", **spec}, labels)]


def binding(name, role, account):
    return made("ClusterRoleBinding", name, None, "rbac.authorization.k8s.io/v1",
                roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                subjects=[{"kind": "ServiceAccount", "name": account, "namespace": SYSTEM}])


COREFILE = """.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        ttl 30
    }
    cache 30
}
"""


def cluster_dns():
    """CoreDNS as kubeadm makes it, without a resolver of other names; one pod on each node."""
    labels = {"k8s-app": "kube-dns"}
    rules = [{"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
             {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}]
    container = {"name": "coredns", "image": COREDNS, "imagePullPolicy": "Never", "args": ["-conf", "/etc/coredns/Corefile"],
                 "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
                 "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}]}
    spec = {"serviceAccountName": "coredns", "dnsPolicy": "Default", "tolerations": EVERYWHERE, "containers": [container],
            "volumes": [{"name": "config", "configMap": {"name": "coredns"}}]}
    ports = [("dns", "UDP", 53, 53, {}), ("dns-tcp", "TCP", 53, 53, {})]
    named = service("kube-dns", network.DNS, labels, ports)
    named["metadata"]["namespace"] = SYSTEM
    return [made("ServiceAccount", "coredns", SYSTEM), made("ClusterRole", "system:coredns", None, "rbac.authorization.k8s.io/v1", rules=rules),
            binding("system:coredns", "system:coredns", "coredns"), made("ConfigMap", "coredns", SYSTEM, data={"Corefile": COREFILE}),
            daemon_set("coredns", spec, labels), named]
