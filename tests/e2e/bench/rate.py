"""How many connections a second the data path takes with many Services: podferry's beside kube-proxy's, one after the other in
the same virtual machine and run, each in a world of its own, through the ClusterIP of one pod on this node."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from api import SHOP  # noqa: E402
from lab import Failure, pod_ip, wait_until  # noqa: E402
from scale import COMPLETE_WITHIN, KubeProxyIpvs, KubeProxyNftables, Podferry  # noqa: E402

SIZE = int(os.environ.get("E2E_SCALE", "500"))
ROUNDS = 5
SECONDS = 3
ADDRESS, PORT, SERVER, CLIENT = "10.96.250.1", 80, 1, "pod4"
NOT_BELOW = 1.0
RESULTS = {}

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door", "namespace": SHOP},
           "spec": {"clusterIP": ADDRESS, "ports": [{"name": "http", "port": PORT, "targetPort": 8080}]}}
SLICE = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": "door-x", "namespace": SHOP, "labels": {"kubernetes.io/service-name": "door"}},
         "ports": [{"name": "http", "protocol": "TCP", "port": 8080}],
         "endpoints": [{"addresses": [pod_ip(SERVER)], "nodeName": "node",
                        "conditions": {"ready": True, "serving": True, "terminating": False}}]}


def measure_rate(cluster, subject):
    """The best of several rounds: what disturbs a round can only make it slower."""
    cluster.ask_host("populate", size=SIZE)
    cluster.api.create(SERVICE, SLICE)
    cluster.spawn("sink", f"pod{SERVER}", ["bench-connect", "listen", pod_ip(SERVER), "8080"])
    cluster.on("node", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")  # kube-proxy's nftables mode leaves that to the node
    subject.start()
    subject.wait_until_complete()
    wait_until("the pod answers", lambda: try_once(cluster), 60)
    rates = [float(connect(cluster, SECONDS, check=True)) for _ in range(ROUNDS)]
    RESULTS[subject.title] = max(rates)
    print(f"figure cluster_rate_{subject.title}_{SIZE} {max(rates):.0f} connections/s   (rounds: "
          + ", ".join(f"{one:.0f}" for one in rates) + ")", flush=True)
    cluster.processes[subject.title].kill()
    cluster.processes[subject.title].wait()


def connect(cluster, seconds, check):
    return cluster.on(CLIENT, "bench-connect", ADDRESS, str(PORT), str(seconds), check=check)


def try_once(cluster):
    return "bench-connect" not in connect(cluster, 0.05, check=False)


class KubeProxyIpvsSynced(KubeProxyIpvs):
    def wait_until_complete(self):
        """Real servers come first, then an `ipset` process for each entry, at last the rules: all of them are its data path."""
        super().wait_until_complete()
        wait_until("its rules are in the kernel", lambda: "KUBE-CLUSTER-IP" in self.cluster.on("node", "iptables-save", "-t", "nat"),
                   COMPLETE_WITHIN)


def it_a_measures_podferry(cluster):
    """With E2E_SCALE Services."""
    measure_rate(cluster, Podferry(cluster, "podferry"))


def it_b_measures_kube_proxy_nftables(cluster):
    """The same."""
    measure_rate(cluster, KubeProxyNftables(cluster, "nftables"))


def it_c_measures_podferry_again(cluster):
    """A machine that grows slower or quicker favours none."""
    before = RESULTS.get("podferry", 0)
    measure_rate(cluster, Podferry(cluster, "podferry"))
    RESULTS["podferry"] = max(before, RESULTS["podferry"])


def it_d_measures_kube_proxy_ipvs(cluster):
    """The same."""
    measure_rate(cluster, KubeProxyIpvsSynced(cluster, "ipvs"))


def it_e_compares(_):
    """Ours over theirs."""
    for title in ("nftables", "ipvs"):
        if not {"podferry", title} <= RESULTS.keys():
            raise Failure(f"podferry and {title} have not both been measured in this run")
        ratio = RESULTS["podferry"] / RESULTS[title]
        verdict = "" if ratio >= NOT_BELOW else ": BROKEN"
        print(f"figure cluster_rate_over_{title}_{SIZE} {ratio:.3f} ratio   (bound: at least {NOT_BELOW:g}{verdict})", flush=True)
