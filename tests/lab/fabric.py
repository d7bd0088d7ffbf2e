"""Other nodes beside the lab's, each a network namespace with one pod's address in it, on a switch of their own.

    node 192.168.60.10 ---- switch ---- 192.168.60.12 node2, pod 10.1.2.12
                               |-------- 192.168.60.13 node3, pod 10.1.3.13 ...
"""
import fcntl
import socket
import struct

from lab import NODE_IP, POD_PORT
from netns import network_namespace
from pod import Pod, listen

GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
CLUSTER_IP = "10.96.0.5"
SETTINGS = "node_check_service: kube-system/nodes\n"


def node_ip(number):
    return f"192.168.60.{10 + number}"


def remote_pod_ip(number):
    """Lab.weights() calls it podN."""
    return f"10.1.{number}.{10 + number}"


class Fabric:
    def __init__(self, lab, numbers):
        self.lab, self.numbers = lab, numbers

    def build(self):
        names = [f"node{n}" for n in self.numbers]
        self.lab.ip("netns add switch\n" + "".join(f"netns add {name}\n" for name in names))
        self.lab.spaces += ["switch", *names]
        links = "link add fabric netns node type veth peer name node netns switch\n"
        links += "".join(f"link add fabric netns {name} type veth peer name {name} netns switch\n" for name in names)
        self.lab.ip(links)
        self.lab.ip("link add bridge type bridge\nlink set bridge up\nlink set lo up\n" + "".join(
            f"link set {name} master bridge\nlink set {name} up\n" for name in ("node", *names)), "switch")
        self.lab.ip(f"addr add {node_ip(0)}/24 dev fabric\nlink set fabric up\n" + "".join(
            f"route add 10.1.{n}.0/24 via {node_ip(n)}\n" for n in self.numbers), "node")
        for n in self.numbers:
            self.lab.ip(f"link set lo up\nlink set fabric up\naddr add {node_ip(n)}/24 dev fabric\n"
                        f"addr add {remote_pod_ip(n)}/32 dev lo\n"
                        f"route add 10.1.0.0/24 via {node_ip(0)}\nroute add {NODE_IP[4]}/32 via {node_ip(0)}\n", f"node{n}")
            self.start_pod(n)
        return self

    def start_pod(self, number):
        name, space = f"pod{number}", f"node{number}"
        with network_namespace(space):
            sockets = listen(POD_PORT)
        self.lab.fork(f"remote-{name}", space, lambda: Pod(name, self.lab.folder / f"{name}.sick", *sockets).serve(), keep=sockets)
        for one in sockets:
            one.close()

    def cut(self, *numbers):
        """Their links: nobody is told, packets are lost."""
        set_links([f"node{n}" for n in numbers], False)

    def mend(self, *numbers):
        set_links([f"node{n}" for n in numbers], True)

    def cut_uplink(self, state="down"):
        """That of podferry's node, seen from the switch."""
        set_links(["node"], state == "up")

    def manifests(self):
        """Service shop/web on these nodes, and the headless one that says where they are."""
        return service("shop", "web", f"clusterIP: {CLUSTER_IP}, ports: [{{port: 80, targetPort: {POD_PORT}}}]") + service(
            "kube-system", "nodes", "clusterIP: None") + self.slice("shop", "web", remote_pod_ip) + self.slice("kube-system", "nodes", node_ip)

    def slice(self, space, name, address):
        text = f"""apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-1, namespace: {space}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
ports: [{{port: {POD_PORT}, protocol: TCP}}]
endpoints:
"""
        return text + "".join(f"- {{addresses: [{address(n)}], nodeName: node{n}}}\n" for n in self.numbers) + "---\n"


def set_links(names, up):
    """Of the switch, within a moment: a program that is started takes most of a second on an emulated processor."""
    with network_namespace("switch"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for name in names:
            request = struct.pack("16sH22x", name.encode(), 0)
            flags = struct.unpack("16sH22x", fcntl.ioctl(any_socket, GET_FLAGS, request))[1]
            flags = flags | UP if up else flags & ~UP
            fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH22x", name.encode(), flags))


def service(space, name, spec):
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {space}}}\nspec: {{{spec}}}\n---\n"
