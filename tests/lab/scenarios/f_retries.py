"""Clients of TCP whose first segment went to a pod that had died: it is sent again 1, 3 and 7 seconds after it."""
import time

from asking import ask
from lab import NODE_IP, Failure, wait_until
from manifests import pods, service

CLUSTER_IP = {4: "10.96.0.5", 6: "fd00:96::5"}
VIP = {4: "203.0.113.7", 6: "fd00:203::7"}
NODE_PORT = 30080
WEB = service(ports=[("http", "TCP", 80, NODE_PORT)], extra=f"""  type: NodePort
  ipFamilyPolicy: RequireDualStack
  clusterIPs: ["{CLUSTER_IP[4]}", "{CLUSTER_IP[6]}"]
  externalIPs: ["{VIP[4]}", "{VIP[6]}"]
""") + pods(1, 2)
FRONT_ENDS = [(address, 80) for address in (*CLUSTER_IP.values(), *VIP.values())] + [(address, NODE_PORT) for address in NODE_IP.values()]
SILENT = "add table inet silent; add chain inet silent input { type filter hook input priority 0; meta l4proto tcp drop; }"
LAST_RETRY = 20  # seconds: the fourth is after 15
SPACES = ("outside", "pod4", "node")


def it_serves_those_whose_pod_died(lab):
    """Masqueraded or not: once podferry has noticed, one more is lost, with which the kernel forgets the connection and its entry of
    connection tracking (ip_vs_in()); the next one is led to a pod that lives."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", WEB)
    lab.start_podferry()
    for address, port in FRONT_ENDS:
        wait_until(f"both pods serve {address}", lambda: lab.weights(address, port) == {"pod1": 1, "pod2": 1}, 15)
    lab.on("pod1", "nft", SILENT)
    answers = {}

    def client(address, port):
        began = time.monotonic()
        print(*ask("tcp", address, port, patience=40), time.monotonic() - began)

    for space in SPACES:
        for address, port in FRONT_ENDS:
            for turn in (1, 2):  # round robin: one of them
                path = answers[space, address, port, turn] = lab.folder / f"answer-{space}-{address}-{turn}"
                lab.fork(path.name, space, lambda address=address, port=port: client(address, port), path)
    for (space, address, _, _), path in answers.items():
        wait_until(f"the client of {space} has an answer from {address}", path.read_text, 45)
    wait_until("the dead pod gets nothing", lambda: all(lab.weights(*front).get("pod1", 0) == 0 for front in FRONT_ENDS), 15)
    waited, wrong = [], []
    for (space, address, port, turn), path in answers.items():
        *told, seconds = path.read_text().split()
        waited.append(float(seconds))
        if tuple(told) != (now := lab.ask(space, "tcp", address, port, 1)[0]) or now[0] != "pod2":
            wrong.append(f"{space} to {address}:{port}: {told} after {seconds} s, and one that comes now: {now}")
    if wrong:
        raise Failure("\n".join(wrong))
    late = [seconds for seconds in waited if seconds > 1]
    print(f"      {len(late)} of {len(waited)} clients came to the dead pod; they had an answer after {max(late, default=0):.1f} s at most")
    if len(late) < len(answers) / 4 or max(late) > LAST_RETRY:
        raise Failure(f"seconds until they had an answer: {[round(seconds, 1) for seconds in waited]}")
