"""The proxies that are compared: how each is started, when the kernel has all of its rules, and what it leaves behind."""
import json
import re
import signal
import subprocess
import time

from lab import Failure, wait_until
from model import POD_CIDR
from pace import stretched
from scenarios import CANARY
from services_page import differences

COMPLETE_WITHIN = 600
NODE_PORT_ADDRESSES = ("192.168.50.0/24", "fd00:50::/64")
FILTERS = (("iptables-save",), ("ip6tables-save",))


class Proxy:
    def __init__(self, world, programs):
        self.world = world
        self.program = f"{programs}/kube-proxy"
        self.log = world.folder / f"{self.title}.log"

    def start_and_wait(self):
        """Seconds until the kernel has everything, judged by the last Service's answers and what is in the kernel."""
        began = time.monotonic()
        self.start()
        for family in (4, 6):
            wait_until(f"{self.title} is complete", lambda: self.answers(CANARY.address("cluster", family)), COMPLETE_WITHIN)
        wait_until(f"{self.title} writes no more", self.is_settled, COMPLETE_WITHIN)
        return time.monotonic() - began

    def answers(self, address):
        self.check_alive()
        return [who for who, _ in self.world.ask("pod4", "tcp", address, 80, 1)] == ["p1"]

    def check_alive(self):
        process = self.world.processes[self.title]
        if process.poll() is not None:
            raise Failure(f"{self.title} ended with status {process.returncode}:\n{self.log.read_text()[-3000:]}")

    def is_settled(self):
        """Nothing of what belongs to IPVS has changed for a while."""
        before = self.world.ipvs()
        time.sleep(1)  # what is asked is whether anything changes in it
        return self.world.ipvs() == before

    def check_words(self):
        """What it says of itself, of podferry."""

    def stop(self):
        process = self.world.processes[self.title]
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=stretched(30))

    def stop_and_clean(self):
        """What is left then, in a few words; "nothing left" is as it should be."""
        self.stop()
        said = self.clean()
        left = self.leftovers() + " left"
        self.world.on("node", "conntrack", "-F", check=False)
        return f"{said}, {left}" if said else left

    def leftovers(self):
        """Whatever any proxy could have left; the node had none of it before."""
        found = []
        on = self.world.on
        if on("node", "ipvsadm-save", "-n").strip():
            found.append("virtual servers")
        tables = re.findall(r"^table (\S+ (?:kube-proxy|podferry)\S*)", on("node", "nft", "list", "tables", check=False), re.MULTILINE)
        found += [f"table {name}" for name in tables]
        links = on("node", "ip", "-br", "link")
        found += [f"link {name}" for name in ("kube-ipvs0", "podferry0") if re.search(rf"^{name}\b", links, re.MULTILINE)]
        found += ["routes"] if self.world.routes().strip() else []
        for command in FILTERS:
            if "-A KUBE-" in on("node", *command, check=False):
                found.append(f"rules of {command[0].removesuffix('-save')}")
        if "KUBE-" in on("node", "ipset", "list", "-n", check=False):
            found.append("ipsets")
        return ", ".join(found) or "nothing"


class KubeProxy(Proxy):
    def start(self):
        world = self.world
        kubeconfig = world.folder / "kube-proxy.kubeconfig"
        kubeconfig.write_text(world.kubeconfig.read_text().replace(f"tokenFile: {world.token}",
                                                                   f"token: {world.host['admin_token']}"))
        world.spawn(self.title, "node", [
            self.program, f"--kubeconfig={kubeconfig}", f"--proxy-mode={self.mode}", "--hostname-override=node",
            f"--cluster-cidr={','.join(POD_CIDR.values())}", f"--nodeport-addresses={','.join(NODE_PORT_ADDRESSES)}",
            "--conntrack-max-per-core=0", "--v=2"], stdout=subprocess.DEVNULL, stderr=open(self.log, "w"))

    def clean(self):
        """Its ipvs mode says that it failed, for want of order, and has removed everything nevertheless."""
        done = subprocess.run(["ip", "netns", "exec", "node", self.program, "--cleanup"], capture_output=True, timeout=300)
        return f"status {done.returncode}" if done.returncode else ""


class Nftables(KubeProxy):
    title, mode = "nftables", "nftables"

    def is_settled(self):
        """Each family is one transaction: what the last Service's answer has shown already."""
        return True


class Ipvs(KubeProxy):
    title, mode = "ipvs", "ipvs"

    def is_settled(self):
        """The rules of iptables come last, after all sets."""
        ours = all("-A KUBE-SERVICES" in self.world.on("node", *command, check=False) for command in FILTERS)
        return ours and super().is_settled()


class Podferry(Proxy):
    title = "podferry"

    def start(self):
        self.world.log_path = self.log
        path = self.world.folder / "config.yaml"
        if NODE_PORT_ADDRESSES[0] not in path.read_text():
            listed = ", ".join(f'"{cidr}"' for cidr in NODE_PORT_ADDRESSES)
            path.write_text(path.read_text().replace("audit_period: 3s", f"audit_period: 1m\nnode_port_addresses: [{listed}]"))
        self.world.start_podferry(wait=False)

    def is_settled(self):
        return self.world.podferry_is_ready() and super().is_settled()

    def check_words(self):
        """`podferry services` shows what IPVS has, for all cells at once."""
        wrong = list(differences(json.loads(self.world.services("-o", "json")), self.world.ipvs()))
        if wrong:
            raise Failure("podferry services and IPVS differ:\n" + "\n".join(wrong))

    def clean(self):
        """Fails when the command does."""
        self.world.podferry("cleanup", "--config", str(self.world.folder / "config.yaml"))
        return ""


PROXIES = {kind.title: kind for kind in (Nftables, Ipvs, Podferry)}
