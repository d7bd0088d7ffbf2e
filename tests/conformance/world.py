"""The ring's network, in the virtual machine: the lab's node with its pods, a second node with pods of its own, and a client
outside, each linked to the other two.

    outside 192.168.50.100, .101 ------------- 192.168.50.10 node 10.1.0.1 ==== pod1..pod4 10.1.0.11...
        | 192.168.70.100                           | 192.168.60.10
        +------- 192.168.70.20 node2 192.168.60.20 +
                               10.1.1.1 ==== far1..far4 10.1.1.11...

No proxy runs on the second node. What its pods send goes through the node under test, also to each other, which therefore
sees both directions of it; only answers to the outside client go straight to it, as in a real network: that is where an
answer of a pod to a client that it should not have seen is lost.
"""
import json
import subprocess
import sys

from api import AWAY
from cluster import Cluster
from lab import HERE as LAB
from lab import PYTHON, Failure, wait_until
from model import DAEMON_PORT, LINK_IP, NODE2_IP, NODE2_SECOND_IP, OTHER_IP, OUTSIDE_IP, POD_PORT, PODS, SECOND_PORT, place_ip
from pod_servers import PodServers

HERE = LAB.parent / "conformance"
GATEWAY = {4: "10.1.1.1", 6: "fd00:1::1:1"}
BESIDE = {4: ("192.168.70.20", "192.168.70.100"), 6: ("fd00:70::20", "fd00:70::100")}  # node2's, outside's
LENGTH = {4: (24, 32), 6: (64, 128)}
FAR_PODS = {4: "10.1.1.0/24", 6: "fd00:1::1:0/112"}
FAMILIES = (4, 6)


class World(Cluster):
    def __enter__(self):
        super().__enter__()
        self.servers = []
        self.make_second_node()
        self.start_servers()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        super().__exit__()

    # ---- the network ------------------------------------------------------------------------------------------------
    def make_second_node(self):
        far = range(1, PODS + 1)
        spaces = ["node2", *(f"far{number}" for number in far)]
        self.ip("".join(f"netns add {space}\n" for space in spaces)
                + "link add eth1 netns node type veth peer name eth0 netns node2\n"
                + "link add eth1 netns node2 type veth peer name eth1 netns outside\n"
                + "".join(f"link add far{n} netns node2 type veth peer name eth0 netns far{n}\n" for n in far))
        self.spaces += spaces
        for space in ("node", "node2"):
            self.on(space, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                    "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0")
        self.on("node", "sysctl", "-q", "-w", "net.ipv4.conf.eth1.send_redirects=0")
        for space in self.spaces:  # else most refusals of one second are lost, and all clients are refused in one
            self.on(space, "sysctl", "-q", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        for family in FAMILIES:
            self.address_links(family)
            for number in far:
                self.attach_far_pod(number, family)

    def address_links(self, family):
        length, single = LENGTH[family]
        nodad = " nodad" if family == 6 else ""
        node2, outside = BESIDE[family]
        self.ip(f"link set eth1 up\naddr add {LINK_IP[family]}/{length} dev eth1{nodad}\n"
                f"route add {FAR_PODS[family]} via {NODE2_IP[family]}\n", "node")
        self.ip(f"link set eth1 up\naddr add {outside}/{length} dev eth1{nodad}\n"  # the other one only when it is asked for:
                f"addr add {OTHER_IP[family]}/{length} dev eth0 preferred_lft 0{nodad}\n", "outside")
        self.ip(f"link set lo up\nlink set eth0 up\nlink set eth1 up\naddr add {NODE2_IP[family]}/{length} dev eth0{nodad}\n"
                f"addr add {NODE2_SECOND_IP[family]}/{length} dev eth0{nodad}\n"
                f"addr add {node2}/{length} dev eth1{nodad}\n" + self.routes_of_node2(family, single), "node2")

    @staticmethod
    def routes_of_node2(family, single):
        """Its own, and those of its pods (table 100)."""
        return "".join(
            f"route add default via {LINK_IP[family]}{table}\n"
            + "".join(f"route add {address}/{single} via {BESIDE[family][1]}{table}\n"
                      for address in (OUTSIDE_IP[family], OTHER_IP[family]))
            for table in ("", " table 100"))

    def attach_far_pod(self, number, family):
        single, pod = LENGTH[family][1], place_ip(f"r{number}", family)
        nodad = " nodad" if family == 6 else ""
        self.ip(f"link set far{number} up\naddr add {GATEWAY[family]}/{single} dev far{number}{nodad}\n"
                f"route add {pod} dev far{number}\n", "node2")
        self.on("node2", "ip", *(["-6"] if family == 6 else []), "rule", "add", "iif", f"far{number}", "lookup", "100")
        self.ip(f"link set lo up\nlink set eth0 up\naddr add {pod}/{single} dev eth0{nodad}\n"
                f"route add {GATEWAY[family]} dev eth0\nroute add default via {GATEWAY[family]}\n", f"far{number}")

    def change_address(self, verb, addresses):
        """Of the node: adds or deletes them."""
        for family, address in addresses.items():
            self.ip(f"addr {verb} {address}/{LENGTH[family][0]} dev eth0{' nodad' if family == 6 and verb == 'add' else ''}\n", "node")

    def give_to_balancer(self, addresses):
        """Addresses of a load balancer outside of the cluster, which answers for itself."""
        for address in addresses:
            self.ip(f"addr add {address} dev lo\n", "outside")

    # ---- programs ---------------------------------------------------------------------------------------------------
    def start_servers(self):
        """In pods; on both nodes as host-network pods; and daemons that nobody may reach through a Service."""
        pods = {f"p{n}": f"pod{n}" for n in range(1, PODS + 1)} | {f"r{n}": f"far{n}" for n in range(1, PODS + 1)}
        nodes = {"host": "node", "node2": "node2"}
        for port, places in ((POD_PORT, pods | nodes), (SECOND_PORT, pods), (DAEMON_PORT, nodes), (80, {"balancer": "outside"})):
            server = PodServers(port)
            self.servers.append(server)
            for name, space in places.items():
                word = "" if port in (POD_PORT, 80) else f":{port}"
                server.open(name + word, space)
        sctp = self.spawn("sctp", "node", [PYTHON, str(HERE / "sctp_pods.py"), str(POD_PORT),
                                           *(f"{name}={space}" for name, space in pods.items())], stdout=subprocess.PIPE, text=True)
        if sctp.stdout.readline().strip() != "ready":
            raise Failure("the pods' SCTP servers did not start")

    def start_client(self, space, cells, *options):
        """A client in that namespace, with its cells."""
        client = subprocess.Popen(["ip", "netns", "exec", space, PYTHON, str(HERE / "client.py"), *options], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stdout)
        client.stdin.write(json.dumps([cell.told() for cell in cells]) + "\n")
        client.stdin.flush()
        return client

    @staticmethod
    def finish_client(client, limit=1200):
        said, _ = client.communicate(timeout=limit)
        if client.returncode != 0:
            raise Failure(f"a client ended with status {client.returncode}")
        return json.loads(said)

    def keep(self, **what):
        """Gives results to the host."""
        try:
            self.ask_host("keep", **what)
        except AWAY as error:
            raise Failure(f"the host does not take the results: {error}") from None

    def wait_for_answer(self, address, pod, within):
        """From a pod, by Service address."""
        return wait_until(f"{address} is answered by {pod}", lambda: [who for who, _ in self.ask(
            "pod4", "tcp", address, 80, 1)] == [pod], within)
