"""How many connections a second the data path takes with many Services: podferry's beside kube-proxy's, in the same virtual
machine and run, through the ClusterIP of one pod on this node. Each proxy has a world of its own, which stays when it has
programmed it; then they are measured in turns. The virtual machine's clock counts instructions (vm.py --counted): a second is 125
million of them, so the figures are the inverse of what one connection has the processor execute, and they repeat themselves."""
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from api import SHOP  # noqa: E402
from figures import figure  # noqa: E402
from kept_world import KeptWorld, rates_in_turns  # noqa: E402
from lab import Failure, pod_ip, wait_until  # noqa: E402
from population import cluster_ip  # noqa: E402
from scale import KubeProxyIpvs, KubeProxyNftables, Podferry  # noqa: E402

SIZE = int(os.environ.get("E2E_SCALE", "500"))
ROUNDS = 4
SECONDS = 2
SYNCED_WITHIN = 1800  # kube-proxy's ipvs mode
ADDRESS, PORT, CLIENT = "10.96.250.1", 80, "pod4"
SPACES = ("node", "pod1", CLIENT)
NOT_BELOW = 1.0
KEPT = []  # the worlds that can be measured
DOOR = (CLIENT, ADDRESS, PORT)

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door", "namespace": SHOP},
           "spec": {"clusterIP": ADDRESS, "ports": [{"name": "http", "port": PORT, "targetPort": 8080}]}}
SLICE = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": "door-x", "namespace": SHOP, "labels": {"kubernetes.io/service-name": "door"}},
         "ports": [{"name": "http", "protocol": "TCP", "port": 8080}],
         "endpoints": [{"addresses": [pod_ip(1)], "nodeName": "node",
                        "conditions": {"ready": True, "serving": True, "terminating": False}}]}


def prepare(cluster, subject):
    """Has the proxy program a world, and keeps that."""
    if not KEPT:
        cluster.ask_host("populate", within=1800, size=SIZE)
    cluster.api.create(SERVICE, SLICE)
    cluster.on("node", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")  # kube-proxy's nftables mode leaves that to the node
    began = time.monotonic()
    subject.start()
    subject.wait_until_complete()
    print(f"      {subject.title}: complete after {time.monotonic() - began:.0f} s", flush=True)
    keep(cluster, subject.title)
    cluster.processes[subject.title].kill()
    cluster.processes[subject.title].wait()


def keep(cluster, title):
    world = KeptWorld(cluster, title, SPACES, [(pod_ip(1), 8080)])
    wait_until("the pod answers", lambda: world.answers(*DOOR), 60)
    KEPT.append(world)


class KubeProxyIpvsSynced(KubeProxyIpvs):
    def start(self):
        """The one thing that is not its own work: entries of the set that are as it wants them are there before, since under
        emulation it takes hours to start an `ipset` process for each of them."""
        entries = "".join(f"add KUBE-CLUSTER-IP {cluster_ip(number)},tcp:80\n" for number in range(SIZE))
        done = subprocess.run(["ip", "netns", "exec", "node", "ipset", "restore"], text=True, capture_output=True, input=(
            f"create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536\n{entries}"))
        if done.returncode != 0:
            raise Failure(f"ipset restore: {done.stderr}")
        super().start()

    def wait_until_complete(self):
        """Real servers come first, then the rest of the sets, at last the rules: all of them are its data path."""
        wait_until("all real servers are in the kernel", self.has_all_real_servers, SYNCED_WITHIN)
        wait_until("its rules are in the kernel", self.has_rules, SYNCED_WITHIN)

    def has_rules(self):
        if self.cluster.processes[self.title].poll() is not None:
            raise Failure("kube-proxy has ended")
        return "KUBE-CLUSTER-IP" in self.cluster.on("node", "iptables-save", "-t", "nat")


def it_a_prepares_podferry(cluster):
    """With E2E_SCALE Services."""
    prepare(cluster, Podferry(cluster, "podferry"))


def it_b_prepares_kube_proxy_nftables(cluster):
    """The same."""
    prepare(cluster, KubeProxyNftables(cluster, "nftables"))


def it_c_prepares_kube_proxy_ipvs(cluster):
    """The same."""
    prepare(cluster, KubeProxyIpvsSynced(cluster, "ipvs"))


def it_d_prepares_ipvs_alone(cluster):
    """Connection tracking and IPVS without a rule: what no proxy that uses them can exceed."""
    cluster.track_connections()
    cluster.ip(f"link add vips type dummy\nlink set vips up\nroute add local {ADDRESS} dev vips table local\n", "node")
    cluster.on("node", "ipvsadm", "-A", "-t", f"{ADDRESS}:{PORT}", "-s", "rr")
    cluster.on("node", "ipvsadm", "-a", "-t", f"{ADDRESS}:{PORT}", "-r", f"{pod_ip(1)}:8080", "-m")
    cluster.on("node", "sysctl", "-q", "-w", "net.ipv4.vs.conntrack=1")
    keep(cluster, "ipvs_alone")


def it_e_measures(_):
    """The best of several rounds."""
    try:
        rates = rates_in_turns(KEPT, ROUNDS, lambda world: world.connect(*DOOR, SECONDS))
    finally:
        for world in KEPT:
            world.end()
    for title, of_title in rates.items():
        figure(f"cluster_rate_{title}_{SIZE}", max(of_title), "connections/s", digits=0,
               note="rounds: " + ", ".join(f"{one:.0f}" for one in of_title))
    compare({title: max(of_title) for title, of_title in rates.items()})


def compare(best):
    """Ours over theirs."""
    for title in ("nftables", "ipvs", "ipvs_alone"):
        if not {"podferry", title} <= best.keys():
            raise Failure(f"podferry and {title} have not both been prepared in this run")
        bound = None if title == "ipvs_alone" else NOT_BELOW
        figure(f"cluster_rate_over_{title}_{SIZE}", best["podferry"] / best[title], "ratio", at_least=bound)
    figure(f"cluster_rate_ipvs_alone_over_nftables_{SIZE}", best["ipvs_alone"] / best["nftables"], "ratio")
