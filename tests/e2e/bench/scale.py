"""Many Services on the real API server: podferry beside kube-proxy, in the same virtual machine and run, each in a world of
its own. The kernel's own tables say when it is complete, not the proxies."""
import errno
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import threading
import time

import figures
from floor import floor
from lab import Failure, wait_until
from netns import network_namespace
from population import NAMESPACE, PODS, cluster_ip, endpoints, name

NETLINK_NETFILTER, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES, SO_RCVBUFFORCE = 12, 270, 1, 7, 33
RESULTS = {}
SIZE = int(os.environ.get("E2E_SCALE", "500"))
CHANGES = 100
PEER_CHANGES = 20
IDLE = 60  # seconds
COMPLETE_WITHIN = 900
BOUNDS = {"start_over_nftables": 0.2, "start_over_floor": 1.5, "rss_over_nftables": 1 / 3, "change_p50_over_nftables": 0.1,
          "change_p99_over_nftables": 0.1, "idle_cpu_over_nftables": 0.1}


def figure(what, value, unit="s"):
    figures.figure(f"cluster_{what}_{SIZE}", value, unit, at_most=BOUNDS.get(what))


def cpu_seconds(pid):
    """Its own, and of its children that have ended."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / 100


def peak_mib(pid):
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def idle_cpu(pid):
    before = cpu_seconds(pid)
    time.sleep(IDLE)  # what is measured is this minute
    return cpu_seconds(pid) - before


class Subject:
    """A proxy that is measured: what it takes until the kernel has everything, then for one change."""

    def __init__(self, cluster, title):
        self.cluster = cluster
        self.title = title

    def measure(self, changes, settles=True):
        """`settles`: its first sync ends, so that a minute without changes can follow."""
        began = time.monotonic()
        self.start()
        complete = self.wait_until_complete() - began
        figure(f"start_{self.title}_s", complete)
        pid = self.cluster.processes[self.title].pid
        figure(f"start_cpu_{self.title}_s", cpu_seconds(pid))
        took = self.measure_changes(changes) if changes else []
        peak = peak_mib(pid)
        figure(f"peak_rss_{self.title}_mib", peak, "MiB")
        idle = idle_cpu(pid) if settles else None
        if took:
            figure(f"change_p50_{self.title}_ms", statistics.median(took), "ms")
            figure(f"change_p99_{self.title}_ms", p99(took), "ms")
        if settles:
            figure(f"idle_cpu_{self.title}_s_per_min", idle, "s")
        self.cluster.processes[self.title].kill()
        self.cluster.processes[self.title].wait()
        return {"complete": complete, "changes": took, "peak": peak, "idle": idle}

    def write_endpoints(self, number, count):
        self.cluster.api.patch("EndpointSlice", f"{name(number)}-x", {"endpoints": endpoints(number, count)}, NAMESPACE)

    def measure_changes(self, changes):
        """Milliseconds from the beginning of the API write: one endpoint less, then one more, of ever other Services."""
        took = []
        for number in range(changes):
            for count in (PODS - 1, PODS):
                began = time.monotonic()
                writer = threading.Thread(target=self.write_endpoints, args=(number, count))
                writer.start()
                took.append(1000 * (self.wait_for_change(number, count, began) - began))
                writer.join()
        return took


def p99(values):
    return sorted(values)[max(0, int(0.99 * len(values)) - 1)]


class IpvsSubject(Subject):
    def wait_until_complete(self):
        wait_until("all real servers are in the kernel", self.has_all_real_servers, COMPLETE_WITHIN)
        return time.monotonic()

    def has_all_real_servers(self):
        """Seldom: the listing itself takes a while, and the kernel's lock."""
        time.sleep(0.25)
        return self.cluster.ipvs().count("-a -t ") >= SIZE * PODS


class Podferry(IpvsSubject):
    def start(self):
        self.cluster.start_podferry(wait=False)

    def has_last_route(self):
        """Its address can be bound to. The question costs next to nothing; a list of all routes, asked for again and again,
        half a second of what is measured."""
        with network_namespace("node"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((cluster_ip(SIZE - 1), 0))
                return True
            except OSError:
                return False

    def has_all_routes(self):
        return self.cluster.on("node", "ip", "route", "show", "table", "local", "proto", "159").count("\n") >= SIZE

    def measure(self, changes, settles=True):
        config = self.cluster.folder / "config.yaml"
        config.write_text(config.read_text().replace("audit_period: 3s", "audit_period: 1m"))  # the default
        return super().measure(changes, settles)

    def wait_until_complete(self):
        """Routes come last, in order; what should be there by then is looked at once."""
        wait_until("the last route is in the kernel", self.has_last_route, COMPLETE_WITHIN)
        complete = time.monotonic()
        if not self.has_all_routes():
            raise Failure("the last route is in the kernel, and not all others")
        if not self.has_all_real_servers():
            raise Failure("the routes are in the kernel, and not all real servers")
        wait_until("podferry says so too", self.cluster.podferry_is_ready, 60)
        print("      phases: " + " ".join(f"{phase} {self.cluster.metric('podferry_start_seconds', phase=phase):.2f}"
                                          for phase in ("reading", "planning", "kernel", "complete")))
        self.watcher = self.cluster.spawn("until", "node", ["e2e-until"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return complete

    def wait_for_change(self, number, count, _):
        self.watcher.stdin.write(f"{cluster_ip(number)} 80 {count}\n")
        self.watcher.stdin.flush()
        answer = self.watcher.stdout.readline().strip()
        if answer in ("", "never"):
            raise Failure(f"{name(number)} did not get {count} real servers")
        return float(answer)


class KubeProxy(Subject):
    def start(self):
        cluster = self.cluster
        kubeconfig = cluster.folder / "kube-proxy.kubeconfig"
        kubeconfig.write_text(cluster.kubeconfig.read_text().replace(f"tokenFile: {cluster.token}",
                                                                     f"token: {cluster.host['admin_token']}"))
        cluster.spawn(self.title, "node", [
            f"{cluster.host['programs']}/kube-proxy", f"--kubeconfig={kubeconfig}", f"--proxy-mode={self.title}",
            "--hostname-override=node", "--cluster-cidr=10.1.0.0/16", "--conntrack-max-per-core=0", "--v=1"],
            stdout=subprocess.DEVNULL, stderr=open(cluster.folder / f"{self.title}.log", "w"))


class KubeProxyNftables(KubeProxy):
    def wait_until_complete(self):
        """One transaction has everything: when a Service is there, all are."""
        element = f"{{ {cluster_ip(SIZE - 1)} . tcp . 80 }}"

        def is_there():
            return "goto service-" in self.cluster.on("node", "nft", "get", "element", "ip", "kube-proxy", "service-ips", element, check=False, timeout=300)

        wait_until("the Services are in the kernel", is_there, COMPLETE_WITHIN)
        return time.monotonic()

    def measure_changes(self, changes):
        self.awaited, self.seen = None, []
        with network_namespace("node"):
            self.events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.events.bind((0, 0))  # who has no port of his own is passed over (nlmsg_notify: port 0 is excluded)
        self.events.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.events.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
        threading.Thread(target=self.read_events, daemon=True).start()
        return super().measure_changes(changes)

    def read_events(self):
        """What the kernel tells of its tables; messages of chains and rules carry the chain's name. (`nft monitor` would
        first read the whole ruleset: more than 5 minutes with 5,000 Services.)"""
        while True:
            try:
                data = self.events.recv(1 << 20)
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # some were lost: those of a full sync, which is not what is awaited
                    raise
                continue
            if self.awaited and self.awaited in data:
                self.seen.append(time.monotonic())

    def wait_for_change(self, number, count, began):
        """The Service's chain is written anew in the same transaction as the endpoint's."""
        self.awaited = f"{NAMESPACE}/{name(number)}/tcp/http".encode()
        try:
            wait_until(f"{name(number)} has {count} endpoints", lambda: any(at > began for at in self.seen), 120)
        except Failure as failure:
            log = (self.cluster.folder / f"{self.title}.log").read_text()
            raise Failure(f"{failure}\n---- kube-proxy's log\n{log[-4000:]}") from failure
        return next(at for at in self.seen if at > began)


class KubeProxyIpvs(KubeProxy, IpvsSubject):
    pass


def curl_seconds(cluster):
    """Both lists, one after the other, as plain as can be."""
    seconds = 0
    for path in ("/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices"):
        seconds += float(cluster.on("node", "curl", "-sS", "--cacert", cluster.host["ca"], "-o", "/dev/null", "-w", "%{time_total}",
                                    "-H", f"Authorization: Bearer {cluster.host['admin_token']}",
                                    f"https://10.0.2.2:{cluster.host['api_port']}{path}", timeout=300))
    return seconds


def it_a_fills_the_cluster(cluster):
    """With E2E_SCALE Services; and measures how soon the best of all proxies could be ready. The first proxy of a boot pays
    for the kernel's loading of modules and patching of its own code at the first hooks: not one that is measured."""
    cluster.start_podferry()
    cluster.ask_host("populate", size=SIZE)
    cluster.stop_podferry(signal.SIGKILL)  # as long as it listens, the kernel notifies of what others program, too
    lists = min(curl_seconds(cluster) for _ in range(3))
    kernel = floor(cluster, SIZE, PODS)["total"]
    figure("curl_s", lists)
    figure("kernel_floor_s", kernel)
    RESULTS["floor"] = lists + kernel


def it_b_measures_podferry(cluster):
    """From exec to complete, memory, one change, a minute without any."""
    RESULTS["podferry"] = Podferry(cluster, "podferry").measure(CHANGES)


def it_bb_measures_podferry_without_audits(cluster):
    """A minute of doing as little as kube-proxy's nftables mode does, which looks at the kernel once an hour."""
    config = cluster.folder / "config.yaml"
    config.write_text(config.read_text().replace("audit_period: 3s", "audit_period: 1h"))
    cluster.start_podferry(within=COMPLETE_WITHIN)
    RESULTS["no audits"] = idle_cpu(cluster.processes["podferry"].pid)
    figure("idle_cpu_podferry_without_audits_s_per_min", RESULTS["no audits"])
    cluster.stop_podferry(signal.SIGKILL)


def it_c_measures_kube_proxy_nftables(cluster):
    """The same."""
    RESULTS["nftables"] = KubeProxyNftables(cluster, "nftables").measure(PEER_CHANGES)


def it_d_measures_kube_proxy_ipvs(cluster):
    """The same without changes: under emulation its first sync, an `ipset` process for each entry, does not end."""
    RESULTS["ipvs"] = KubeProxyIpvs(cluster, "ipvs").measure(0, settles=False)


def it_e_compares(_):
    """Ours over theirs, and over the floor."""
    ours, theirs = RESULTS["podferry"], RESULTS["nftables"]
    figure("start_over_floor", ours["complete"] / RESULTS["floor"], "ratio")
    figure("start_over_nftables", ours["complete"] / theirs["complete"], "ratio")
    if "ipvs" in RESULTS:
        figure("start_over_ipvs", ours["complete"] / RESULTS["ipvs"]["complete"], "ratio")
    figure("rss_over_nftables", ours["peak"] / theirs["peak"], "ratio")
    if theirs["changes"]:
        figure("change_p50_over_nftables", statistics.median(ours["changes"]) / statistics.median(theirs["changes"]), "ratio")
        figure("change_p99_over_nftables", p99(ours["changes"]) / p99(theirs["changes"]), "ratio")
    figure("idle_cpu_over_nftables", ours["idle"] / theirs["idle"], "ratio")
    figure("idle_cpu_without_audits_over_nftables", RESULTS["no audits"] / theirs["idle"], "ratio")
