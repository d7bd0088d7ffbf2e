#!/usr/bin/env python3
"""A long time of changes with faults by turns: `./dev soak MINUTES`, in the lab's machine. At the end nothing is broken any
more, and the kernel must hold what this file computes from the manifests by itself; and podferry's memory must be flat.

    soak.py MINUTES [SEED]
"""
import ipaddress
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

from lab import PODFERRY, POD_PORT, Failure, Lab, wait_until

SERVICES = 40
ADDRESSES = 60  # endpoints that there can be; nobody listens on them: this is about what the kernel holds
CHANGES_A_TURN = 8
SETTLED = 90  # seconds that podferry has at the end
GROWTH = 1.25  # resident memory at the end over that after a third of the time


class World:
    """What the manifests say, kept as values."""

    def __init__(self, dice):
        self.dice = dice
        self.services = {}
        for number in range(SERVICES):
            self.services[number] = self.some_service(number)

    def some_service(self, number):
        ports = self.dice.sample(range(80, 90), self.dice.randint(1, 3))
        return {"ip": f"10.96.1.{number + 1}", "ip6": f"fd00:96::{0x100 + number:x}", "ports": sorted(ports), "protocol": self.dice.choice(["TCP", "UDP"]),
                "external": self.dice.random() < 0.2, "endpoints": self.some_endpoints()}

    def some_endpoints(self):
        """Address: ready."""
        return {number: self.dice.random() < 0.9 for number in self.dice.sample(range(ADDRESSES), self.dice.randint(0, 8))}

    def change(self):
        number = self.dice.randrange(SERVICES)
        service = self.services.get(number)
        if service is None:
            self.services[number] = self.some_service(number)
        elif self.dice.random() < 0.1:
            del self.services[number]
        elif self.dice.random() < 0.2:
            self.services[number] = self.some_service(number)
        else:
            service["endpoints"] = self.some_endpoints()
        return number

    def manifest(self, number):
        """None: the Service is gone."""
        service = self.services.get(number)
        if service is None:
            return None
        text = (f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: soak}}\nspec:\n  clusterIP: {service['ip']}\n"
                f"  clusterIPs: [{service['ip']}, \"{service['ip6']}\"]\n  ipFamilies: [IPv4, IPv6]\n  ipFamilyPolicy: RequireDualStack\n")
        if service["external"]:
            text += f"  externalIPs: [203.0.113.{number + 1}]\n"
        text += "  ports:\n" + "".join(f"  - {{name: p{port}, port: {port}, protocol: {service['protocol']}, targetPort: {POD_PORT}}}\n"
                                       for port in service["ports"])
        for family in (4, 6):
            text += (f"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv{family}\nmetadata: {{name: s{number}-{family}, "
                     f"namespace: soak, labels: {{kubernetes.io/service-name: s{number}}}}}\nports:\n")
            text += "".join(f"- {{name: p{port}, port: {POD_PORT}, protocol: {service['protocol']}}}\n" for port in service["ports"])
            text += "endpoints:" + (" []\n" if not service["endpoints"] else "\n")
            for endpoint, ready in service["endpoints"].items():
                text += f"- {{addresses: [\"{self.endpoint(endpoint, family)}\"], conditions: {{ready: {str(ready).lower()}}}}}\n"
        return text

    @staticmethod
    def endpoint(number, family):
        return f"10.1.7.{number + 1}" if family == 4 else f"fd00:1::7:{number + 1:x}"

    def wanted(self):
        """The lines of `ipvsadm-save -n`, by virtual server: its real servers that take connections."""
        found = {}
        for number, service in self.services.items():
            fronts = [service["ip"], service["ip6"]] + ([f"203.0.113.{number + 1}"] if service["external"] else [])
            for front in fronts:
                family = 6 if ":" in front else 4
                reals = {self.endpoint(endpoint, family) for endpoint, ready in service["endpoints"].items() if ready}
                for port in service["ports"]:
                    found[(service["protocol"], ipaddress.ip_address(front), port)] = {ipaddress.ip_address(real) for real in reals}
        return found


def held(lab):
    """What the kernel has, as ipvsadm tells it: those without weight are on their way out."""
    found = {}
    for line in lab.ipvs().splitlines():
        words = line.split()
        protocol, front = {"-t": "TCP", "-u": "UDP"}.get(words[1]), words[2]
        if protocol is None:
            continue
        address, _, port = front.rpartition(":")
        key = (protocol, ipaddress.ip_address(address.strip("[]")), int(port))
        reals = found.setdefault(key, set())
        if words[0] == "-a" and words[words.index("-w") + 1] != "0":
            reals.add(ipaddress.ip_address(words[words.index("-r") + 1].rpartition(":")[0].strip("[]")))
    return found


def difference(lab, world):
    wanted, there = world.wanted(), held(lab)
    wrong = [f"{key}: wanted {sorted(map(str, wanted.get(key, {'no such virtual server'})))}, there {sorted(map(str, there.get(key, {'none'})))}"
             for key in sorted(wanted.keys() | there.keys(), key=str) if wanted.get(key) != there.get(key)]
    routes = set(re.findall(r"^local (\S+)", lab.routes(), re.M))
    addresses = {str(ipaddress.ip_address(service[kind])) for service in world.services.values() for kind in ("ip", "ip6")}
    return wrong + [f"routes: {sorted(routes ^ addresses)}"] if routes != addresses else wrong


def some(dice, lines, count=5):
    return dice.sample(lines, min(count, len(lines)))


# ---- faults: each is made, and mended by podferry or by what it returns --------------------------------------------------
def kill_and_start(lab, _):
    lab.stop_podferry(signal.SIGKILL)
    lab.start_podferry(within=60)


def stop_and_start(lab, _):
    lab.stop_podferry()
    lab.start_podferry(within=60)


def delete_virtual_servers(lab, dice):
    for line in some(dice, lab.ipvs().splitlines()):
        if line.startswith("-A"):
            lab.on("node", "ipvsadm", "-D", *line.split()[1:3], check=False)


def add_real_servers(lab, dice):
    for line in some(dice, lab.ipvs().splitlines()):
        if line.startswith("-A -t 10."):
            lab.on("node", "ipvsadm", "-a", *line.split()[1:3], "-r", "10.1.9.9:8080", "-m", check=False)


def delete_table(lab, _):
    lab.on("node", "nft", "delete", "table", "inet", "podferry", check=False)


def delete_device(lab, _):
    lab.on("node", "ip", "link", "del", "podferry0", check=False)


def delete_routes(lab, dice):
    for line in some(dice, lab.routes().splitlines()):
        if line.startswith("local 10."):
            lab.on("node", "ip", "route", "del", *line.split()[:2], "table", "local", check=False)


def write_nonsense(lab, dice):
    lab.write("nonsense.yaml", dice.choice(["{", "kind: Service\n", "a: &a [*a]\n", "\0\0", "- " * 5000, "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
                                            "spec: {ports: [{port: 99999}]}\n"]))
    return lambda: lab.remove("nonsense.yaml")


def claim_much(lab, _):
    """One Service that wants the addresses of others, and too many front ends."""
    addresses = ", ".join([f"10.96.1.{n}" for n in range(1, 30)] + [f"203.0.113.{n}" for n in range(1, 200)])
    ports = "".join(f"  - {{name: p{n}, port: {n}}}\n" for n in range(80, 280))
    lab.write("greedy.yaml", f"apiVersion: v1\nkind: Service\nmetadata: {{name: greedy, namespace: tenant, creationTimestamp: 2000-01-01T00:00:00Z}}\nspec:\n"
                             f"  clusterIP: 10.96.200.1\n  externalIPs: [{addresses}]\n  ports:\n{ports}")
    return lambda: lab.remove("greedy.yaml")


def switch_ipv6_off(lab, _):
    lab.on("node", "sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1")

    def mend():
        lab.on("node", "sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=0")
        lab.on("node", "ip", "-6", "addr", "add", "fd00:50::10/64", "dev", "eth0", "nodad", check=False)
        lab.on("node", "ip", "-6", "route", "add", "default", "via", "fd00:50::100", check=False)
    return mend


def drop_in_input(lab, _):
    lab.on("node", "nft", "add table inet soakfw; add chain inet soakfw input { type filter hook input priority 0; policy drop; }")
    return lambda: lab.on("node", "nft", "delete", "table", "inet", "soakfw")


def come_and_go(lab, dice):
    for number in range(10):
        name = f"veth{dice.randrange(10000)}x{number}"
        lab.on("node", "ip", "link", "add", name, "type", "dummy", check=False)
        lab.on("node", "ip", "link", "set", name, "up", check=False)
        lab.on("node", "ip", "link", "del", name, check=False)


FAULTS = [kill_and_start, delete_virtual_servers, delete_table, write_nonsense, claim_much, stop_and_start, add_real_servers, delete_device,
          switch_ipv6_off, drop_in_input, delete_routes, come_and_go]


def resident_mib(lab):
    found = subprocess.run(["pgrep", "-x", pathlib.Path(PODFERRY).name], capture_output=True, text=True).stdout.split()
    pid = found[0] if found else lab.processes["podferry"].pid
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def turn(lab, world, fault, dice):
    """A fault with changes before, during and after; True when podferry lives on."""
    mend = fault(lab, dice)
    for _ in range(CHANGES_A_TURN):
        number = world.change()
        text = world.manifest(number)
        if text:
            lab.write(f"s{number}.yaml", text)
        elif (lab.manifests / f"s{number}.yaml").exists():
            lab.remove(f"s{number}.yaml")
        time.sleep(dice.random() * 0.3)  # changes come at their own pace
    if mend:
        mend()
    if lab.processes["podferry"].poll() is not None:
        raise Failure(f"podferry ended after {fault.__name__}:\n{lab.log()[-3000:]}")


def soak(lab, minutes, seed):
    dice = random.Random(seed)
    world = World(dice)
    for number in world.services:
        lab.write(f"s{number}.yaml", world.manifest(number))
    lab.start_podferry(within=60)
    began = time.monotonic()
    turns, early = 0, None
    while time.monotonic() < began + minutes * 60 or turns < len(FAULTS):
        fault = FAULTS[turns % len(FAULTS)]
        turn(lab, world, fault, dice)
        turns += 1
        if early is None and turns >= len(FAULTS) and time.monotonic() > began + minutes * 20:
            early = resident_mib(lab)
        if turns % len(FAULTS) == 0:
            print(f"      {time.monotonic() - began:.0f} s, {turns} faults, {resident_mib(lab):.1f} MiB", flush=True)
    try:
        took = wait_until("the kernel holds what the manifests say", lambda: not difference(lab, world), SETTLED)
    except Failure:
        raise Failure("at the end the kernel differs:\n" + "\n".join(difference(lab, world)[:20])) from None
    last = resident_mib(lab)
    print(f"figure soak_faults {turns}\nfigure soak_changes {turns * CHANGES_A_TURN}\nfigure soak_settled_s {took:.1f}\n"
          f"figure soak_rss_first_mib {early or last:.1f}\nfigure soak_rss_last_mib {last:.1f}")
    if early and last > GROWTH * early + 4:
        raise Failure(f"memory grows: {early:.1f} MiB, then {last:.1f} MiB")


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int.from_bytes(os.urandom(4), "big")
    print(f"      seed {seed}", flush=True)
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=False)
    with Lab() as lab:
        try:
            soak(lab, minutes, seed)
        except Failure as failure:
            print(f"FAIL  soak (seed {seed}): {failure}\n{lab.describe()}")
            print("soak: 0 passed, 1 failed")
            return 1
    print("soak: 1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
