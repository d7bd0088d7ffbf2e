"""Clients of TCP that came before their front end: connection tracking has entries of theirs, which nobody has answered."""
import re
import time

from asking import ask
from lab import NODE_IP, OUTSIDE_IP, POD_PORT, Failure, TooSlow, pod_ip, wait_until
from manifests import pods, service

CLUSTER_IP = {4: "10.96.0.5", 6: "fd00:96::5"}
VIP = {4: "203.0.113.7", 6: "fd00:203::7"}
ADDRESSES = (*CLUSTER_IP.values(), *VIP.values())
SPACES = ("outside", "pod4")
FAMILIES = ("IPv4", "IPv6")
THIRD_TIME = 3.2  # seconds: a first segment is sent again 1, 3 and 7 seconds after it, so now there is time to look
WEB = service(extra=f"""  ipFamilyPolicy: RequireDualStack
  clusterIPs: ["{CLUSTER_IP[4]}", "{CLUSTER_IP[6]}"]
  externalIPs: ["{VIP[4]}", "{VIP[6]}"]
""") + pods(1, probe=None)


def unanswered(lab, address):
    """Entries of clients that nobody has answered."""
    family = "ipv6" if ":" in address else "ipv4"
    lines = lab.on("node", "conntrack", "-L", "-f", family, "-p", "tcp", "--orig-dst", address).splitlines()
    return [line for line in lines if "[UNREPLIED]" in line]


def begin_early(lab, tracked=ADDRESSES):
    """One client for each place and address; where what it hears will be. `tracked`: addresses whose clients get an entry."""
    early = {}
    for space in SPACES:
        for address in ADDRESSES:
            path = early[space, address] = lab.folder / f"early-{space}-{address}"
            lab.fork(path.name, space, lambda address=address: print(*ask("tcp", address, 80, patience=60)), path)
    began = time.monotonic()
    for address in tracked:
        wait_until(f"connection tracking knows the clients of {address}", lambda: len(unanswered(lab, address)) == len(SPACES), 30)
    wait_until("they have come three times", lambda: time.monotonic() - began > THIRD_TIME, 10)
    return early


def judge(lab, early, entries):
    """They are answered, and from the address that a client has who comes now. `entries`: how many podferry has to remove."""
    wait_until("podferry has looked for early clients of both families", lambda: all(
        lab.metric("podferry_conntrack_reconciler_sync_duration_seconds_count", ip_family=family) for family in FAMILIES), 10)
    removed = sum(lab.metric("podferry_conntrack_reconciler_deleted_entries_total", ip_family=family) for family in FAMILIES)
    if 0 < removed < entries:
        raise TooSlow(f"{entries - removed:.0f} of {entries} clients came again before podferry had looked")
    judge_answers(lab, early)


def judge_answers(lab, early):
    wrong = []
    for (space, address), path in early.items():
        wait_until(f"the early client of {space} has an answer from {address}", path.read_text, 65)
        told, now = tuple(path.read_text().split()), lab.ask(space, "tcp", address, 80, 1)[0]
        if now[0] != "pod1" or told != now:
            wrong.append(f"{space} to {address}: {told}, and one that comes now: {now}")
    if wrong:
        raise Failure("\n".join(wrong))


def it_serves_those_that_came_before_the_start(lab):
    """At their next retransmission."""
    lab.track_connections()
    lab.start_pods(1)
    lab.write("web.yaml", WEB)
    early = begin_early(lab)
    lab.start_podferry()
    judge(lab, early, len(early))


def it_serves_those_that_came_before_their_service(lab):
    """The same while podferry runs: those of an address of the service range are dropped until a Service has it, and get no entry."""
    lab.track_connections()
    lab.start_pods(1)
    lab.start_podferry()
    early = begin_early(lab, tracked=VIP.values())
    if any(unanswered(lab, address) for address in CLUSTER_IP.values()):
        raise Failure("clients of an address that no Service has are let through")
    lab.write("web.yaml", WEB)
    judge(lab, early, len(VIP) * len(SPACES))


def it_cuts_none_that_is_under_way(lab):
    """Retransmitted just after the front end has come, a client is carried although its entry is what it is: it stays so."""
    lab.track_connections()
    lab.start_pods(1)
    address = CLUSTER_IP[4]

    def serve():
        wait_until("connection tracking knows the client", lambda: unanswered(lab, address), 10)
        front_end = f"{address}:80"
        lab.on("node", "ipvsadm", "-A", "-t", front_end, "-s", "rr")
        lab.on("node", "sysctl", "-q", "-w", "net.ipv4.vs.conntrack=1")
        lab.on("node", "ipvsadm", "-a", "-t", front_end, "-r", f"{pod_ip(1)}:{POD_PORT}", "-m", "-w", "1")
        lab.ip(f"link add podferry0 type dummy\nlink set podferry0 up\n"
               f"route add local {address} dev podferry0 proto 159 table local src {NODE_IP[4]}\n", "node")

    lab.hold("outside", address, 80, "pod1", meanwhile=serve)
    lab.write("web.yaml", WEB)
    lab.start_podferry()
    wait_until("podferry has looked for early clients", lambda: lab.metric(
        "podferry_conntrack_reconciler_sync_duration_seconds_count", ip_family="IPv4") >= 1, 10)
    if len(unanswered(lab, address)) != 1:
        raise Failure(f"its entry was removed: {lab.on('node', 'conntrack', '-L')}")
    lab.still_holds()


def it_carries_none_that_it_has_yet_to_look_for(lab):
    """Between its front end and the look, a client that comes again is kept waiting: carried, it would have its own address."""
    lab.track_connections()
    lab.start_pods(1)
    lab.write("web.yaml", WEB)
    lab.start_podferry()
    wait_until("podferry has looked for early clients of both families", lambda: all(
        lab.metric("podferry_conntrack_reconciler_sync_duration_seconds_count", ip_family=family) for family in FAMILIES), 10)
    sources = {"outside": OUTSIDE_IP, "pod4": {4: pod_ip(4), 6: pod_ip(4, 6)}, "node": NODE_IP}
    clients = [(space, source[6 if ":" in address else 4], address, 40000 + number)
               for space, source in sources.items() for number, address in enumerate(ADDRESSES)]
    entries = [["-p", "tcp", "-s", source, "-d", address, "--sport", str(port), "--dport", "80"] for _, source, address, port in clients]
    for entry in entries:  # as if podferry had yet to look
        lab.on("node", "conntrack", "-I", *entry, "--state", "SYN_SENT", "-t", "100")
    early = {}
    for space, source, address, port in clients:
        path = early[space, address] = lab.folder / f"early-{space}-{address}"
        lab.fork(path.name, space, lambda address=address, came_from=(source, port): print(
            *ask("tcp", address, 80, patience=60, came_from=came_from)), path)
    wait_until("all have been kept waiting", lambda: kept_waiting(lab) >= len(clients), 30)
    if told := {key: path.read_text() for key, path in early.items() if path.read_text()}:
        raise Failure(f"answered: {told}")
    for entry in entries:
        lab.on("node", "conntrack", "-D", *entry)
    judge_answers(lab, early)


def kept_waiting(lab):
    return sum(int(count) for count in re.findall(r"counter packets (\d+)", lab.on("node", "nft", "list", "chain", "inet", "podferry", "early")))
