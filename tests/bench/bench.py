#!/usr/bin/env python3
"""Measures podferry against the kernel's floor, in the lab's virtual machine; prints "figure NAME VALUE UNIT" lines.
    bench.py small|full [--strict]     1,000, or 1,000 and 10,000 Services with 5 endpoints each; with --strict, a broken
                                       bound is exit status 1"""
import json
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

from lab import Lab, wait_until  # noqa: E402

PODS = 5
DEBOUNCE_MS = 200
CHANGES = 40
BOUNDS = {"start_kernel_over_floor": 1.3, "start_decided_over_floor": 2.0, "start_reading_over_parse": 1.5,
          "change_max_ms": DEBOUNCE_MS + 5, "idle_writes": 0, "peak_rss_mib": 80}
broken = []


def figure(name, value, unit, size):
    bound = BOUNDS.get(name)
    verdict = "" if bound is None else f"   (bound {bound}{'' if value <= bound else ': BROKEN'})"
    if bound is not None and value > bound:
        broken.append(f"{name}_{size}")
    print(f"figure {name}_{size} {value:.3f} {unit}{verdict}", flush=True)


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


def floor(lab, size):
    """In a namespace of its own: the same device and sets, made by ip and nft."""
    ruleset = lab.nft()
    sets = "".join(f"add set inet podferry {name} {{ type {kind}; }}\n" for name, kind in (
        ("served4", "ipv4_addr . inet_proto . inet_service"), ("cluster4", "ipv4_addr . inet_proto . inet_service"),
        ("virtual_address4", "ipv4_addr")))
    assert "set served4" in ruleset
    lab.ip("netns add floor\n")
    try:
        lab.ip("link set lo up\nlink add podferry0 type dummy\nlink set podferry0 up\n", "floor")
        lab.on("floor", "nft", "add table inet podferry\n" + sets)
        words = lab.on("floor", "bench-floor", str(size), str(PODS)).split()
        return float(words[words.index("total") + 1])
    finally:
        lab.ip("netns del floor\n")


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
    page = lab.on("node", "curl", "-s", "http://127.0.0.1:10249/metrics")
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith("podferry_netlink_operations_total"))


def clear(lab):
    lab.podferry("cleanup", "--config", f"{lab.folder}/config.yaml")


def full_start(lab, size):
    """The median of three starts, each beside a run of the floor and of the bare parse."""
    ratios = {"kernel": [], "decided": [], "reading": []}
    files = [lab.manifests / "services.json", lab.manifests / "slices.json"]
    write_list(files[0], [service(n) for n in range(size)])
    write_list(files[1], [endpoint_slice(n) for n in range(size)])
    for attempt in range(3):
        if attempt:
            lab.stop_podferry()
            clear(lab)
        lab.start_podferry()
        phases = start_seconds(lab)
        least = min(floor(lab, size) for _ in range(2))
        parse = min(float(lab.on("node", "bench-parse", *map(str, files)).split()[1]) for _ in range(2))
        ratios["kernel"].append(phases["kernel"] / least)
        ratios["decided"].append((phases["planning"] + phases["kernel"]) / least)
        ratios["reading"].append(phases["reading"] / parse)
        print(f"  start {attempt + 1}: reading {phases['reading']:.3f} planning {phases['planning']:.3f} kernel "
              f"{phases['kernel']:.3f} complete {phases['complete']:.3f} s; floor {least:.3f} s, bare parse {parse:.3f} s", flush=True)
    figure("start_kernel_over_floor", statistics.median(ratios["kernel"]), "ratio", size)
    figure("start_decided_over_floor", statistics.median(ratios["decided"]), "ratio", size)
    figure("start_reading_over_parse", statistics.median(ratios["reading"]), "ratio", size)
    figure("peak_rss_mib", memory(lab), "MiB", size)
    servers = lab.ipvs().count("-A ")
    assert servers == size, f"{servers} virtual servers instead of {size}"


def changes(lab, size):
    """A Service added, then one of its pods gone, each as a file of its own, renamed into place."""
    took = []
    for i in range(CHANGES // 2):
        name, number = f"new-{i}", size + i
        for pods in (PODS, PODS - 1):
            fresh = lab.manifests / f".{name}"
            write_list(fresh, [service(number, name), endpoint_slice(number, name, pods)])
            took.append(float(lab.on("node", "bench-change", str(fresh), str(lab.manifests / f"{name}.json"),
                                     address("10.100", number), "80", str(pods))))
    figure("change_p50_ms", statistics.median(took), "ms", size)
    figure("change_max_ms", max(took), "ms", size)


def idle(lab, size):
    """A minute with nothing to do but one audit."""
    audits, before, cpu = lab.metric("podferry_audits_total"), writes(lab), cpu_seconds(lab)
    time.sleep(60)
    wait_until("an audit has run", lambda: lab.metric("podferry_audits_total") > audits, 30)
    figure("idle_writes", writes(lab) - before, "writes", size)
    figure("idle_cpu_s_per_min", cpu_seconds(lab) - cpu, "s", size)
    page = lab.on("node", "curl", "-s", "http://127.0.0.1:10249/metrics")
    total = next(float(line.split()[-1]) for line in page.splitlines()
                 if line.startswith('podferry_sync_duration_seconds_sum{kind="audit"}'))
    figure("audit_s", total / lab.metric("podferry_audits_total"), "s", size)


def pods_instead_of_slices(lab, size):
    """What it costs to hold pods: memory, and no more than that (they have no probes here)."""
    lab.stop_podferry()
    clear(lab)
    for path in lab.manifests.iterdir():
        path.unlink()
    items = []
    for n in range(size):
        one = service(n)
        one["spec"]["selector"] = {"app": f"svc-{n}"}
        items += [one] + [pod(n, p) for p in range(PODS)]
    write_list(lab.manifests / "all.json", items)
    lab.start_podferry()
    figure("peak_rss_with_pods_mib", memory(lab), "MiB", size)


def main():
    sizes = {"small": [1000], "full": [1000, 10000]}.get(sys.argv[1] if len(sys.argv) > 1 else "small")
    if not sizes:
        sys.exit(__doc__)
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=False)
    for size in sizes:
        with Lab() as lab:
            config = lab.folder / "config.yaml"
            config.write_text(config.read_text().replace("10.96.0.0/16", "10.100.0.0/16").replace("audit_period: 3s", "audit_period: 1m"))
            full_start(lab, size)
            changes(lab, size)
            idle(lab, size)
            pods_instead_of_slices(lab, size)
    print(f"bench: {'all bounds hold' if not broken else 'broken bounds: ' + ', '.join(broken)}")
    return 1 if broken and "--strict" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
