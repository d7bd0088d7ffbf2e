"""The chart on real kubelets."""
import re
import time

import network
import objects
from cluster import SYSTEM, wait_until
from lab import Failure

OWN_SHARE = 30  # seconds of podferry itself; the rest is Helm's, the kubelet's and containerd's


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def it_is_installed_by_helm(cluster):
    """`helm install` to Ready on both nodes, without an API address; Services of both nodes from both; CoreDNS behind 10.96.0.10."""
    cluster.start_web()
    cluster.apply(*objects.cluster_dns())
    began = time.monotonic()
    cluster.install_podferry()
    cluster.wait_for_pods()
    took = time.monotonic() - began
    shares = [own_share(cluster, node, pod) for node, pod in cluster.pods().items()]
    print(f"figure install_ready_s {took:.1f} s   (podferry's own: {max(shares):.1f} s, bound {OWN_SHARE}; first container to Ready: "
          f"{max(from_first_container(pod) for pod in cluster.pods().values()):.0f} s)", flush=True)
    expect(max(shares) <= OWN_SHARE, f"podferry's own share is {shares} s")
    for node in network.NODES:
        log = cluster.kubectl("logs", "-n", SYSTEM, cluster.pods()[node]["metadata"]["name"], "-c", "podferry")
        expect(re.search(r"kubelet\.conf", log), f"its log does not say where the API server was found: {log}")
    services_are_reached(cluster)
    names_are_resolved(cluster)
    said = cluster.helm("test", "podferry")
    expect(re.search(r"Phase:\s+Succeeded", said), f"helm test: {said}")


def own_share(cluster, node, pod):
    """Seconds: its init container from start to end, and from podferry's start to what it calls ready."""
    prepared = pod["status"]["initContainerStatuses"][0]["state"]["terminated"]
    page = cluster.on(node, "curl -s 127.0.0.1:10249/metrics")
    started = float(re.search(r'^podferry_start_seconds\{phase="complete"\} (\S+)', page, re.MULTILINE)[1])
    return seconds(prepared["finishedAt"]) - seconds(prepared["startedAt"]) + started


def from_first_container(pod):
    ready = next(each["lastTransitionTime"] for each in pod["status"]["conditions"] if each["type"] == "Ready")
    return seconds(ready) - seconds(pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["startedAt"])


def seconds(stamp):
    return time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))


def services_are_reached(cluster):
    for node in network.NODES:
        for at, address in objects.ONE_OF_EACH.items():
            for protocol in ("tcp", "udp"):
                said = cluster.ask(node, f"{address}:{objects.WEB_PORT}", protocol)
                expect(said == f"web-{at}", f"a pod of {node} asks for {at}'s Service by {protocol}: {said}")


def names_are_resolved(cluster):
    cluster.wait_for_pods("k8s-app=kube-dns", seconds=180)
    for node in network.NODES:
        said = []

        def resolved():
            said.append(cluster.in_pod(f"web-{node}", "python3", "-c", "import socket; print(socket.gethostbyname('web.default.svc.cluster.local'))"))
            return said[-1] == objects.WEB

        wait_until(f"a pod of {node} resolves a name", resolved, 30)
        resolver = cluster.in_pod(f"web-{node}", "python3", "-c", "print(open('/etc/resolv.conf').read().replace('\\n', ' '))")
        expect(f"nameserver {network.DNS}" in resolver, f"not by {network.DNS}: {resolver}")
