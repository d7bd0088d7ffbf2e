"""The network of a cluster, in the network namespace that run.py has made: a bridge with the control plane's address, on it the nodes,
behind these their pods. Everything outside of the nodes is "outside" for the cluster."""
import subprocess

BRIDGE = "cluster"
API_ADDRESS, API_PORT = "192.168.77.1", 6443
ALL_PODS, SERVICES, DNS = "10.244.0.0/16", "10.96.0.0/12", "10.96.0.10"
NODES = ("node1", "node2")


def number(node):
    return NODES.index(node) + 1


def address(node):
    return f"192.168.77.{10 + number(node)}"


def pods(node):
    return f"10.244.{number(node)}.0/24"


def tap(node):
    return f"tap-{node}"


def mac(node):
    return f"52:54:00:77:00:{number(node):02x}"


def settings():
    """What each node has to know (node/node.py)."""
    of = {name: {"name": name, "address": address(name), "pods": pods(name)} for name in NODES}
    return {name: of[name] | {"gateway": API_ADDRESS, "all_pods": ALL_PODS, "dns": DNS, "others": [of[each] for each in NODES if each != name]}
            for name in NODES}


def set_up():
    commands = ["link set lo up", f"link add {BRIDGE} type bridge", f"addr add {API_ADDRESS}/24 dev {BRIDGE}", f"link set {BRIDGE} up"]
    for node in NODES:
        # The API server reaches pods (proxy, webhooks) as it does where the control plane is a node.
        commands += [f"tuntap add {tap(node)} mode tap", f"link set {tap(node)} master {BRIDGE} up", f"route add {pods(node)} via {address(node)}"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def tear_down():
    for device in [*(tap(node) for node in NODES), BRIDGE]:
        subprocess.run(["ip", "link", "del", device], check=False, stderr=subprocess.DEVNULL)
