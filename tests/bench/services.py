#!/usr/bin/env python3
"""Whether the number of Services costs anything where it must not: dual-stack Services of type LoadBalancer with node ports
and source ranges, a tenth of them with externalTrafficPolicy Local. Prints "figure NAME VALUE UNIT" lines.
    services.py [SIZE] [--strict]      SIZE Services (10,000) beside 100, and beside 10 for the rate of connections;
                                       with --strict, a broken bound is exit status 1"""
import json
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

from bench import address, warm_up, write_list  # noqa: E402
from figures import conclude, figure  # noqa: E402
from kept_world import KeptWorld, rates_in_turns  # noqa: E402
from lab import Lab, pod_ip, wait_until  # noqa: E402

PODS = 3
CHANGES = 7
ROUNDS = 3
TURNS = 6
SECONDS = 2  # of each round
SPACES = ("node", "outside", "pod1", "pod4")
START_WITHIN = 900
FEWEST, FEW = 10, 100
PATHS = {"cluster_ip": "pod4", "cluster_ip6": "pod4", "load_balancer": "outside"}
CONFIG = """\
service_node_port_range: 20000-32767
folder_debounce: 0ms  # it would hide in both worlds what differs
"""


def ranges(number, generation=0):
    """Clients of the lab, and two networks for each family that no other Service has."""
    high, low = number >> 8, number & 255
    return ["192.168.50.0/24", f"172.{generation}.{high}.{low}/32", f"11.{high}.{low}.0/26", "fd00:50::/64",
            f"fd00:{generation + 0x1000:x}:{number:x}::/48", f"fd00:2000:{number:x}:1::/64"]


def service(number, generation=0):
    name = f"svc-{number}"
    policy = "Local" if number % 10 == 0 else "Cluster"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "bench"},
            "spec": {"type": "LoadBalancer", "clusterIP": cluster_ip(number), "clusterIPs": [cluster_ip(number), f"fd00:96::{number + 256:x}"],
                     "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack", "externalTrafficPolicy": policy,
                     "loadBalancerSourceRanges": ranges(number, generation),
                     "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080, "nodePort": 20000 + number}]},
            "status": {"loadBalancer": {"ingress": [{"ip": address("10.200", number)}, {"ip": f"fd00:200::{number + 256:x}"}]}}}


def cluster_ip(number):
    return address("10.100", number)


def endpoint_slice(number, family, addresses):
    name = f"svc-{number}"
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {
        "name": f"{name}-{family}", "namespace": "bench", "labels": {"kubernetes.io/service-name": name}},
        "addressType": f"IPv{family}", "ports": [{"name": "http", "protocol": "TCP", "port": 8080}],
        "endpoints": [{"addresses": [one], "nodeName": "node" if index == 0 else "elsewhere",
                       "conditions": {"ready": True, "serving": True, "terminating": False}}
                      for index, one in enumerate(addresses)]}


def slices(number, pods=PODS):
    places = [(number * PODS + p) % 60000 + 256 for p in range(pods)]
    return [endpoint_slice(number, 4, [f"10.2.{place >> 8}.{place & 255}" for place in places]),
            endpoint_slice(number, 6, [f"fd00:2::{place:x}" for place in places])]


class ServicesLab(Lab):
    """`size` Services, of which the last one has a real pod; no audit disturbs what is measured."""

    def __init__(self, size):
        super().__init__()
        self.size = size
        self.last = size - 1

    def __enter__(self):
        super().__enter__()
        config = self.folder / "config.yaml"
        config.write_text(config.read_text().replace("10.96.0.0/16", "10.100.0.0/16").replace("audit_period: 3s", "audit_period: 1h") + CONFIG)
        write_list(self.manifests / "services.json", [service(n) for n in range(self.size)])
        write_list(self.manifests / "slices.json", [one for n in range(self.last) for one in slices(n)] + [
            endpoint_slice(self.last, family, [pod_ip(1, family)]) for family in (4, 6)])
        return self


def kept_world(lab):
    return KeptWorld(lab, lab.size, SPACES, [(pod_ip(1, family), 8080) for family in (4, 6)])


def target(size, path):
    """Where a path's client connects to the last Service of so many: (space, address, port)."""
    address_of = {"cluster_ip": cluster_ip(size - 1), "cluster_ip6": f"fd00:96::{size - 1 + 256:x}",
                  "load_balancer": address("10.200", size - 1)}
    return PATHS[path], address_of[path], 80


def rates(worlds):
    """The best connections a second, by path and number of Services."""
    for world in worlds:
        wait_until(f"the pod answers with {world.name} Services",
                   lambda: all(world.answers(*target(world.name, path)) for path in PATHS), 60)
    best = {}
    for path in PATHS:
        found = rates_in_turns(worlds, TURNS, lambda world: world.connect(*target(world.name, path), SECONDS))
        for size, of_turns in found.items():
            print(f"  {size}: {path}, connections a second, by rounds: " + ", ".join(f"{one:.0f}" for one in of_turns), flush=True)
        best[path] = {size: max(of_turns) for size, of_turns in found.items()}
    return best


def rules(lab):
    """Of table `inet podferry`, without the elements of its sets."""
    listed = json.loads(lab.on("node", "nft", "-j", "-t", "list", "table", "inet", "podferry", timeout=300))
    return sum("rule" in item for item in listed["nftables"])


def beside(lab, generation, pods):
    """A Service more, as a file beside the others, ready to be renamed into place."""
    number = lab.size
    fresh = lab.manifests / ".changing"
    write_list(fresh, [service(number, generation), *slices(number, pods)])
    return str(fresh), str(lab.manifests / "changing.json")


def change_endpoints(lab, pods):
    return float(lab.on("node", "bench-change", *beside(lab, 0, pods), cluster_ip(lab.size), "80", str(pods)))


def change_ranges(lab, generation):
    """One network of each family becomes another one, both of lengths that others have too."""
    return float(lab.on("node", "bench-commit", *beside(lab, generation, PODS), "allowed4_32", "allowed6_48"))


def system_seconds(lab):
    """What podferry has spent inside the kernel, where a commit happens in its sendmsg."""
    return int(pathlib.Path(f"/proc/{lab.processes['podferry'].pid}/stat").read_text().rpartition(")")[2].split()[12]) / 100


def time_changes(lab):
    """Medians of each round in milliseconds, of which the best counts, as for rates."""
    change_endpoints(lab, PODS)
    endpoint, of_ranges, kernel = [], [], []
    for _round in range(ROUNDS):
        more = []  # one less is not timed: it may drain
        for _ in range(CHANGES):
            change_endpoints(lab, PODS - 1)
            more.append(change_endpoints(lab, PODS))
        endpoint.append(statistics.median(more))
        before = system_seconds(lab)
        of_ranges.append(statistics.median([change_ranges(lab, 16 + generation % 2) for generation in range(2 * CHANGES)]))
        kernel.append(1000 * (system_seconds(lab) - before) / (2 * CHANGES))
    for what, medians in (("endpoint", endpoint), ("ranges", of_ranges), ("of which in the kernel", kernel)):
        print(f"  {lab.size}: {what}, ms a change, by rounds: " + ", ".join(f"{median:.1f}" for median in medians), flush=True)
    return {"change_endpoint": min(endpoint), "change_ranges": min(of_ranges), "change_ranges_kernel": min(kernel)}


def measure(size, changes, keep):
    with ServicesLab(size) as lab:
        began = time.monotonic()
        lab.start_podferry(within=START_WITHIN)
        print(f"  {size}: ready after {time.monotonic() - began:.1f} s, kernel {lab.metric('podferry_start_seconds', phase='kernel'):.1f} s",
              flush=True)
        found = {"rules": rules(lab)} | (time_changes(lab) if changes else {})
        if keep:
            found["kept"] = kept_world(lab)
        return found


def best(worlds, name):
    return min(world[name] for world in worlds)


def main():
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    size = int(numbers[0]) if numbers else 10000
    warm_up()
    worlds = {FEWEST: [measure(FEWEST, changes=False, keep=True)], FEW: [], size: []}
    for one in (FEW, size, FEW):  # before and after the big one, as rates are measured in turns
        worlds[one].append(measure(one, changes=True, keep=one == size))
    kept = [worlds[one][0]["kept"] for one in (FEWEST, size)]
    try:
        found = rates(kept)
    finally:
        for world in kept:
            world.end()
    for few in (FEWEST, FEW, size):
        figure(f"services_nft_rules_{few}", worlds[few][0]["rules"], "rules")
    figure("services_nft_rules_more", worlds[size][0]["rules"] - worlds[FEW][0]["rules"], "rules", at_most=0)
    for name in ("change_endpoint", "change_ranges"):
        many, few = (best(worlds[one], name) for one in (size, FEW))
        figure(f"services_{name}_ms_{FEW}", few, "ms")
        figure(f"services_{name}_ms_{size}", many, "ms")
        figure(f"services_{name}_{size}_over_{FEW}", many / few, "ratio", at_most=1.5)
    figure(f"services_change_ranges_kernel_ms_{size}", best(worlds[size], "change_ranges_kernel"), "ms")
    for path, of_size in found.items():
        many, few = of_size[size], of_size[FEWEST]
        figure(f"services_rate_{path}_{FEWEST}", few, "connections/s")
        figure(f"services_rate_{path}_{size}", many, "connections/s")
        figure(f"services_rate_{path}_{size}_over_{FEWEST}", many / few, "ratio", at_least=0.9)
    return conclude()


if __name__ == "__main__":
    sys.exit(main())
