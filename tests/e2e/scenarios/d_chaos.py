"""The API through a proxy that spoils much of what passes (chaos_proxy.py), while everything changes."""
import os
import random
import time

from api import Refused
from expected import difference, everything_in_the_kernel, expected, in_the_kernel
from lab import Failure
from objects import endpoint, endpoint_slice, port, service
from pace import stretched

SECONDS = float(os.environ.get("E2E_CHAOS_SECONDS", "300"))
SEED = int(os.environ.get("E2E_CHAOS_SEED", "1"))
CHANGES_A_SECOND = 10
PATIENCE = 4  # times as long, at most, until every kind of failure has happened often enough
SETTLED_WITHIN = 120  # seconds after the last change, with the proxy calm
LEAST = max(1, int(SECONDS // 100))  # of each kind of failure: with fewer the scenario proves nothing

NAMES = [f"s{number:02}" for number in range(40)]
PORTS = [("http", 80, "TCP", 8080), ("admin", 81, "TCP", 8081), ("dns", 53, "UDP", 5353)]
ADDRESSES = list(range(1, 61))  # of ClusterIPs: few enough that one Service gets what another one had
NODE_PORTS = list(range(31000, 31012))
CONDITIONS = [{"ready": True}, {"ready": True}, {"ready": False, "serving": False},
              {"ready": False, "serving": True, "terminating": True}]


def it_is_right_after_five_minutes_of_chaos(cluster):
    """At the end the kernel holds what the API says, by an independent computation, and what a fresh podferry programs."""
    churn = Churn(cluster.api, SEED)
    for _ in range(100):
        churn.step()
    cluster.write_kubeconfig(cluster.ask_host("start-chaos", seed=SEED))
    cluster.start_podferry(within=300)
    lasted = until_all_has_happened(cluster, churn)
    counters = cluster.ask_host("calm-chaos")
    print(f"      seed {SEED}, {lasted:.0f} s: {churn.done} changes, {churn.services_made} Services made; "
          + ", ".join(f"{number} {what}" for what, number in counters.items()))
    if too_few(counters) or churn.done < CHANGES_A_SECOND * lasted / 4:
        raise Failure(f"the scenario proves nothing: fewer than {LEAST} {too_few(counters)}, or too few changes ({churn.done})")
    wanted = expected(cluster.api.list("Service", None)["items"], cluster.api.list("EndpointSlice", None)["items"])
    took = wait_for(cluster, wanted)
    fresh, inherited = start_afresh(cluster, wanted)
    if fresh != inherited:
        raise Failure(f"a fresh start programs something else:\n{difference(fresh, inherited)}")
    print(f"      right {took:.1f} s after the last change: {len(wanted[0])} lines of IPVS, {len(wanted[1])} routes")


def until_all_has_happened(cluster, churn):
    """Changes for SECONDS, and then on until each kind of failure has happened: how many requests podferry makes in a time
    depends on the machine. Returns how long that took."""
    start = time.monotonic()
    turn = SECONDS
    while True:
        churn.go_on(turn, lambda: must_be_running(cluster))
        lasted = time.monotonic() - start
        if not too_few(cluster.ask_host("chaos-so-far")) or lasted > PATIENCE * SECONDS:
            return lasted
        turn = 2


def too_few(counters):
    return [what for what, number in counters.items() if number < LEAST]


def must_be_running(cluster):
    status = cluster.processes["podferry"].poll()
    if status is not None:
        raise Failure(f"podferry ended with status {status}")


def wait_for(cluster, wanted):
    """Until the kernel holds it; returns how long that took."""
    start = time.monotonic()
    while (found := in_the_kernel(cluster)) != wanted:
        must_be_running(cluster)
        if time.monotonic() - start > stretched(SETTLED_WITHIN):
            raise Failure(f"after {stretched(SETTLED_WITHIN):.0f} s the kernel does not hold what the API says:\n"
                          + difference(wanted[0] | wanted[1], found[0] | found[1]))
        time.sleep(0.5)
    return time.monotonic() - start


def start_afresh(cluster, wanted):
    """What a podferry programs that finds nothing and speaks to the API server itself; and what the one before had."""
    inherited = everything_in_the_kernel(cluster)
    cluster.stop_podferry()
    cluster.podferry("cleanup", "--config", f"{cluster.folder}/config.yaml")
    if any(in_the_kernel(cluster)):
        raise Failure(f"cleanup leaves {in_the_kernel(cluster)}")
    cluster.write_kubeconfig()
    cluster.start_podferry()
    wait_for(cluster, wanted)
    return everything_in_the_kernel(cluster), inherited


class Churn:
    """Changes Services and slices at random, but repeatably. The slices are no controller's: their Services select nothing."""

    def __init__(self, api, seed):
        self.api = api
        self.random = random.Random(seed)
        self.services = set()
        self.slices = set()
        self.done = 0
        self.services_made = 0

    def go_on(self, seconds, check):
        start = time.monotonic()
        steps = 0
        while time.monotonic() - start < seconds:
            check()
            self.step()
            steps += 1
            time.sleep(max(0.0, start + steps / CHANGES_A_SECOND - time.monotonic()))

    def step(self):
        name = self.random.choice(NAMES)
        try:
            self.random.choice([self.change_service, self.change_slice, self.change_slice])(name)
            self.done += 1
        except Refused as refusal:
            if refusal.status != 422:  # another Service has the address or the node port
                raise

    # ---- Services -----------------------------------------------------------------------------------------------
    def change_service(self, name):
        if name not in self.services:
            self.create_service(name)
        elif self.random.random() < 0.3:
            self.delete_service(name)
            if self.random.random() < 0.5:  # another one under the same name, at once
                self.create_service(name)
        else:
            self.api.patch("Service", name, self.some_change())

    def create_service(self, name):
        kind = self.random.choices(["usual", "dual", "headless", "external"], [12, 4, 1, 1])[0]
        made = service(name, None, self.some_ports(), None)
        if kind == "external":
            made["spec"] = {"type": "ExternalName", "externalName": "db.example.com"}
        elif kind == "headless":
            made["spec"]["clusterIP"] = "None"
        else:
            number = self.random.choice(ADDRESSES)
            addresses = [f"10.96.1.{number}"] + ([f"fd00:96::{number:x}"] if kind == "dual" else [])
            made["spec"] |= {"clusterIP": addresses[0], "clusterIPs": addresses,
                             "ipFamilyPolicy": "RequireDualStack" if kind == "dual" else "SingleStack"}
        self.api.create(made)
        self.services.add(name)
        self.services_made += 1

    def delete_service(self, name):
        self.api.delete("Service", name)
        self.services.discard(name)

    def some_ports(self):
        chosen = self.random.sample(PORTS, self.random.randint(1, len(PORTS)))
        return [port(number, name, protocol, target) for name, number, protocol, target in chosen]

    def some_change(self):
        """A merge patch. What a headless or external Service does not take, the API server refuses."""
        choice = self.random.randrange(5)
        if choice == 0:
            return {"spec": {"ports": self.some_ports()}}
        if choice == 1:
            stays = self.random.random() < 0.5
            return {"spec": {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {
                "timeoutSeconds": self.random.randint(1, 10000)}}} if stays else {
                    "sessionAffinity": "None", "sessionAffinityConfig": None}}
        if choice == 2:
            ports = self.some_ports()
            for each, number in zip(ports, self.random.sample(NODE_PORTS, len(ports))):
                each["nodePort"] = number
            return {"spec": {"type": "NodePort", "ports": ports}}
        if choice == 3:
            return {"spec": {"type": "ClusterIP", "ports": [each | {"nodePort": None} for each in self.some_ports()]}}
        label = self.random.choice([None, None, "other-proxy"])
        return {"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": label}}}

    # ---- slices -------------------------------------------------------------------------------------------------
    def change_slice(self, service_name):
        """Each Service has at most three slices; one of them is of IPv6."""
        part = self.random.choice("ab6")
        name = f"{service_name}-{part}"
        if name in self.slices and self.random.random() < 0.2:
            self.api.delete("EndpointSlice", name)
            self.slices.discard(name)
            return
        ports = [{"name": each, "protocol": protocol, "port": target} for each, _, protocol, target
                 in self.random.sample(PORTS, self.random.randint(1, len(PORTS)))]
        endpoints = self.some_endpoints(part)
        if name in self.slices:
            self.api.patch("EndpointSlice", name, {"ports": ports, "endpoints": endpoints})
        else:
            self.api.create(endpoint_slice(name, service_name, endpoints, "IPv6" if part == "6" else "IPv4", ports))
            self.slices.add(name)

    def some_endpoints(self, part):
        """The two slices of IPv4 share no address: which conditions count then is another scenario's matter."""
        hosts = self.random.sample(range(1, 50), self.random.randint(0, 6))
        base = {"a": "10.1.7.", "b": "10.1.8.", "6": "fd00:1::7:"}[part]
        return [endpoint(f"{base}{host}", **self.random.choice(CONDITIONS)) for host in hosts]
