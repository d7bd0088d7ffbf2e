"""Slow start: a new pod begins with a small share of the connections."""
import signal

from lab import Failure, wait_until
from manifests import pods, service

VIP = "10.96.0.5"


def annotated(**annotations):
    text = "".join(f'podferry.io/{name.replace("_", "-")}: "{value}", ' for name, value in annotations.items())
    return service().replace("namespace: shop}", f"namespace: shop, annotations: {{{text}}}}}")


def weight(lab, number):
    """None when the pod is not in the kernel."""
    return lab.weights(VIP, 80).get(f"pod{number}")


def share_of_pod3(lab, count):
    answers = [who for who, _ in lab.ask("pod4", "tcp", VIP, 80, count)]
    if len(answers) != count or "error:" in answers:
        raise Failure(f"not all are answered: {answers}")
    return answers.count("pod3") / count


def edits(lab):
    return lab.metric("podferry_netlink_operations_total", op="edit-server", result="ok")


def it_gives_a_new_pod_a_small_share_at_first(lab):
    """And its equal share at the end, in nine writes; over a crash of podferry; audits take nothing for damage."""
    lab.start_pods(1, 2, 3)
    lab.write("web.yaml", annotated(scheduler="wrr") + pods(1, 2, probe=None))
    lab.start_podferry()
    wait_until("the first pods are used", lambda: lab.weights(VIP, 80) == {"pod1": 1, "pod2": 1}, 10)
    web = annotated(scheduler="wrr", slow_start="30s")
    lab.write("web.yaml", web + pods(1, 2, probe=None))
    wait_until("known pods have the full weight at once", lambda: lab.weights(VIP, 80) == {"pod1": 100, "pod2": 100}, 10)
    known = edits(lab)
    lab.write("web.yaml", web + pods(1, 2, 3, probe=None))
    wait_until("the new pod is there", lambda: weight(lab, 3), 10)
    if weight(lab, 3) > 20:
        raise Failure(f"the new pod begins with weight {weight(lab, 3)}")
    first = share_of_pod3(lab, 42)
    if weight(lab, 3) > 30 or first > 1 / 6:
        raise Failure(f"with weight {weight(lab, 3)} the new pod got {first:.2f} of the connections, not clearly below 1/3")
    if "10.1.0.13:8080(slow start " not in lab.services() or \
            lab.metric("podferry_real_servers", state="slow_start") != 1:
        raise Failure(f"nothing says that it starts slowly:\n{lab.services()}")
    wait_until("it has grown", lambda: weight(lab, 3) >= 30, 30)
    written = edits(lab) - known
    lab.stop_podferry(signal.SIGKILL)
    before = weight(lab, 3)
    lab.start_podferry()
    if not before <= weight(lab, 3) <= before + 20 or before == 100:
        raise Failure(f"a restart has taken it from weight {before} to {weight(lab, 3)}")
    wait_until("it has its full weight", lambda: weight(lab, 3) == 100, 40)
    last = share_of_pod3(lab, 42)
    if abs(last - 1 / 3) > 0.05:
        raise Failure(f"with its full weight it got {last:.2f} of the connections, not 1/3")
    if written + edits(lab) != 9 or lab.metric("podferry_drift_repairs_total", object="real_server") != 0:
        raise Failure(f"{written} writes before the restart, {edits(lab)} after it, nine were to be; or an audit repaired")
    audits = lab.metric("podferry_audits_total")
    wait_until("two audits are over", lambda: lab.metric("podferry_audits_total") > audits + 1, 12)
    if written + edits(lab) != 9 or "drift" in lab.log() or "(slow start" in lab.services():
        raise Failure(f"it does not rest:\n{lab.services()}")
    print(f"      the new pod's share: {first:.2f} at first, {last:.2f} at the end")


def it_says_why_a_service_has_no_slow_start(lab):
    """rr does not share by weights: the reason is told, and new pods have their full share at once."""
    lab.start_pods(1, 2)
    lab.write("web.yaml", annotated(slow_start="60s") + pods(1, probe=None))
    lab.start_podferry()
    wait_until("the reason is told", lambda: "scheduler is rr, which does not share by weights" in lab.status(), 10)
    lab.write("web.yaml", annotated(slow_start="60s") + pods(1, 2, probe=None))
    wait_until("the new pod is used", lambda: lab.weights(VIP, 80) == {"pod1": 1, "pod2": 1}, 10)
