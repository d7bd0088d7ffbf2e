#!/usr/bin/env python3
"""Measures podferry against the kernel's floor, in the lab's virtual machine; prints "figure NAME VALUE UNIT" lines.
    bench.py small|full [--strict]     1,000, or 1,000 and 10,000 Services with 5 endpoints each; with --strict, a broken
                                       bound is exit status 1"""
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import figures  # noqa: E402
from floor import bare_namespace, floor, seconds_of  # noqa: E402
from lab import Lab, wait_until  # noqa: E402

PODS = 5
STARTS = 5
CHANGES = 40
ROUNDS = 3
BOUNDS = {"start_kernel_over_floor": 1.3, "start_decided_over_floor": 2.0, "start_reading_over_parse": 1.5,
          "change_p50_over_floor_ms": 5, "change_max_over_floor_ms": 5, "idle_writes": 0, "peak_rss_mib": 80}


def figure(name, value, unit, size):
    figures.figure(f"{name}_{size}", value, unit, at_most=BOUNDS.get(name))


def address(base, number):
    number += 256
    return f"{base}.{number >> 8 & 255}.{number & 255}"


def service(number, name=None):
    name = name or f"svc-{number}"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "bench", "labels": {"app": name}},
            "spec": {"clusterIP": address("10.100", number), "ports": [
                {"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080}], "type": "ClusterIP"}}


def endpoint_slice(number, name=None, pods=PODS):
    name = name or f"svc-{number}"
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {
        "name": f"{name}-x", "namespace": "bench", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4", "ports": [{"name": "http", "protocol": "TCP", "port": 8080}],
        "endpoints": [{"addresses": [address("10.1", (number * PODS + p) % 60000)], "conditions": {
            "ready": True, "serving": True, "terminating": False}, "targetRef": {
                "kind": "Pod", "namespace": "bench", "name": f"{name}-{p}"}} for p in range(pods)]}


def pod(number, index):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"svc-{number}-{index}", "namespace": "bench",
                                                           "labels": {"app": f"svc-{number}"}},
            "spec": {"nodeName": "other", "containers": [{"name": "main", "image": "x", "ports": [{"containerPort": 8080}]}]},
            "status": {"phase": "Running", "podIP": address("10.1", (number * PODS + index) % 60000)}}


def write_list(path, items):
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1))


def start_seconds(lab):
    return {phase: lab.metric("podferry_start_seconds", phase=phase) for phase in ("reading", "planning", "kernel", "complete")}


def memory(lab):
    pid = lab.processes["podferry"].pid
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def cpu_seconds(lab):
    words = pathlib.Path(f"/proc/{lab.processes['podferry'].pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def writes(lab):
    return sum(float(line.split()[-1]) for line in lab.metrics_page().splitlines() if line.startswith("podferry_netlink_operations_total"))


class BenchLab(Lab):
    """A lab whose folder holds `size` Services and their slices. Each start has one of its own: where real servers have
    been deleted, the kernel searches them for two minutes with each new one."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def __enter__(self):
        super().__enter__()
        config = self.folder / "config.yaml"
        config.write_text(config.read_text().replace("10.96.0.0/16", "10.100.0.0/16").replace("audit_period: 3s", "audit_period: 1m"))
        write_list(self.manifests / "services.json", [service(n) for n in range(self.size)])
        write_list(self.manifests / "slices.json", [endpoint_slice(n) for n in range(self.size)])
        return self


def start(lab):
    lab.start_podferry(within=120)
    return start_seconds(lab)


def text(seconds):
    return " ".join(f"{name} {value:.3f}" for name, value in seconds.items())


def one_start(size):
    """podferry's phases, the floor's phases, a bare parse: seconds, one beside the other."""
    with BenchLab(size) as lab:
        files = [str(path) for path in lab.manifests.iterdir()]
        ours = start(lab)
        # Before the floor: as long as podferry listens, the kernel writes notifications of what others program as well.
        lab.stop_podferry(signal.SIGKILL)
        assert "set served4" in lab.nft()
        least = floor(lab, size, PODS)
        parse = seconds_of(lab.on("node", "bench-parse", *files))["parse"]
        servers = lab.ipvs().count("-A ")
        assert servers == size, f"{servers} virtual servers instead of {size}"
    print(f"  start: {text(ours)} s\n  floor: {text(least)} s; bare parse {parse:.3f} s", flush=True)
    return ours["kernel"], ours["planning"] + ours["kernel"], least["total"], ours["reading"], parse


def full_start(size):
    """The best of several starts over the best of as many floors: what disturbs a run can only make it longer."""
    kernel, decided, least, reading, parse = map(min, zip(*(one_start(size) for _ in range(STARTS))))
    figure("start_kernel_over_floor", kernel / least, "ratio", size)
    figure("start_decided_over_floor", decided / least, "ratio", size)
    figure("start_reading_over_parse", reading / parse, "ratio", size)


def warm_up():
    """The first virtual server and the first nftables chains of a boot make the kernel patch its own code: not a cost of
    podferry's start, and the floor, which comes after it, would be spared it. Network namespace "warm" keeps it so."""
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=False)
    with BenchLab(10) as lab:
        start(lab)
        lab.ip("netns add warm\n")
        lab.on("warm", "ipvsadm", "-A", "-t", "10.0.0.1:80")
        lab.on("warm", "ipvsadm", "-A", "-t", "[fd00::1]:80")
        subprocess.run(["ip", "netns", "exec", "warm", "nft", "-f", "-"], input=lab.nft(), text=True, check=True)


def change(lab, space, folder, name, number, pods, *bare):
    """Milliseconds from the rename of a file until the kernel has what it says."""
    fresh = folder / f".{name}"
    write_list(fresh, [service(number, name), endpoint_slice(number, name, pods)])
    return float(lab.on(space, "bench-change", str(fresh), str(folder / f"{name}.json"), address("10.100", number), "80",
                        str(pods), *bare))


def one_round(lab, folder, size, first):
    ours, bare = [], []
    for i in range(first, first + CHANGES // 2):
        for pods in (PODS, PODS - 1):
            ours.append(change(lab, "node", lab.manifests, f"new-{i}", size + i, pods))
            bare.append(change(lab, "bare", folder, f"new-{i}", size + i, pods, "bare"))
    return ours, bare


def changes(lab, size):
    """A Service added, then one of its pods gone, each as a file of its own, renamed into place; and the same without
    podferry: by a thread that waits for the same rename and the same debounce and has nothing to read or to decide."""
    folder = lab.folder / "bare"
    folder.mkdir()
    assert "set served4" in lab.nft()
    with bare_namespace(lab):
        rounds = [one_round(lab, folder, size, number * CHANGES) for number in range(ROUNDS)]
    # The worst change of the quietest round: another program that gets the processor makes any change late.
    ours, bare = (min((one[side] for one in rounds), key=max) for side in (0, 1))
    figure("change_p50_ms", statistics.median(ours), "ms", size)
    figure("change_max_ms", max(ours), "ms", size)
    figure("change_floor_p50_ms", statistics.median(bare), "ms", size)
    figure("change_floor_max_ms", max(bare), "ms", size)
    figure("change_p50_over_floor_ms", statistics.median(ours) - statistics.median(bare), "ms", size)
    figure("change_max_over_floor_ms", max(ours) - max(bare), "ms", size)


def idle(lab, size):
    """A minute with nothing to do but one audit."""
    wait_until("no real server drains", lambda: lab.metric("podferry_draining_real_servers") == 0, 30)
    audits, before, cpu = lab.metric("podferry_audits_total"), writes(lab), cpu_seconds(lab)
    time.sleep(60)
    wait_until("an audit has run", lambda: lab.metric("podferry_audits_total") > audits, 30)
    figure("idle_writes", writes(lab) - before, "writes", size)
    figure("idle_cpu_s_per_min", cpu_seconds(lab) - cpu, "s", size)
    total = next(float(line.split()[-1]) for line in lab.metrics_page().splitlines()
                 if line.startswith('podferry_sync_duration_seconds_sum{kind="audit"}'))
    figure("audit_s", total / lab.metric("podferry_audits_total"), "s", size)


def pods_instead_of_slices(lab, size):
    """What it costs to hold pods: memory, and no more than that (they have no probes here)."""
    for path in lab.manifests.iterdir():
        path.unlink()
    items = []
    for n in range(size):
        one = service(n)
        one["spec"]["selector"] = {"app": f"svc-{n}"}
        items += [one] + [pod(n, p) for p in range(PODS)]
    write_list(lab.manifests / "all.json", items)
    start(lab)
    figure("peak_rss_with_pods_mib", memory(lab), "MiB", size)


def main():
    sizes = {"small": [1000], "full": [1000, 10000]}.get(sys.argv[1] if len(sys.argv) > 1 else "small")
    if not sizes:
        sys.exit(__doc__)
    warm_up()
    for size in sizes:
        full_start(size)
        with BenchLab(size) as lab:
            start(lab)
            figure("peak_rss_mib", memory(lab), "MiB", size)
            changes(lab, size)
            idle(lab, size)
        with BenchLab(size) as lab:
            pods_instead_of_slices(lab, size)
    return figures.conclude()


if __name__ == "__main__":
    sys.exit(main())
