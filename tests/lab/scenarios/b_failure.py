"""Pods and podferry fail while requests run."""
import signal

from lab import RATE, Failure, check_rate, failures, wait_until
from manifests import pods, service


def ready(lab, *names):
    return all(lab.weights("10.96.0.5", 80).get(name) == 1 for name in names)


def start(lab):
    lab.start_pods(1, 2, 3)
    lab.write("web.yaml", service() + pods(1, 2, 3))
    lab.start_podferry()
    wait_until("all pods pass their probes", lambda: ready(lab, "pod1", "pod2", "pod3"), 15)


def break_one(lab, how, mend, window):
    """Breaks pod2 under load; failed requests may begin only within `window` seconds of it; then mends it."""
    start(lab)
    lab.load("pod4", "10.96.0.5", 80, RATE, 12)
    wait_until("the load runs", lambda: "10.96.0.5" in lab.on("node", "ipvsadm", "-L", "-n", "-c"), 10)
    how()
    noticed = wait_until("pod2 is taken out", lambda: lab.weights("10.96.0.5", 80).get("pod2") == 0, window + 2)
    rows = lab.finish_load()
    check_rate(rows)
    bad = failures(rows)
    if not bad:
        raise Failure("no request failed: the pod was not broken")
    first, last = bad[0]["at"], bad[-1]["at"]
    if last - first > window:
        raise Failure(f"requests failed over {last - first:.1f} s, longer than the probe's window of {window} s")
    if any(row["who"] == "pod2" for row in rows if row["at"] > last + 1):
        raise Failure("pod2 was used after it had been taken out")
    mend()
    wait_until("pod2 is used again", lambda: ready(lab, "pod2"), 10)
    if "pod2" not in {who for who, _ in lab.ask("pod4", "tcp", "10.96.0.5", 80, 9)}:
        raise Failure("pod2 passes its probe and gets no connections")
    print(f"      noticed after {noticed:.1f} s; {len(bad)} of {len(rows)} requests failed, all within {last - first:.1f} s")


def it_goes_on_without_a_killed_pod(lab):
    """Probes every 1 s, timeout 1 s, 2 failures: at most period x failures, and the polling of the test."""
    break_one(lab, lambda: lab.kill_pod(2), lambda: lab.start_pod(2), 2.5)


def it_goes_on_without_a_stalled_pod(lab):
    """A server that accepts and never answers is as bad as a dead one: two timeouts more."""
    break_one(lab, lambda: lab.stall_pod(2), lambda: lab.unstall_pod(2), 4.5)


def it_restarts_under_load_without_a_failed_request(lab):
    """SIGKILL, start again: nothing that is wanted is deleted or added, no request fails."""
    start(lab)
    before = lab.ipvs()
    lab.load("pod4", "10.96.0.5", 80, RATE, 10)
    wait_until("the load runs", lambda: "10.96.0.5" in lab.on("node", "ipvsadm", "-L", "-n", "-c"), 10)
    monitor = lab.spawn("monitor", "node", ["ip", "monitor", "route"], stdout=open(lab.folder / "monitor", "w"))
    lab.stop_podferry(signal.SIGKILL)
    lab.start_podferry()
    writes = {op: lab.metric("podferry_netlink_operations_total", op=op, result="ok")
              for op in ("add-service", "delete-service", "add-server", "edit-server", "delete-server", "add-route",
                         "delete-route", "add-element", "delete-element")}
    rows = lab.finish_load()
    check_rate(rows)
    monitor.terminate()
    monitor.wait()
    if failures(rows):
        raise Failure(f"{len(failures(rows))} of {len(rows)} requests failed: {failures(rows)[:3]}")
    if any(writes.values()):
        raise Failure(f"the restart wrote to the kernel: {writes}")
    if "10.96.0.5" in (lab.folder / "monitor").read_text():
        raise Failure("the route of the ClusterIP was touched: " + (lab.folder / "monitor").read_text())
    if lab.ipvs() != before:
        raise Failure(f"virtual servers differ:\n{before}\n{lab.ipvs()}")


def it_leaves_the_data_plane_working_when_stopped(lab):
    """SIGTERM ends the program, not the service."""
    start(lab)
    if lab.stop_podferry() != 0:
        raise Failure("the exit status is not 0")
    answers = {who for who, _ in lab.ask("pod4", "tcp", "10.96.0.5", 80, 9)}
    if answers != {"pod1", "pod2", "pod3"}:
        raise Failure(f"answers after the stop: {answers}")


def it_removes_what_vanished_while_it_was_down(lab):
    """A restart with a changed folder: removed once, and only that."""
    lab.start_pods(1)
    lab.write("web.yaml", service() + pods(1, probe=None))
    lab.write("old.yaml", service("old", "10.96.0.9"))
    lab.start_podferry()
    lab.stop_podferry()
    lab.remove("old.yaml")
    lab.start_podferry()
    if lab.has_virtual_server("10.96.0.9", 80) or "10.96.0.9" in lab.routes() or "10.96.0.9" in lab.nft():
        raise Failure("something of the vanished Service is left")
    if not lab.has_virtual_server("10.96.0.5", 80):
        raise Failure("the other Service is gone too")
    deleted = lab.metric("podferry_netlink_operations_total", op="delete-service", result="ok")
    if deleted != 1:
        raise Failure(f"{deleted} virtual servers were deleted, not 1")
    wait_until("an audit has run", lambda: lab.metric("podferry_audits_total") >= 1, 10)
    if lab.metric("podferry_netlink_operations_total", op="delete-service", result="ok") != 1:
        raise Failure("deleted again")
