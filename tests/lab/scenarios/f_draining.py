"""Endpoints leave while connections are open to them."""
import signal

from lab import PYTHON, Failure, wait_until
from manifests import pod, pods, service

VIP = "10.96.0.5"


def weight(lab, number, protocol="t"):
    """None when the pod is not in the kernel."""
    return lab.weights(VIP, 80, protocol).get(f"pod{number}")


def start(lab, *numbers, ports=None, config=""):
    lab.start_pods(*numbers)
    lab.write("web.yaml", service(ports=ports) + pods(*numbers, probe=None))
    lab.start_podferry(config=config)
    wait_until("all pods are used", lambda: all(weight(lab, n) == 1 for n in numbers), 10)


def relabel(lab, label, *others):
    """pod1 belongs to another Service from now on, or again to this one."""
    lab.write("web.yaml", service() + pod(1, probe=None, label=label) + pods(*others, probe=None))


def active(lab, number):
    """Connections that IPVS counts as active."""
    for line in lab.on("node", "ipvsadm", "-L", "-n", "-t", f"{VIP}:80").splitlines():
        if f"10.1.0.{10 + number}:" in line:
            return int(line.split()[4])
    return 0


def changes(lab, *operations):
    return [lab.metric("podferry_netlink_operations_total", op=op, result="ok") for op in operations]


def it_replaces_pods_under_load(lab):
    """One after the other: no request fails; an open connection lives until its pod ends, and is reset then."""
    lab.make_pods([5, 6, 7])
    start(lab, 1, 2, 3)
    lab.hold("pod4", VIP, 80, "pod1")
    lab.load("pod4", VIP, 80, 200, 60)
    wait_until("the load runs", lambda: lab.held() and active(lab, 2) + active(lab, 3) > 0, 10)
    running = {1, 2, 3}
    for old, new in ((1, 5), (2, 6), (3, 7)):
        lab.start_pod(new)
        running = running - {old} | {new}
        rest = service() + pods(*running, probe=None) + pod(1, probe=None, terminating=True)
        lab.write("web.yaml", rest + (pod(old, probe=None, terminating=True) if old != 1 else ""))
        wait_until("the old pod gets no more connections", lambda: (weight(lab, old), weight(lab, new)) == (0, 1), 5)
        if old == 1:
            lab.still_holds()
            continue
        wait_until("its requests have ended", lambda: active(lab, old) == 0, 5)
        lab.kill_pod(old)
        lab.write("web.yaml", rest)
        wait_until("it is gone from the kernel", lambda: weight(lab, old) is None, 5)
    lab.still_holds()
    lab.cut_off_pod(1)
    lab.write("web.yaml", service() + pods(*running, probe=None))
    took = wait_until("the connection is reset", lab.hold_end, 5)
    rows = lab.stop_load()
    failed = [row for row in rows if not row["ok"]]
    if failed or len(rows) < 200:
        raise Failure(f"{len(failed)} of {len(rows)} requests failed: {failed[:3]}")
    if lab.hold_end() != "error: Connection reset by peer":
        raise Failure(f"the connection to the ended pod: {lab.hold_end()}")
    print(f"      {len(rows)} requests, none failed; the connection was reset {took:.1f} s after its pod had ended")


def it_drains_a_relabelled_pod_until_the_deadline(lab):
    """Its pod lives, its connections go on for drain_timeout; nobody takes it for damage."""
    start(lab, 1, 2, config="drain_timeout: 8s\n")
    lab.hold("pod4", VIP, 80, "pod1")
    relabel(lab, "other", 2)
    wait_until("it gets no more connections", lambda: weight(lab, 1) == 0, 5)
    if "10.1.0.11:8080(draining)" not in lab.services() or lab.metric("podferry_draining_real_servers") != 1:
        raise Failure(f"nothing says that it drains:\n{lab.services()}")
    audits = lab.metric("podferry_audits_total")
    wait_until("it has been audited", lambda: lab.metric("podferry_audits_total") > audits, 6)
    lab.still_holds()
    if weight(lab, 1) != 0:
        raise Failure("it was removed too early")
    took = wait_until("its time is over", lambda: weight(lab, 1) is None, 10)
    wait_until("the connection is reset", lab.hold_end, 3)
    if lab.hold_end() != "error: Connection reset by peer":
        raise Failure(f"the connection: {lab.hold_end()}")
    if lab.metric("podferry_draining_real_servers") != 0 or "drift" in lab.log():
        raise Failure("what drained is still counted, or was taken for damage")
    print(f"      removed {took:.1f} s after the audit")


def it_gives_a_returning_pod_its_weight_back(lab):
    """An edit there and one back: nothing is deleted and added, the connection goes on."""
    start(lab, 1, 2)
    lab.hold("pod4", VIP, 80, "pod1")
    before = changes(lab, "add-server", "delete-server")
    relabel(lab, "other", 2)
    wait_until("it gets no more connections", lambda: weight(lab, 1) == 0, 5)
    relabel(lab, None, 2)
    wait_until("it is used again", lambda: weight(lab, 1) == 1, 5)
    lab.still_holds()
    if changes(lab, "add-server", "delete-server") != before or changes(lab, "edit-server") != [2]:
        raise Failure(f"added, deleted, edited: {changes(lab, 'add-server', 'delete-server', 'edit-server')}")


def it_goes_on_draining_after_a_restart(lab):
    """What drained drains on, what is wanted has its weight; it goes when its last connection has."""
    start(lab, 1, 2)
    lab.hold("pod4", VIP, 80, "pod1")
    relabel(lab, "other", 2)
    wait_until("it gets no more connections", lambda: weight(lab, 1) == 0, 5)
    lab.stop_podferry(signal.SIGKILL)
    lab.on("node", "ipvsadm", "-e", "-t", f"{VIP}:80", "-r", "10.1.0.12:8080", "-m", "-w", "0")
    lab.start_podferry()
    wait_until("the wanted pod has its weight", lambda: weight(lab, 2) == 1, 5)
    lab.still_holds()
    if weight(lab, 1) != 0 or "10.1.0.11:8080(draining)" not in lab.services():
        raise Failure(f"it does not drain any more:\n{lab.services()}")
    lab.processes["hold"].terminate()
    wait_until("it is gone with its connection", lambda: weight(lab, 1) is None, 20)  # IPVS: CLOSE lasts 10 s


# A pod's program that reads a question to its end and answers when a file is there; and its client.
SLOW_POD = """
import os, socket, sys, time
connection = socket.create_server(('0.0.0.0', 8080)).accept()[0]
while connection.recv(100):
    pass
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
connection.sendall(b'the answer')
"""
PATIENT_CLIENT = """
import socket, sys
connection = socket.create_connection((sys.argv[1], 80))
connection.sendall(b'the question')
connection.shutdown(socket.SHUT_WR)
print(connection.recv(100).decode(), flush=True)
"""


def it_waits_for_the_answer_to_a_half_closed_connection(lab):
    """The client has closed its side: IPVS counts the connection as inactive, and its answer is still on its way."""
    answer, go = lab.folder / "answer", lab.folder / "go"
    lab.spawn("pod1", "pod1", [PYTHON, "-c", SLOW_POD, str(go)])
    wait_until("the pod listens", lambda: ":8080 " in lab.on("pod1", "ss", "-Hltn"), 20)
    lab.write("web.yaml", service() + pods(1, probe=None))
    lab.start_podferry()
    wait_until("the pod is used", lambda: weight(lab, 1) == 1, 10)
    lab.spawn("client", "pod4", [PYTHON, "-c", PATIENT_CLIENT, VIP], stdout=open(answer, "w"))

    def counted():
        """Active and inactive connections of pod 1."""
        return next((tuple(map(int, line.split()[4:6])) for line in lab.on("node", "ipvsadm", "-L", "-n").splitlines()
                     if "10.1.0.11:" in line), None)

    wait_until("the connection is half closed", lambda: counted() == (0, 1), 10)
    relabel(lab, "other")
    wait_until("it gets no more connections", lambda: weight(lab, 1) == 0, 5)
    audits = lab.metric("podferry_audits_total")
    wait_until("more than a second has passed", lambda: lab.metric("podferry_audits_total") >= audits + 2, 12)
    if weight(lab, 1) != 0 or counted() != (0, 1):
        raise Failure(f"it was removed while it owed an answer: weight {weight(lab, 1)}, connections {counted()}")
    go.touch()
    wait_until("the client has its answer", lambda: answer.read_text() == "the answer\n", 5)


def it_ends_udp_at_once(lab):
    """A client that keeps its port is not to stay with a pod that leaves; TCP of the same pod drains."""
    start(lab, 1, 2, ports=[("http", "TCP", 80, None), ("echo", "UDP", 80, None)])
    lab.hold("pod4", VIP, 80, "pod1")
    lab.write("pod.yaml", pod(1, probe=None, terminating=True))
    lab.write("web.yaml", service(ports=[("http", "TCP", 80, None), ("echo", "UDP", 80, None)]) + pod(2, probe=None))
    wait_until("UDP has left the pod", lambda: weight(lab, 1, "u") is None and weight(lab, 2, "u") == 1, 5)
    if weight(lab, 1) != 0:
        raise Failure("TCP does not drain")
    lab.still_holds()


def annotated(**annotations):
    """The manifest of a Service with these annotations of podferry.io."""
    text = "".join(f'podferry.io/{name.replace("_", "-")}: "{value}", ' for name, value in annotations.items())
    return service().replace("namespace: shop}", f"namespace: shop, annotations: {{{text}}}}}")


def it_schedules_as_a_service_says(lab):
    """mh, with a pod that drains: no connection is refused. The kernel's tool shows scheduler and flags."""
    lab.start_pods(1, 2, 3)
    lab.write("web.yaml", annotated(scheduler="mh") + pods(1, 2, 3, probe=None))
    lab.start_podferry()
    wait_until("all pods are used", lambda: all(weight(lab, n) == 1 for n in (1, 2, 3)), 10)
    if "-s mh -b mh-fallback,mh-port" not in lab.ipvs().replace("flag-1,flag-2", "mh-fallback,mh-port"):
        raise Failure(f"the kernel has:\n{lab.ipvs()}")
    if len({who for who, _ in lab.ask("pod4", "tcp", VIP, 80, 20)}) != 3:
        raise Failure("the client's port is not hashed")
    lab.hold("pod4", VIP, 80, "pod1")
    lab.write("web.yaml", annotated(scheduler="mh") + pod(1, probe=None, terminating=True) + pods(2, 3, probe=None))
    wait_until("pod1 drains", lambda: weight(lab, 1) == 0, 5)
    answers = {who for who, _ in lab.ask("pod4", "tcp", VIP, 80, 40)}
    if answers != {"pod2", "pod3"}:
        raise Failure(f"answers beside a pod that drains: {answers}")
    lab.still_holds()


def it_uses_the_nodes_scheduler_when_a_service_asks_for_none_that_is_there(lab):
    """A wrong word, and a scheduler that Debian's kernel has not: both are said, connections go on."""
    lab.start_pods(1)
    for wrong, words in (("fastest", "'fastest' is not a scheduler"), ("twos", "kernel has no scheduler twos")):
        lab.write("web.yaml", annotated(scheduler=wrong) + pods(1, probe=None))
        if "podferry" not in lab.processes:
            lab.start_podferry()
        wait_until(f"the problem with {wrong} is named", lambda: words in lab.status(), 10)
        wait_until("a connection is answered", lambda: lab.is_answered_by("pod1"), 5)
        if f"-A -t {VIP}:80 -s rr" not in lab.ipvs():
            raise Failure(f"the kernel has:\n{lab.ipvs()}")
    lab.write("web.yaml", annotated(scheduler="lc") + pods(1, probe=None))
    wait_until("a right word is taken", lambda: f"-A -t {VIP}:80 -s lc" in lab.ipvs(), 5)
    if "scheduler" in lab.status():
        raise Failure(f"a problem is still there:\n{lab.status()}")
