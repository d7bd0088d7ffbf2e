"""Other nodes die, fall silent for a moment, or only seem to, since it is this one that is cut off."""
import socket
import statistics
import time

from fabric import CLUSTER_IP, SETTINGS, Fabric
from lab import Failure, TooSlow, check_rate, failures, wait_until
from pace import pace

RATE = 100  # requests a second
NODES = (2, 3, 4, 5)
TARGET = 2.5  # seconds after its death, in which connections may still go to a node
GONE = 5  # the same, until its real server has been deleted for certain
RESET = 7  # the same, until one that waits for an answer is reset: TCP sends its segment again 3 and 6.2 s after it


def start(lab, nodes=NODES, mode="enforce", echo=False):
    """`echo`: it may send ICMP echo requests; else it goes by TCP alone."""
    fabric = Fabric(lab, nodes).build()
    if echo:
        lab.on("node", "sysctl", "-q", "-w", "net.ipv4.ping_group_range=0 2147483647")
    lab.track_connections()
    lab.write("web.yaml", fabric.manifests())
    lab.start_podferry(config=SETTINGS + f"node_check: {mode}\n")
    wait_until("all other nodes are found alive", lambda: lives(lab, "alive") == len(nodes), 30)
    wait_until("the start is over", lambda: lives(lab, "unknown") == 0, 10)
    return fabric


def lives(lab, life):
    return lab.metric("podferry_checked_nodes", life=life)


def all_in(lab, nodes=NODES):
    return lab.weights(CLUSTER_IP, 80) == {f"pod{n}": 1 for n in nodes}


def hold(who):
    """Sends without waiting for answers, as one who streams; prints how many seconds after the last answer it was reset."""
    for _ in range(50):
        connection = socket.create_connection((CLUSTER_IP, 80), timeout=10)
        connection.sendall(b"HOLD")
        if connection.recv(100).decode().strip() == who:
            break
        connection.close()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(0.1)
    print("holds", flush=True)
    answered = time.monotonic()
    while time.monotonic() - answered < 120:
        try:
            connection.sendall(b"ping")
            if connection.recv(4096):
                answered = time.monotonic()
            time.sleep(0.05)
        except TimeoutError:
            pass
        except OSError:
            print(f"reset {time.monotonic() - answered:.2f}", flush=True)
            return


def it_leaves_a_dead_node(lab):
    """No new connection goes to it after 1.0 to 1.5 s; what it had is reset; when it is back it is used again."""
    fabric = start(lab)
    times, resets = [], []
    for victim in (2, 3, 4):
        out = lab.folder / f"held-{victim}"
        lab.fork(f"held-{victim}", "pod4", lambda victim=victim: hold(f"pod{victim}"), out)
        wait_until(f"a connection to pod{victim} is held", lambda: "holds" in out.read_text(), 20)
        lab.load("pod4", CLUSTER_IP, 80, RATE, 14)
        wait_until("the load runs", lambda: f"{CLUSTER_IP}:80" in lab.on("node", "ipvsadm", "-L", "-n", "-c"), 10)
        fabric.cut(victim)
        wait_until("it is dead, and its real server is gone", lambda: f"pod{victim}" not in lab.weights(CLUSTER_IP, 80), 6)
        shown = lab.services()
        if f"node dead: node node{victim} has not answered since " not in shown:
            raise Failure(f"podferry services does not say why pod{victim} is out:\n{shown}")
        if f"node node{victim} has not answered since" not in lab.status():
            raise Failure(f"podferry status does not say that node{victim} is dead:\n{lab.status()}")
        wait_until("the held connection is reset", lambda: "reset" in out.read_text(), RESET)
        resets.append(float(out.read_text().split("reset")[1]))
        rows = lab.finish_load()
        check_rate(rows, RATE)
        bad = failures(rows)
        if not bad:
            raise Failure("no connection was lost: the node was not cut off")
        death = bad[0]["at"]
        to_it = [row["at"] - death for row in bad if row["at"] - death < GONE * pace().factor]
        times.append(to_it[-1])
        if times[-1] > TARGET * pace().factor:
            raise (TooSlow if pace().measure() > 1.5 else Failure)(f"connections went to the dead node for {times[-1]:.2f} s")
        if len(to_it) < len(bad):  # its real server had been deleted
            raise TooSlow(f"{len(bad) - len(to_it)} requests failed that cannot have gone to the dead node")
        fabric.mend(victim)
        wait_until("it is used again", lambda: all_in(lab), 30)
    print(f"      figure node_death_p50_s {statistics.median(times):.2f}")
    print(f"      figure node_death_max_s {max(times):.2f}")
    print(f"      figure node_death_reset_s {max(resets):.2f}")


def it_does_not_mind_a_short_silence(lab):
    """A node that is silent for 0.8 s, as in a live migration, is not suspected, and no connection is lost for good."""
    fabric = start(lab)
    before = lab.metric("podferry_node_check_transitions_total", to="suspect")
    for victim in (2, 3, 4):
        cut = time.monotonic()
        fabric.cut(victim)
        while time.monotonic() - cut < 0.7:
            time.sleep(0.005)
        fabric.mend(victim)
        if (silent := time.monotonic() - cut) > 0.85:
            raise TooSlow(f"the link was down for {silent:.2f} s")
        if [who for who, _ in lab.ask("pod4", "tcp", CLUSTER_IP, 80, 8)].count("error:") > 0:
            raise Failure("a connection was lost after the silence")
    if lab.metric("podferry_node_check_transitions_total", to="suspect") != before or not all_in(lab):
        raise Failure("a node was suspected")


def it_takes_nobody_out_when_it_is_cut_off_itself(lab):
    """Its own uplink dies: all other nodes are silent, which is taken for what it is. It ends by itself, and is told."""
    fabric = start(lab)
    fabric.cut_uplink()
    wait_until("the incident is known", lambda: lab.metric("podferry_node_check_incident") == 1, 10)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        if not all_in(lab) and len([w for w in lab.weights(CLUSTER_IP, 80).values() if w]) < len(NODES) / 2:
            raise Failure(f"endpoints are out: {lab.weights(CLUSTER_IP, 80)}")
        time.sleep(0.1)
    if not all_in(lab):
        raise Failure(f"endpoints are out: {lab.weights(CLUSTER_IP, 80)}")
    if "this node may be cut off" not in lab.status():
        raise Failure(f"podferry status does not say so:\n{lab.status()}")
    fabric.cut_uplink("up")
    wait_until("all nodes are alive", lambda: lives(lab, "alive") == len(NODES), 30)
    wait_until("the incident is over", lambda: lab.metric("podferry_node_check_incident") == 0, 45)
    if not all_in(lab):
        raise Failure(f"endpoints are out: {lab.weights(CLUSTER_IP, 80)}")


def it_goes_by_what_it_may_send(lab):
    """Where this host may not send its questions, nobody is accused; where the other node refuses them, it is alive."""
    fabric = start(lab, echo=True)
    lab.on("node", "nft", "add table inet barred; add chain inet barred output { type filter hook output priority 0; "
           "ip daddr 192.168.60.0/24 drop; }")
    time.sleep(5)
    if not all_in(lab) or lives(lab, "alive") != len(NODES):
        raise Failure(f"a node was accused of what this one may not send: {lab.weights(CLUSTER_IP, 80)}")
    lab.on("node", "nft", "delete table inet barred")
    for node in fabric.numbers:
        lab.on(f"node{node}", "nft", "add table inet barred; add chain inet barred input { type filter hook input priority 0; "
               "icmp type echo-request drop; }")
    time.sleep(5)
    if not all_in(lab) or lives(lab, "suspect") + lives(lab, "dead"):
        raise Failure("a node that refuses connections is no dead one")


def it_only_observes(lab):
    fabric = start(lab, mode="observe")
    fabric.cut(2)
    wait_until("it is found dead", lambda: lives(lab, "dead") == 1, 10)
    wait_until("it is told", lambda: "only observed" in lab.services(), 5)
    if not all_in(lab):
        raise Failure(f"it is out: {lab.weights(CLUSTER_IP, 80)}")
