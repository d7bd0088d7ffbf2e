"""A podferry edge on the lab's node: the pods are its real servers, the client is the one outside."""
import subprocess

from lab import PODFERRY, POD_PORT, Failure, pod_ip, wait_until

VIP = "203.0.113.10"
VIP6 = "2001:db8::10"
WINDOW = 3  # seconds: a check every second, two failures, a timeout of one
CHECK = "{type: http, path: /healthz, interval: 1s, timeout: 1s, failure_threshold: 2}"


def front_end(name="web", address=VIP, port=80, servers=(1, 2, 3), family=4, more="", weights=None):
    """As an operator writes it. `servers`: pods by number."""
    text = f"- name: {name}\n  address: '{address}'\n  port: {port}\n{more}  real_servers:\n" if servers else \
        f"- name: {name}\n  address: '{address}'\n  port: {port}\n{more}  real_servers: []\n"
    for number in servers:
        weight = (weights or {}).get(number, 1)
        text += f"  - {{address: '{pod_ip(number, family)}', port: {POD_PORT}, weight: {weight}}}\n"
    return text


def edge_file(lab):
    return lab.folder / "edge" / "edge.yaml"


def write(lab, *front_ends, check=CHECK, more=""):
    """As a careful operator does: beside, then renamed."""
    path = edge_file(lab)
    path.parent.mkdir(exist_ok=True)
    fresh = path.parent / ".new"
    fresh.write_text("node_name: node\naudit_period: 3s\nconntrack_max_per_core: 0\n"
                     f"socket: {lab.folder}/podferry.sock\nstate_dir: {lab.folder}/state\n"
                     f"health_check: {check}\n{more}front_ends:\n{''.join(front_ends)}")
    fresh.rename(path)


def start_edge(lab):
    lab.track_connections()
    lab.spawn("podferry", "node", [PODFERRY, "edge", "--config", str(edge_file(lab))],
              stdout=subprocess.DEVNULL, stderr=open(lab.log_path, "a"))
    wait_until("the edge is ready", lambda: lab.podferry_is_ready(), 20)


def front_ends(lab):
    """What `podferry backends` says."""
    return lab.podferry("backends", "--socket", f"{lab.folder}/podferry.sock", check=(0, 1))


def in_use(lab, address=VIP, port=80):
    """The pods that get new connections."""
    return {name for name, weight in lab.weights(address, port).items() if weight > 0}


def answering(lab, address=VIP, port=80, count=12, protocol="tcp"):
    return {who for who, _ in lab.ask("outside", protocol, address, port, count)}


def expect(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found}, not {wanted}")
