"""`podferry services`: what it says of each front end is what clients meet there."""
import json

from f_policies import BOTH, ELSEWHERE, LOCAL, VIP, balanced
from lab import PODS, Failure, pod_ip, wait_until
from manifests import pods, service
from services_page import differences, self_test

CLIENTS = {"outside": ("outside",), "inside": ("pod4", "node")}
MEANS = {"dropped": "timed out", "refused": "Connection refused"}
NAME = {pod_ip(number, family): f"pod{number}" for number in range(1, PODS + 1) for family in (4, 6)}
RIVALS = "  externalIPs: [203.0.113.9]\n"


def page(lab):
    return json.loads(lab.services("-o", "json"))


def check(lab, what):
    """The page equals IPVS, and every kind of client meets what it says."""
    wait_until(f"{what}: the page equals IPVS", lambda: not list(differences(page(lab), lab.ipvs())), 10)
    told = page(lab)
    for one in told["services"]:
        for front_end in one["frontEnds"]:
            if front_end["outside"]["fate"] in ("waits", "not served"):
                continue
            for kind, spaces in CLIENTS.items():
                for space in spaces:
                    check_client(lab, what, space, front_end, front_end[kind])
    return told


def check_client(lab, what, space, front_end, reach):
    where = (front_end["protocol"], front_end["address"], front_end["port"])
    gets = {NAME[one["address"]] for one in reach["backends"] if one["weight"] > 0}
    count = 3 * len(gets) if reach["fate"] == "carried" else 1
    seen = {who if who != "error:" else why for who, why in lab.ask(space, *where, count)}
    if seen != (gets if reach["fate"] == "carried" else {MEANS[reach["fate"]]}):
        raise Failure(f"{what}: {space} to {where}: {seen}, and the page says {reach}")


def find(told, name, address):
    return next(front_end for one in told["services"] if one["name"] == name for front_end in one["frontEnds"]
                if front_end["address"] == address)


def is_so(lab, fate):
    front_end = find(page(lab), "web", VIP[4])
    return front_end["policy"] == "Local" and front_end["outside"]["fate"] == fate


def it_shows_what_the_kernel_does(lab):
    """All kinds of front ends, policies, and Services of which one has lost its address to the other."""
    self_test()
    lab.start_pods(1, 2, 3)
    lab.write("rivals.yaml", service("a", "10.96.0.20", extra=RIVALS) + service("b", "10.96.0.21", extra=RIVALS)
              + pods(3, app="a", probe=None))
    lab.write("web.yaml", balanced() + BOTH)
    lab.start_podferry()
    told = check(lab, "policies Cluster")
    if find(told, "b", "203.0.113.9")["waitsFor"] != "shop/a" or "waits for shop/a" not in lab.services():
        raise Failure(f"who has lost its address is not said to wait:\n{lab.services()}")
    for what, extra, endpoints in (("policies Local", LOCAL + "internalTrafficPolicy: Local, ", BOTH),
                                   ("policies Local, and none here", LOCAL + "internalTrafficPolicy: Local, ", ELSEWHERE),
                                   ("policy Local, and none here", LOCAL, ELSEWHERE), ("nobody", LOCAL, "")):
        lab.write("web.yaml", balanced(extra) + endpoints)
        fate = "dropped" if endpoints == ELSEWHERE else "carried" if endpoints else "refused"
        wait_until(f"{what}: it is in force", lambda fate=fate: is_so(lab, fate), 10)
        wait_until("nothing is under way", lambda: "changes pending    0\n" in lab.status(), 10)
        told = check(lab, what)
        if find(told, "web", VIP[6])["outside"]["fate"] != fate or (fate == "dropped" and "connections are dropped" not in lab.services()):
            raise Failure(f"{what}: it is not told:\n{lab.services()}")
