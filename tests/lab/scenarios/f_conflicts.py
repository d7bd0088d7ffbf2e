"""Services that want the same address and port: by kind, then by age; the next one takes over without a gap."""
import re

from lab import NODE_IP, RATE, Failure, check_rate, failures, wait_until
from manifests import pods, service

SHARED_IP = "203.0.113.7"
OLD = ("10.96.0.5", "pod1")
YOUNG = ("10.96.0.6", "pod2")


def claim(name, cluster_ip, address=SHARED_IP, port=80, extra=""):
    return service(name, cluster_ip, f"  externalIPs: [{address}]\n{extra}", [("http", "TCP", port, None)])


def created(text, when):
    return re.sub(r"metadata: \{", f'metadata: {{creationTimestamp: "{when}", ', text, count=1)


def write_rivals(lab, extra=""):
    """Services "old" (pod1) and "young" (pod2) of one external IP and port; "old" has it."""
    lab.start_pods(1, 2)
    lab.write("pods.yaml", pods(1, app="old", probe=None) + pods(2, app="young", probe=None))
    lab.write("old.yaml", claim("old", OLD[0]))
    lab.write("young.yaml", claim("young", YOUNG[0], extra=extra))


def who_answers(lab, address=SHARED_IP, port=80, space="outside"):
    return {who for who, _ in lab.ask(space, "tcp", address, port)}


def expect(lab, pod, why, address=SHARED_IP, port=80):
    for space in ("outside", "pod4", "node"):
        if who_answers(lab, address, port, space) != {pod}:
            raise Failure(f"{why}: {space} is answered by {who_answers(lab, address, port, space)}, not by {pod}")


def expect_conflict(lab, loser, winner, why=", whose claim is older"):
    text = f"Service shop/{loser}: {SHARED_IP}:80/tcp is already served for Service shop/{winner}{why}"
    wait_until(f"podferry status says: {text}", lambda: text in lab.status(), 5)
    if lab.metric("podferry_conflicts") != 1:
        raise Failure(f"podferry_conflicts is {lab.metric('podferry_conflicts'):g}, not 1")
    if text not in lab.log():
        raise Failure(f"the log does not say: {text}")


def it_gives_a_front_end_to_one_service_at_a_time(lab):
    """Who has it, who says so, that both keep their other front ends, and that who had it first keeps it."""
    write_rivals(lab)
    lab.start_podferry()
    expect(lab, "pod1", "at a start the first by name has it")
    expect_conflict(lab, "young", "old")
    expect(lab, "pod2", "its ClusterIP is its own", *YOUNG[:1])
    lab.remove("old.yaml")
    wait_until("the other Service takes over", lambda: who_answers(lab) == {"pod2"}, 10)
    expect(lab, "pod2", "the only one")
    if lab.metric("podferry_conflicts") != 0:
        raise Failure("podferry_conflicts is not 0")
    lab.write("old.yaml", claim("old", OLD[0]))
    expect_conflict(lab, "old", "young")
    expect(lab, "pod2", "who had it first keeps it")
    lab.stop_podferry()
    lab.start_podferry()
    expect(lab, "pod1", "at a start the first by name has it")


def it_obeys_creation_timestamps(lab):
    """An older Service that is told of later takes the front end."""
    lab.start_pods(1, 2)
    lab.write("pods.yaml", pods(1, app="old", probe=None) + pods(2, app="a-young", probe=None))

    lab.write("young.yaml", created(claim("a-young", YOUNG[0]), "2026-02-02T00:00:00Z"))
    lab.start_podferry()
    expect(lab, "pod2", "the only one")
    lab.write("old.yaml", created(claim("old", OLD[0]), "2026-01-01T00:00:00Z"))
    wait_until("the older Service has it", lambda: who_answers(lab) == {"pod1"}, 10)
    expect(lab, "pod1", "created first")
    expect_conflict(lab, "a-young", "old")


def it_puts_the_kind_before_the_age(lab):
    """A load balancer's address goes to its Service, although an older one has it among its external IPs."""
    lab.start_pods(1, 2)
    lab.write("pods.yaml", pods(1, app="old", probe=None) + pods(2, app="young", probe=None))
    lab.write("old.yaml", created(claim("old", OLD[0]), "2026-01-01T00:00:00Z"))
    lab.start_podferry()
    expect(lab, "pod1", "the only one")
    balanced = service("young", YOUNG[0], "  type: LoadBalancer\n", [("http", "TCP", 80, None)])
    balanced = balanced.replace("---\n", f"status: {{loadBalancer: {{ingress: [{{ip: {SHARED_IP}}}]}}}}\n---\n")
    lab.write("young.yaml", created(balanced, "2026-02-02T00:00:00Z"))
    wait_until("the load balancer's Service has it", lambda: who_answers(lab) == {"pod2"}, 10)
    expect(lab, "pod2", "of the better kind")
    expect_conflict(lab, "old", "young", " as a load balancer's address, which goes before an external IP")
    lab.remove("young.yaml")
    wait_until("the external IP has it again", lambda: who_answers(lab) == {"pod1"}, 10)


def it_hands_a_front_end_over_without_a_gap(lab):
    """The older Service is deleted while requests run: none fails, and the virtual server stays."""
    write_rivals(lab)
    lab.start_podferry()
    expect(lab, "pod1", "before")
    lab.load("outside", SHARED_IP, 80, RATE, 8)
    wait_until("the load runs", lambda: SHARED_IP in lab.on("node", "ipvsadm", "-L", "-n", "-c"), 10)
    deleted = lab.metric("podferry_netlink_operations_total", op="delete-service", result="ok")
    lab.remove("old.yaml")
    wait_until("the other Service takes over", lambda: lab.weights(SHARED_IP, 80).get("pod2") == 1, 5)
    rows = lab.finish_load()
    check_rate(rows)
    if failures(rows):
        raise Failure(f"{len(failures(rows))} of {len(rows)} requests failed: {failures(rows)[:3]}")
    switched = min(row["at"] for row in rows if row["who"] == "pod2")
    late = [row for row in rows if row["who"] == "pod1" and row["at"] > switched + 0.5]
    if late or rows[0]["who"] != "pod1":
        raise Failure(f"the first was answered by {rows[0]['who']}; {len(late)} by pod1 after the hand-over")
    # Its own ClusterIP's is the only one that went.
    gone = lab.metric("podferry_netlink_operations_total", op="delete-service", result="ok") - deleted
    if gone != 1 or lab.has_virtual_server(OLD[0], 80):
        raise Failure(f"{gone:g} virtual servers were deleted, not 1")
    print(f"      0 of {len(rows)} requests failed; pod2 answers from {switched:.1f} s on")


def it_leaves_out_what_the_loser_would_do_to_the_winners_clients(lab):
    """One masquerades its clients, the other keeps their addresses: only who has the front end decides."""
    write_rivals(lab, extra="  type: NodePort\n  externalTrafficPolicy: Local\n")
    lab.start_podferry()
    element = rf"{re.escape(SHARED_IP)} \. tcp \. 80"

    def policy():
        return {name for name in ("masquerade4", "external_local4")
                if re.search(element, lab.on("node", "nft", "list", "set", "inet", "podferry", name))}

    if policy() != {"masquerade4"}:
        raise Failure(f"while the Service with policy Cluster has it: {policy()}")
    lab.remove("old.yaml")
    wait_until("the other Service takes over", lambda: who_answers(lab) == {"pod2"}, 10)
    wait_until("its policy is in force, and only that", lambda: policy() == {"external_local4"}, 5)


def it_keeps_an_address_that_services_share(lab):
    """Two Services of one external IP with different ports: one goes, the other stays reachable."""
    lab.start_pods(1, 2)
    lab.write("pods.yaml", pods(1, app="old", probe=None) + pods(2, app="young", probe=None))
    lab.write("old.yaml", claim("old", OLD[0]))
    lab.write("young.yaml", claim("young", YOUNG[0], port=81))
    lab.start_podferry()
    expect(lab, "pod1", "its port")
    expect(lab, "pod2", "its port", port=81)
    if lab.metric("podferry_conflicts") != 0:
        raise Failure("different ports are no conflict")
    lab.remove("old.yaml")
    wait_until("the other's front end is gone", lambda: not lab.has_virtual_server(SHARED_IP, 80), 10)
    expect(lab, "pod2", "the address is still used", port=81)
    lab.remove("young.yaml")
    wait_until("nobody uses it", lambda: SHARED_IP not in lab.nft() + lab.ipvs(), 10)


def it_settles_a_node_port_against_an_address_of_the_node(lab):
    """An external IP that is the node's own, of an older Service, with the number of another Service's node port; and a
    process of the host that listens there: IPVS has the connections, until the last Service has gone."""
    lab.start_pods(1, 2)
    lab.write("pods.yaml", pods(1, app="old", probe=None) + pods(2, app="young", probe=None))
    lab.write("old.yaml", service("old", OLD[0], "  type: NodePort\n", [("http", "TCP", 80, 30080)]))
    lab.write("young.yaml", created(claim("young", YOUNG[0], NODE_IP[4], 30080), "2026-01-01T00:00:00Z"))
    lab.spawn("daemon", "node", ["/usr/bin/python3", "-m", "http.server", "30080", "--bind", "0.0.0.0"],
              stdout=-3, stderr=-3)
    wait_until("the host's daemon listens", lambda: ":30080 " in lab.on("node", "ss", "-Hltn"), 20)
    lab.start_podferry()
    if who_answers(lab, NODE_IP[4], 30080) != {"pod1"}:
        raise Failure(f"the node port has it: {who_answers(lab, NODE_IP[4], 30080)}")
    if lab.metric("podferry_conflicts") != 1:
        raise Failure("it is no conflict")
    lab.remove("old.yaml")
    wait_until("the external IP has it", lambda: who_answers(lab, NODE_IP[4], 30080) == {"pod2"}, 10)
    lab.remove("young.yaml")
    wait_until("the host's daemon has it",
               lambda: "Directory listing" in lab.on("outside", "curl", "-s", f"http://{NODE_IP[4]}:30080/", check=False), 10)
