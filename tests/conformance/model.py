"""What a scenario is: a Service with hand-written endpoints, and the cells that come of it, each one front end asked by one
client. Addresses follow from a scenario's place in the table, so that they are the same on the host, which writes the
objects, and in the virtual machine, which tries them."""
import dataclasses

NAMESPACE = "conformance"
NODE_IP = {4: "192.168.50.10", 6: "fd00:50::10"}
LINK_IP = {4: "192.168.60.10", 6: "fd00:60::10"}  # the node's address on its link to the second node: no node port there
LATE_IP = {4: "192.168.50.12", 6: "fd00:50::12"}  # given to the node while the proxy runs
NODE2_IP = {4: "192.168.60.20", 6: "fd00:60::20"}
NODE2_SECOND_IP = {4: "192.168.60.21", 6: "fd00:60::21"}  # what a proxy does to it harms no other scenario
OUTSIDE_IP = {4: "192.168.50.100", 6: "fd00:50::100"}
OTHER_IP = {4: "192.168.50.101", 6: "fd00:50::101"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
PODS = 4  # on each of the two nodes
POD_PORT, SECOND_PORT, DAEMON_PORT = 8080, 8081, 9100
POD_CIDR = {4: "10.1.0.0/16", 6: "fd00:1::/64"}
MAIN_CLIENTS = ("pod", "far", "host", "outside")
FAMILY_NAME = {4: "IPv4", 6: "IPv6"}
FRONT_NAME = {"cluster": "ClusterIP", "node": "NodePort", "external": "ExternalIP", "lb": "LB", "late": "NodePort-late",
              "link": "NodePort-unselected"}


def place_ip(who, family):
    """Address of "p1" (a pod of the node under test), "r1" (one of the second node), "host" or "node2"."""
    if who in ("host", "node2"):
        return (NODE_IP if who == "host" else NODE2_IP)[family]
    node, number = ("0" if who[0] == "p" else "1"), 10 + int(who[1:])
    return f"10.1.{node}.{number}" if family == 4 else (f"fd00:1::{number}" if who[0] == "p" else f"fd00:1::1:{number}")


def node_of(who):
    return "node" if who[0] in "ph" else "node2"


# ---- clients: the network namespace, and the address from which it asks -------------------------------------------------
CLIENT_SPACE = {"pod": "pod4", "far": "far4", "host": "node", "outside": "outside", "other": "outside", "loopback": "node",
                "pod1": "pod1"}


def client_ips(client, family):
    """Its own addresses, which a pod may see; none for the node, whose are all "node"."""
    own = {"pod": place_ip("p4", family), "far": place_ip("r4", family), "outside": OUTSIDE_IP[family],
           "other": OTHER_IP[family], "pod1": place_ip("p1", family)}
    return [own[client]] if client in own else []


@dataclasses.dataclass
class Port:
    name: str = "http"
    number: int = 80
    protocol: str = "TCP"
    target: int = POD_PORT


@dataclasses.dataclass
class Ask:
    """A front end that is tried: "cluster", "node", "external", "lb", "loopback", "link", "late", or {family: address}."""
    front: object
    clients: tuple = MAIN_CLIENTS
    port: str = "http"  # of the Service
    number: int = 0  # another number than the port's
    protocol: str = ""  # another protocol than the port's
    label: str = ""  # stands in the cell's name behind the front end
    then: tuple = ()  # further front ends, asked in turn
    how: str = "who"  # "how many" counts the answering pods instead of naming them
    when: str = "main"  # "start": while the proxy starts; "late": after the node got one more address
    fast: bool = False  # no more attempts than are needed to see one answer


@dataclasses.dataclass
class Scenario:
    name: str
    endpoints: str = ""  # "p1 r1/terminating"; or a list of (endpoints, {port name: target port}), a slice each
    fronts: tuple = ("cluster",)
    spec: dict = dataclasses.field(default_factory=dict)
    ports: tuple = (Port(),)
    labels: dict = dataclasses.field(default_factory=dict)
    slice_labels: dict = dataclasses.field(default_factory=dict)
    ip_mode: str = "VIP"
    addresses: dict = dataclasses.field(default_factory=dict)  # {"external": {4: ..., 6: ...}} instead of its own
    clients: tuple = MAIN_CLIENTS
    families: tuple = (4, 6)
    asks: tuple = None  # instead of all fronts x ports
    more: tuple = ()  # beside them
    how: str = "who"
    ci: bool = False  # part of the subset that CI runs
    shows: str = ""  # D1 to D8
    index: int = 0  # set by the table

    # ---- addresses --------------------------------------------------------------------------------------------------
    def address(self, front, family):
        if isinstance(front, dict):
            return front[family]
        if front in self.addresses:
            return self.addresses[front][family]
        own = {"cluster": (f"10.96.10.{self.index}", f"fd00:96::{0x1000 + self.index:x}"),
               "external": (f"203.0.113.{self.index}", f"2001:db8:e::{self.index:x}"),
               "lb": (f"198.51.100.{self.index}", f"2001:db8:b::{self.index:x}"),
               "node": tuple(NODE_IP.values()), "loopback": tuple(LOOPBACK.values()), "link": tuple(LINK_IP.values()),
               "late": tuple(LATE_IP.values())}
        return own[front][family == 6]

    def node_port(self, place):
        return 30000 + 8 * self.index + place

    def health_port(self):
        return 32000 + self.index

    def number(self, ask):
        if ask.number:
            return ask.number
        place = [port.name for port in self.ports].index(ask.port)
        return self.node_port(place) if ask.front in ("node", "loopback", "link", "late") else self.ports[place].number

    # ---- objects ----------------------------------------------------------------------------------------------------
    def objects(self):
        return [self.service(), *self.slices()]

    def service(self):
        spec = dict(self.spec)
        kind = spec.setdefault("type", "LoadBalancer" if "lb" in self.fronts else "NodePort" if "node" in self.fronts else "ClusterIP")
        if kind != "ExternalName":
            spec.setdefault("ipFamilyPolicy", "RequireDualStack" if len(self.families) == 2 else "SingleStack")
            spec.setdefault("ipFamilies", [FAMILY_NAME[family] for family in self.families])
            spec.setdefault("clusterIPs", [self.address("cluster", family) for family in self.families])
            spec.setdefault("clusterIP", spec["clusterIPs"][0])
            spec["ports"] = [self.port_of_service(place, port) for place, port in enumerate(self.ports)]
        if "external" in self.fronts:
            spec["externalIPs"] = [self.address("external", family) for family in self.families]
        if spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
            spec["healthCheckNodePort"] = self.health_port()
        return {"apiVersion": "v1", "kind": "Service", "spec": spec, "metadata": {
            "name": self.service_name(), "namespace": NAMESPACE, "labels": dict(self.labels)}}

    def service_name(self):
        return self.name.replace(".", "-")

    def port_of_service(self, place, port):
        made = {"name": port.name, "port": port.number, "protocol": port.protocol, "targetPort": port.target}
        # The API server gives a load balancer node ports by itself, and might take another scenario's.
        if "node" in self.fronts or ("lb" in self.fronts and self.spec.get("allocateLoadBalancerNodePorts", True)):
            made["nodePort"] = self.node_port(place)
        return made

    def status(self):
        """The load balancer's addresses, or None."""
        if "lb" not in self.fronts:
            return None
        ingress = [{"ip": self.address("lb", family), "ipMode": self.ip_mode} for family in self.families]
        return {"status": {"loadBalancer": {"ingress": ingress}}}

    def slices(self):
        told = self.endpoints if isinstance(self.endpoints, list) else [(self.endpoints, {})]
        return [self.slice(f"{self.service_name()}-{family}-{number}", words.split(), targets, family)
                for family in self.families for number, (words, targets) in enumerate(told)]

    def slice(self, name, words, targets, family):
        ports = [{"name": port.name, "protocol": port.protocol, "port": targets.get(port.name, port.target)}
                 for port in self.ports]
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": FAMILY_NAME[family],
                "metadata": {"name": name, "namespace": NAMESPACE, "labels": {
                    "kubernetes.io/service-name": self.service_name(), "endpointslice.kubernetes.io/managed-by": "conformance",
                    **self.slice_labels}},
                "ports": ports, "endpoints": [endpoint(word, family) for word in words]}

    def possible(self):
        """How many endpoints could answer, rightly or wrongly."""
        told = self.endpoints if isinstance(self.endpoints, list) else [(self.endpoints, {})]
        return sum(len(words.split()) for words, _ in told)

    # ---- cells ------------------------------------------------------------------------------------------------------
    def cells(self):
        asks = self.asks
        if asks is None:
            asks = [Ask(front, self.clients, port.name, how=self.how) for front in self.fronts for port in self.ports]
        return [self.cell(ask, client, family) for ask in [*asks, *self.more] for family in self.families
                for client in ask.clients]

    def cell(self, ask, client, family):
        name = ask.front if isinstance(ask.front, str) else "address"
        front = f"{FRONT_NAME.get('node' if name == 'loopback' else name, name)}/v{family}"
        port = next(port for port in self.ports if port.name == ask.port)
        if ask.label or len(self.ports) > 1:
            front += ":" + (ask.label or f"{port.name}")
        targets = []
        for place in (ask.front, *ask.then):
            each = dataclasses.replace(ask, front=place)
            targets.append([ask.protocol or port.protocol.lower(), self.address(place, family), self.number(each)])
        possible = self.possible()
        tries = 6 if ask.fast or possible < 2 else 20 if possible == 2 else 32
        if ask.protocol == "health" or ask.protocol == "icmp":
            possible = tries = 1
        return Cell(f"{self.name} | {front} | {client}", self, client, family, targets, tries * len(targets), possible, ask)


@dataclasses.dataclass
class Cell:
    """One front end asked by one client."""
    id: str
    scenario: Scenario
    client: str
    family: int
    targets: list
    tries: int
    possible: int
    ask: Ask

    def told(self):
        """As client.py reads it."""
        return {"id": self.id, "targets": self.targets, "tries": self.tries, "possible": self.possible,
                "from": OTHER_IP[self.family] if self.client == "other" else None}

    def outcome(self, told):
        """What happened, in words that do not depend on addresses, order or chance."""
        answers, errors = told["answers"], told["errors"]
        vips = {target[1] for target in self.targets}
        sources = {source_name(source, self.client, self.family, vips) for _, source, _ in answers if source}
        parts = []
        if answers:
            who = sorted({who for who, _, _ in answers})
            text = ",".join(who) if self.ask.how == "who" else "one pod" if len(who) == 1 else "several pods"
            parts.append(text + (f" from {','.join(sorted(sources))}" if sources else ""))
        parts += sorted(errors)
        if told["slow"] > sum(count for *_, count in answers) // 2 or (not answers and told["slow"]):
            parts.append("late")
        return " + ".join(parts) or "nothing"

    def is_doubtful(self, told):
        """Worth another look when the machine is quiet: it answered only sometimes, or sometimes late."""
        total = sum(count for *_, count in told["answers"]) + sum(told["errors"].values())
        return bool(0 < told["slow"] < total or (told["answers"] and (told["errors"] or told["slow"])) or len(told["errors"]) > 1)


NODE_ADDRESSES = {"10.1.0.1", "fd00:1::1", "10.0.2.15", "10.0.2.16", *NODE_IP.values(), *LINK_IP.values(), *LATE_IP.values(),
                  *LOOPBACK.values()}


def source_name(source, client, family, vips):
    """The source address that a pod saw: the client's own, the node's, the virtual address itself, or as it is."""
    if source in client_ips(client, family):
        return "own"
    if source in NODE_ADDRESSES:
        return "node"
    return "vip" if source in vips else source


CONDITIONS = {"": {"ready": True, "serving": True, "terminating": False},
              "terminating": {"ready": False, "serving": True, "terminating": True},
              "dying": {"ready": False, "serving": False, "terminating": True},
              "unready": {"ready": False, "serving": False, "terminating": False}, "bare": {}}


def endpoint(word, family):
    """`WHO[/terminating|/dying|/unready|/bare][/zone=Z][/node=N]`; the last two are hints."""
    who, *rest = word.split("/")
    made = {"addresses": [place_ip(who, family)], "nodeName": node_of(who), "conditions": dict(CONDITIONS[""])}
    for part in rest:
        what, _, value = part.partition("=")
        if what in CONDITIONS:
            made["conditions"] = CONDITIONS[what]
        elif what == "zone":
            made.setdefault("hints", {})["forZones"] = [{"name": value}]
        elif what == "node":
            made.setdefault("hints", {})["forNodes"] = [{"name": value}]
        else:
            raise ValueError(f"endpoint {word}: what is {part}?")
    return made
