"""The lab's world as the node of a real cluster: the control plane is on the host, behind the node's second interface
`api0`; pods come and go as the API says (agent.py); podferry gets everything from the API.

    host's loopback 10.0.2.2 ---- api0 node 10.0.2.15 (podferry), 10.0.2.16 (tests and agent)
"""
import base64
import http.client
import json
import pathlib
import re
import ssl

from agent import NodeAgent
from api import AWAY, SHOP, Api, Refused
from lab import Failure, Lab, run, wait_until
from netns import network_namespace
from pace import stretched

HOST = "10.0.2.2"
PODFERRY_ADDRESS, TEST_ADDRESS = "10.0.2.15", "10.0.2.16"
FIRST_POD = 5  # pod1 to pod4 of the lab are clients
POD_ROOM = 8

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: e2e
clusters:
- name: e2e
  cluster: {{server: "https://{host}:{port}", certificate-authority-data: {ca}}}
users:
- name: podferry
  user: {{tokenFile: {token}}}
contexts:
- name: e2e
  context: {{cluster: e2e, user: podferry}}
"""

# What cannot be answered is sent all the same: neither side is told that the other one is gone.
BLACK_HOLE = f"""\
add table inet hole
add chain inet hole input {{ type filter hook input priority filter; }}
add rule inet hole input iifname "api0" ip daddr {PODFERRY_ADDRESS} drop
"""


def interface_of_the_machine():
    """The virtual machine's own one: it alone has a device."""
    for path in pathlib.Path("/sys/class/net").iterdir():
        if (path / "device").exists():
            return path.name
    raise Failure("the virtual machine has no network: vm.py --network")


class Cluster(Lab):
    def __init__(self, described):
        super().__init__()
        self.host = json.loads(pathlib.Path(described).read_text())
        self.trust = ssl.create_default_context(cafile=self.host["ca"])
        self.api = Api(self.connect_to_api, self.host["admin_token"])
        self.kubeconfig = self.folder / "kubeconfig"
        self.token = self.folder / "token"
        self.next_pod = FIRST_POD

    # ---- the world ----------------------------------------------------------------------------------------------
    def __enter__(self):
        self.agent = None
        self.ip(f"link set {interface_of_the_machine()} name api0\n")  # the lab has an eth0 of its own
        super().__enter__()
        self.attach_network()
        self.ask_host("stop-chaos")
        self.ask_host("start-api-server")
        self.api.create_unless_there({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP}})
        self.remove_objects()
        wait_until("the namespace has its service account", self.has_default_account, 60)
        self.agent = NodeAgent(self.api)
        self.make_room_for(POD_ROOM)
        self.agent.start()
        self.write_kubeconfig()
        return self

    def __exit__(self, *_):
        if self.agent:
            self.agent.stop()
        run(["ip", "-n", "node", "link", "set", "api0", "netns", "1"], check=False)
        super().__exit__()

    def attach_network(self):
        self.ip("link set api0 netns node\n")
        self.on("node", "sysctl", "-q", "-w", "net.ipv6.conf.api0.disable_ipv6=1")
        self.ip(f"addr add {PODFERRY_ADDRESS}/24 dev api0\naddr add {TEST_ADDRESS}/24 dev api0\nlink set api0 up\n", "node")

    def make_room_for(self, pods):
        """Network namespaces for so many pods more."""
        numbers = range(self.next_pod, self.next_pod + pods)
        self.make_pods(numbers)
        self.agent.free += reversed(numbers)
        self.next_pod = numbers.stop

    def remove_objects(self):
        """Of an earlier scenario. Slices follow their Services by the controller's hand, which may come late."""
        for kind, grace in (("Service", None), ("Pod", 0), ("Secret", None)):
            self.api.delete_all(kind, grace=grace)
        wait_until("the objects of earlier scenarios are gone", self.nothing_is_left, 60)

    def nothing_is_left(self):
        self.api.delete_all("EndpointSlice")
        return not any(self.api.list(kind)["items"] for kind in ("Service", "Pod", "EndpointSlice"))

    def has_default_account(self):
        try:
            return bool(self.api.get("ServiceAccount", "default"))
        except Refused:
            return False

    # ---- connections to the host --------------------------------------------------------------------------------
    def connect_to_api(self, timeout):
        connection = http.client.HTTPSConnection(HOST, self.host["api_port"], timeout=stretched(timeout), context=self.trust,
                                                 source_address=(TEST_ADDRESS, 0))
        return self.connected(connection)

    def connected(self, connection):
        with network_namespace("node"):
            connection.connect()
        connection.auto_open = 0  # by itself it would connect in the wrong namespace
        return connection

    def ask_host(self, verb, within=200, **arguments):
        """control_server.py does it and answers, within so many seconds."""
        connection = self.connected(http.client.HTTPConnection(HOST, self.host["control_port"], timeout=stretched(within),
                                                               source_address=(TEST_ADDRESS, 0)))
        try:
            connection.request("POST", f"/{verb}", json.dumps(arguments))
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise Failure(f"the host cannot {verb}: {said}")
        return said

    def cut_off_podferry(self):
        self.on("node", "nft", BLACK_HOLE)

    def let_podferry_through(self):
        self.on("node", "nft", "delete table inet hole")

    # ---- podferry -----------------------------------------------------------------------------------------------
    def source(self):
        return ["--kubeconfig", str(self.kubeconfig)]

    def start_podferry(self, *options, within=60, **how):
        super().start_podferry(*options, within=within, **how)

    def write_kubeconfig(self, port=None):
        ca = base64.b64encode(pathlib.Path(self.host["ca"]).read_bytes()).decode()
        self.write_token(self.request_token())
        self.kubeconfig.write_text(KUBECONFIG.format(host=HOST, port=port or self.host["api_port"], ca=ca, token=self.token))

    def request_token(self, seconds=3600, bound_to=None):
        return self.api.request_token(self.host["service_account"], self.host["namespace"], seconds, bound_to)

    def write_token(self, token):
        """As the kubelet does: beside, then renamed."""
        fresh = self.token.with_suffix(".new")
        fresh.write_text(token)
        fresh.rename(self.token)

    def metrics(self, name):
        """All values of a metric: [({"verb": "list"}, 3.0), ...]."""
        return [(dict(re.findall(r'(\w+)="([^"]*)"', labels or "")), float(value)) for labels, value in re.findall(
            rf"^{name}(?:\{{(.*)\}})? (\S+)$", self.metrics_page(), flags=re.MULTILINE)]

    def total(self, name, **labels):
        """The sum of a metric's values that have these labels."""
        return sum(value for has, value in self.metrics(name) if labels.items() <= has.items())

    def writes(self):
        """How many objects podferry has written to the kernel, by what it did; zeros are left out."""
        return {has["op"]: value for has, value in self.metrics("podferry_netlink_operations_total") if value
                and has["op"].split("-")[0] in ("add", "edit", "delete")}

    # ---- who serves ---------------------------------------------------------------------------------------------
    def pods_behind(self, address="10.96.0.5", port=80, protocol="t"):
        """Names of the pods that get a virtual server's connections; None when there is no such virtual server."""
        if not self.has_virtual_server(address, port, protocol):
            return None
        names = self.agent.names()
        return {names.get(int(place.removeprefix("pod")), f"{place}, where no pod is")
                for place, weight in self.weights(address, port, protocol).items() if weight}

    def wait_for_pods_behind(self, pods, address="10.96.0.5", port=80, protocol="t", within=20):
        """Returns how long it took. `pods` is None for no virtual server at all."""
        wanted = pods if pods is None else set(pods)
        seen = [None]

        def is_so():
            seen[0] = self.pods_behind(address, port, protocol)
            return seen[0] == wanted

        try:
            return wait_until(f"{address}:{port} goes to {wanted}", is_so, within)
        except Failure as failure:
            raise Failure(f"{failure}, but to {seen[0]}") from None

    def answers(self, address="10.96.0.5", port=80, space="pod4", protocol="tcp", count=6):
        return {who for who, _ in self.ask(space, protocol, address, port, count)}

    # ---- failures -----------------------------------------------------------------------------------------------
    def describe(self):
        text = super().describe() + f"---- podferry status\n{self.status_or_why_not()[-3000:]}\n"
        try:
            for name, tail in self.ask_host("log-tails").items():
                text += f"---- {name} on the host\n{tail}\n"
            for kind in ("Service", "EndpointSlice", "Pod"):
                text += f"---- {kind}\n" + "".join(f"{summary(item)}\n" for item in self.api.list(kind)["items"])
        except (*AWAY, Refused, Failure) as error:
            text += f"---- the API server says nothing: {error}\n"
        return text

    def status_or_why_not(self):
        return self.podferry("status", "--socket", f"{self.folder}/podferry.sock", check=False)


def summary(item):
    what = {name: item[name] for name in ("spec", "endpoints", "ports", "addressType") if name in item}
    return f"{item['metadata']['name']}: {json.dumps(what)[:1500]}"
