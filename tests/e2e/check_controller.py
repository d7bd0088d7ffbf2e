#!/usr/bin/env python3
"""`podferry controller` on a real API server, with the rights of its Helm chart; runs on the host, next to the control plane: it needs no
node and no kernel.

    check_controller.py --podferry PROGRAM [NAME...]
"""
import argparse
import contextlib
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

import build
from chart import CHART, NAMESPACE
from control_plane import ControlPlane, ControlPlaneError, free_port, stretched
from stopping_proxy import StoppingProxy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
from figures import figure  # noqa: E402

SPACE = "balanced"
ACCOUNT = "podferry-controller"
CONDITION = "podferry.io/LoadBalancerAddress"
POOL = "pools:\n- {{name: small, addresses: [{}]}}\n"


class Failure(AssertionError):
    """What was expected did not happen."""


def expect(truth, what):
    if not truth:
        raise Failure(what)


def wait_until(what, holds, within=30):
    """Returns how long it took."""
    start = time.monotonic()
    while not holds():
        if time.monotonic() - start > stretched(within):
            raise Failure(f"after {stretched(within):.0f} s not yet: {what}")
        time.sleep(0.05)
    return time.monotonic() - start


class Controller:
    """A running one."""

    def __init__(self, checks, name, port=None):
        self.name = name
        self.pages = free_port()
        self.log = checks.folder / f"{name}.log"
        self.kubeconfig = checks.kubeconfig(name, port or checks.plane.api_port)
        self.process = subprocess.Popen(
            [checks.podferry, "controller", f"--config={checks.config}", f"--kubeconfig={self.kubeconfig}", f"--lease-namespace={NAMESPACE}",
             f"--lease-name={ACCOUNT}", f"--listen=127.0.0.1:{self.pages}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "w"))

    def page(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.pages}{path}", timeout=stretched(5)) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def metric(self, name, **labels):
        for found, value in re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", self.page("/metrics"), flags=re.MULTILINE):
            if labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', found)).items():
                return float(value)
        return None

    def leads(self):
        return self.metric("podferry_lb_leader") == 1 and "leading" in self.page("/readyz")

    def kill(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(stretched(30))

    def said(self):
        return self.log.read_text(errors="replace")


class Checks:
    def __init__(self, plane, podferry, folder):
        self.plane = plane
        self.podferry = podferry
        self.folder = folder
        self.config = folder / "pools/controller.yaml"
        self.config.parent.mkdir()
        self.running = []
        self.give_rights()

    # ---- the world ----------------------------------------------------------------------------------------------
    def give_rights(self):
        rendered = subprocess.run([str(build.helm()), "template", "podferry", str(CHART), "-n", NAMESPACE, "--set", "controller.enabled=true",
                                   "--show-only", "templates/controller-rights.yaml"], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.plane.kubectl("apply", "-n", NAMESPACE, "-f", "-", given=rendered)
        self.plane.kubectl("create", "namespace", SPACE)

    def kubeconfig(self, name, port):
        token = self.plane.kubectl("create", "token", ACCOUNT, "-n", NAMESPACE).strip()
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
            "clusters": [{"name": "e2e", "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(self.plane.certificates.ca)}}],
            "users": [{"name": "controller", "user": {"token": token}}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "controller"}}]}))
        return path

    def write_pools(self, text):
        """As the kubelet does: beside, then renamed."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.config)

    def start(self, name, port=None):
        controller = Controller(self, name, port)
        self.running.append(controller)
        return controller

    def leader(self, name, port=None):
        controller = self.start(name, port)
        wait_until(f"{name} leads", controller.leads, 60)
        return controller

    def tidy_up(self):
        for controller in self.running:
            controller.kill()
        self.running.clear()
        self.plane.kubectl("delete", "services", "--all", "-n", SPACE, "--wait=true")
        self.plane.kubectl("delete", "lease", ACCOUNT, "-n", NAMESPACE, "--ignore-not-found")
        self.plane.kubectl("delete", "events.events.k8s.io", "--all", "-n", SPACE)

    def create(self, *names, **spec):
        self.plane.kubectl("create", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": SPACE},
             "spec": {"type": "LoadBalancer", "loadBalancerClass": "podferry.io/edge", "allocateLoadBalancerNodePorts": False,
                      "ports": [{"port": 80}], **spec}} for name in names]}))

    def services(self):
        return {item["metadata"]["name"]: item for item in json.loads(self.plane.kubectl("get", "services", "-n", SPACE, "-o", "json"))["items"]}

    def addresses(self):
        """Of each Service that has some."""
        found = {name: [each["ip"] for each in item["status"].get("loadBalancer", {}).get("ingress", [])] for name, item in self.services().items()}
        return {name: addresses for name, addresses in found.items() if addresses}

    def condition(self, name):
        return next((each for each in self.services()[name]["status"].get("conditions", []) if each["type"] == CONDITION), {})

    def events(self, name):
        items = json.loads(self.plane.kubectl("get", "events.events.k8s.io", "-n", SPACE, "-o", "json"))["items"]
        return {item["reason"]: item["note"] for item in items if item["regarding"]["name"] == name}

    def no_address_is_twice(self):
        given = [address for addresses in self.addresses().values() for address in addresses]
        expect(len(given) == len(set(given)), f"an address was given twice: {self.addresses()}")
        return len(given)

    # ---- what it does -------------------------------------------------------------------------------------------
    def it_gives_addresses_and_says_when_there_are_none(self):
        self.write_pools(POOL.format("192.0.2.1-192.0.2.2"))
        leader = self.leader("one")
        self.create("first")
        took = wait_until("the first Service has its address", lambda: self.addresses() == {"first": ["192.0.2.1"]})
        figure("lb_address_s", took, "s", digits=2)
        expect(self.services()["first"]["status"]["loadBalancer"]["ingress"] == [{"ip": "192.0.2.1", "ipMode": "VIP"}], self.services()["first"]["status"])
        wait_until("its Event is there", lambda: "AddressAllocated" in self.events("first"))
        expect(self.condition("first")["status"] == "True" and self.condition("first")["message"] == "192.0.2.1 of pool small", self.condition("first"))
        self.create("second")
        wait_until("the second one has its", lambda: len(self.addresses()) == 2)
        self.create("third")
        wait_until("the third one is told", lambda: "PoolExhausted" in self.events("third"))
        expect("add addresses to it" in self.events("third")["PoolExhausted"], self.events("third"))
        expect(leader.metric("podferry_lb_services_unsatisfied", reason="PoolExhausted") == 1, "nobody counts it")
        expect(leader.metric("podferry_lb_pool_addresses_in_use", pool="small") == 2, "the pool's use")
        self.plane.kubectl("delete", "service", "first", "-n", SPACE)
        wait_until("a free address goes to who waits", lambda: self.addresses().get("third") == ["192.0.2.1"])
        expect(self.condition("third")["reason"] == "AddressAllocated", self.condition("third"))

    def it_gives_back_what_is_not_of_its_type_any_more(self):
        self.write_pools(POOL.format("192.0.2.1"))
        self.leader("one")
        self.create("first")
        wait_until("it has its address", lambda: self.addresses() == {"first": ["192.0.2.1"]})
        self.plane.kubectl("patch", "service", "first", "-n", SPACE, "--type=merge", "-p",
                           json.dumps({"spec": {"type": "ClusterIP", "loadBalancerClass": None, "allocateLoadBalancerNodePorts": None}}))
        self.create("second")
        wait_until("another one has it", lambda: self.addresses() == {"second": ["192.0.2.1"]})
        wait_until("nothing is left at the first", lambda: not self.condition("first"))

    def it_takes_new_pools_and_keeps_the_last_good_ones(self):
        self.write_pools(POOL.format("192.0.2.1"))
        leader = self.leader("one")
        self.create("first", "second")
        wait_until("one of them waits", lambda: leader.metric("podferry_lb_services_unsatisfied", reason="PoolExhausted") == 1)
        self.write_pools("pools:\n- {name: small, addresses: [192.0.2.1/24]}\n")
        wait_until("the mistake is told", lambda: leader.metric("podferry_lb_config_stale") == 1)
        expect("controller.yaml:2: pools[0].addresses[0]: '192.0.2.1/24' is neither a CIDR" in leader.said(), leader.said())
        expect(len(self.addresses()) == 1, "a bad file changes something")
        self.write_pools(POOL.format("198.51.100.1-198.51.100.9"))
        wait_until("the new pool is used", lambda: "198.51.100.1" in str(self.addresses()))
        kept, = (name for name, given in self.addresses().items() if given == ["192.0.2.1"])
        wait_until("who has an address of the old one keeps it, and is told", lambda: "AddressOutsidePools" in self.events(kept))
        expect(leader.metric("podferry_lb_config_stale") == 0, "it is not stale any more")

    def it_keeps_what_another_allocator_has_given(self):
        """MetalLB's Service, its annotations and status, when the allocator is exchanged."""
        self.write_pools("services_without_class: true\npools:\n- {name: old, addresses: [192.0.2.0/28]}\n")
        self.create("web", loadBalancerClass=None)
        self.plane.kubectl("annotate", "service", "web", "-n", SPACE, "metallb.universe.tf/address-pool=old", "metallb.io/ip-allocated-from-pool=old")
        self.plane.kubectl("patch", "service", "web", "-n", SPACE, "--subresource=status", "--type=merge", "-p",
                           json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9", "ipMode": "VIP"}]}}}))
        self.leader("one")
        self.create("other")
        wait_until("a new one has an address, and the old one is known", lambda: self.addresses() == {"web": ["192.0.2.9"], "other": ["192.0.2.0"]})
        wait_until("the old one is confirmed", lambda: self.condition("web").get("message") == "192.0.2.9 of pool old")

    def it_never_gives_an_address_twice_whoever_is_killed(self):
        """The leader is killed at each step between the choice of an address and the status that has it; what it has sent arrives later."""
        def reserves(method, path, body):
            return method == "PATCH" and f"/leases/{ACCOUNT}" in path and "address-reservations\":\"" in body

        def writes(method, path, _):
            return method == "PATCH" and path.endswith("/services/victim/status")

        for number, (step, matches, before) in enumerate((
                ("before the reservation", reserves, True), ("after the reservation", reserves, False),
                ("before the status", writes, True), ("after the status", writes, False))):
            self.tidy_up()
            self.write_pools(POOL.format("192.0.2.1-192.0.2.2"))
            certificate, key = self.plane.serving
            proxy = StoppingProxy(self.plane.api_port, str(self.plane.certificates.ca), str(certificate), str(key))
            with contextlib.closing(proxy):
                first = self.leader(f"killed{number}", proxy.port)
                proxy.stop_at(matches, before)
                self.create("victim")
                expect(proxy.stopped.wait(stretched(30)), f"{step}: it is never reached")
                first.kill()
                self.plane.kubectl("patch", "lease", ACCOUNT, "-n", NAMESPACE, "--type=merge", "-p", json.dumps({"spec": {"holderIdentity": ""}}))
                self.create("beside")  # it wants what the victim was about to get
                second = self.leader(f"after{number}")
                late = proxy.forward_held() if before else None
                wait_until(f"{step}: both have an address", lambda: len(self.addresses()) == 2)
                expect(self.no_address_is_twice() == 2, f"{step}: {self.addresses()}")
                # A status may still be taken: nobody else has got its address meanwhile. A Lease may not.
                expect(late in ((None, 200, 409) if matches is writes else (None, 409)), f"{step}: a write of the former leader's was taken: {late}")
            wait_until(f"{step}: nothing is reserved any more", lambda: "address-reservations" not in self.plane.kubectl(
                "get", "lease", ACCOUNT, "-n", NAMESPACE, "-o", "json"))
            self.plane.kubectl("delete", "services", "--all", "-n", SPACE)
            self.create("again", "more")
            wait_until(f"{step}: both addresses can be given again", lambda: len(self.addresses()) == 2)
            expect(second.metric("podferry_lb_pool_addresses_in_use", pool="small") == 2, f"{step}: an address is lost")

    def it_takes_over_from_a_leader_that_is_gone(self):
        self.write_pools(POOL.format("192.0.2.0/28"))
        first = self.leader("one")
        second = self.start("two")
        wait_until("the second one waits", lambda: "waiting" in second.page("/readyz"))
        self.create("before")
        wait_until("the first one leads", lambda: len(self.addresses()) == 1)
        kept = self.addresses()
        first.kill()
        self.create("meanwhile")
        took = wait_until("the second one has taken over", lambda: len(self.addresses()) == 2, 40)
        figure("lb_controller_takeover_s", took, "s", digits=1, note="a Lease lasts 15 s")
        expect(kept.items() <= self.addresses().items(), f"an address has changed: {kept} {self.addresses()}")
        third = self.start("three")
        wait_until("the third one waits", lambda: "waiting" in third.page("/readyz"))
        second.kill(signal.SIGTERM)
        expect(second.process.returncode == 0, f"status {second.process.returncode}")
        self.create("afterwards")
        took = wait_until("the third one has been given the lead", lambda: len(self.addresses()) == 3, 20)
        figure("lb_controller_handover_s", took, "s", digits=1)
        self.no_address_is_twice()

    def it_gives_hundreds_of_addresses(self):
        self.write_pools("pools:\n- {name: large, addresses: [198.18.0.0/22]}\n")
        self.create(*(f"s{number}" for number in range(300)))
        leader = self.start("one")
        wait_until("it leads", lambda: leader.metric("podferry_lb_leader") == 1, 60)
        took = wait_until("all have an address", lambda: leader.metric("podferry_lb_pool_addresses_in_use", pool="large") == 300, 120)
        wait_until("all statuses say so", lambda: len(self.addresses()) == 300, 60)
        figure("lb_allocations_per_s", 300 / max(took, 0.01), "1/s", digits=0, note="300 Services, API server on the same two cores")
        expect(self.no_address_is_twice() == 300, "not all have one")


def run_all(plane, podferry, names=()):
    """Returns whether all checks hold."""
    results = []
    with tempfile.TemporaryDirectory(prefix="podferry-controller-") as folder:
        checks = Checks(plane, podferry, pathlib.Path(folder))
        for name in [name for name in vars(Checks) if name.startswith("it_") and (not names or name[3:] in names)]:
            try:
                getattr(checks, name)()
                print(f"ok    controller.{name[3:]}", flush=True)
                results.append(True)
            except Exception as error:
                print(f"FAIL  controller.{name[3:]}: {error}", flush=True)
                for controller in checks.running:
                    print(f"--- {controller.name} said:\n{controller.said()[-3000:]}")
                if not isinstance(error, (Failure, ControlPlaneError)):
                    traceback.print_exc(limit=-2, file=sys.stdout)
                results.append(False)
            checks.tidy_up()
    print(f"controller: {results.count(True)} passed, {results.count(False)} failed")
    return all(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podferry", required=True)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podferry-plane-") as folder, ControlPlane(
            pathlib.Path(folder), build.control_plane()) as plane:
        return 0 if run_all(plane, shutil.which(args.podferry) or args.podferry, args.names) else 1


if __name__ == "__main__":
    sys.exit(main())
