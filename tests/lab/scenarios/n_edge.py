"""podferry edge without a cluster: front ends and real servers of a file."""
import signal

from edge import VIP, VIP6, WINDOW, answering, edge_file, expect, front_end, front_ends, in_use, start_edge, write
from lab import GATEWAY_IP, RATE, Failure, check_rate, failures, wait_until

ALL = {"pod1", "pod2", "pod3"}


def start(lab, *more, **options):
    lab.start_pods(1, 2, 3)
    write(lab, front_end(), *more, **options)
    start_edge(lab)
    expect("real servers in use", in_use(lab), ALL)


def it_spreads_connections(lab):
    """Of TCP and UDP, of both families; the real servers see the edge's address, and nothing else answers at a front end's."""
    start(lab, front_end("six", VIP6, 80, family=6), front_end("dns", VIP, 53, more="  protocol: UDP\n"))
    expect("who answers over IPv4", answering(lab), ALL)
    expect("who answers over IPv6", answering(lab, VIP6), ALL)
    expect("who answers datagrams", answering(lab, port=53, protocol="udp"), ALL)
    expect("the client's address", {seen for _, seen in lab.ask("outside", "tcp", VIP, 80)}, {GATEWAY_IP[4]})
    expect("the client's address", {seen for _, seen in lab.ask("outside", "tcp", VIP6, 80)}, {GATEWAY_IP[6]})
    expect("another port", answering(lab, port=22, count=1), {"error:"})
    for address in (VIP, VIP6):
        if address not in lab.routes():
            raise Failure(f"{address} is not ours:\n{lab.routes()}")


def it_shares_by_weight(lab):
    """A real server of weight 3 gets three times as many; one of weight 0 none, and keeps what it has."""
    lab.start_pods(1, 2)
    write(lab, front_end(servers=(1, 2), weights={1: 3}))
    start_edge(lab)
    answers = [who for who, _ in lab.ask("outside", "tcp", VIP, 80, 12)]
    expect("answers of pod1 of 12", answers.count("pod1"), 9)
    lab.hold("outside", VIP, 80, "pod1")
    write(lab, front_end(servers=(1, 2), weights={1: 0}))
    wait_until("weight 0 is in force", lambda: in_use(lab) == {"pod2"}, 5)
    expect("who answers", answering(lab), {"pod2"})
    lab.still_holds()


def broken(lab, how, mend, window, begins_again):
    """Under load: requests fail only within `window` of it, and it is used again when it is mended."""
    start(lab)
    lab.load("outside", VIP, 80, RATE, 14)
    wait_until("the load runs", lambda: VIP in lab.on("node", "ipvsadm", "-L", "-n", "-c"), 10)
    how()
    noticed = wait_until("pod2 is taken out", lambda: in_use(lab) == ALL - {"pod2"}, window + 2)
    told = [line for line in front_ends(lab).splitlines() if "10.1.0.12:8080" in line]
    if len(told) != 1 or "connect: " not in told[0]:
        raise Failure(f"podferry backends does not say why pod2 is out: {told}")
    rows = lab.finish_load()
    check_rate(rows)
    bad = failures(rows)
    if not bad:
        raise Failure("no request failed: pod2 was not broken")
    first, last = bad[0]["at"], bad[-1]["at"]
    if last - first > window + 1:
        raise Failure(f"requests failed over {last - first:.1f} s, longer than the window of {window} s and a second")
    mend()
    wait_until("pod2 is used again", lambda: in_use(lab) == ALL, begins_again)
    expect("who answers", answering(lab), ALL)
    print(f"      out after {noticed:.1f} s; {len(bad)} of {len(rows)} requests failed, all within {last - first:.1f} s")


def it_goes_on_without_a_killed_server(lab):
    """Its host refuses connections: two checks fail."""
    broken(lab, lambda: lab.kill_pod(2), lambda: lab.start_pod(2), WINDOW - 1, 10)


def it_goes_on_without_a_silent_server(lab):
    """Nothing comes back: a timeout more."""
    broken(lab, lambda: lab.on("pod2", "ip", "link", "set", "eth0", "down"),
           lambda: lab.ip("link set eth0 up\naddr replace fd00:1::12/128 dev eth0 nodad\n"
                          "route replace 10.1.0.1 dev eth0\nroute replace default via 10.1.0.1\n", "pod2"), WINDOW, 20)


def it_resets_connections_to_a_silent_server(lab):
    """Within two windows and what draining takes at least; a server that only fails its check keeps them."""
    start(lab)
    lab.hold("outside", VIP, 80, "pod2")
    lab.sicken_pod(2)
    wait_until("pod2 is out", lambda: in_use(lab) == ALL - {"pod2"}, WINDOW + 2)
    lab.still_holds()
    lab.cure_pod(2)
    wait_until("pod2 is used again", lambda: in_use(lab) == ALL, 10)
    lab.on("pod2", "ip", "link", "set", "eth0", "down")
    wait_until("pod2 is out", lambda: in_use(lab) == ALL - {"pod2"}, WINDOW + 2)
    wait_until("it is deleted", lambda: "pod2" not in lab.weights(VIP, 80), WINDOW + 4)
    wait_until("the held connection has ended", lambda: lab.hold_end(), 10)


def it_refuses_when_nobody_is_left(lab):
    """A front end without real servers that pass answers with a refusal, at once."""
    lab.start_pods(1)
    write(lab, front_end(servers=(1,)), front_end("none", port=81, servers=()))
    start_edge(lab)
    expect("who answers", answering(lab, count=2), {"pod1"})
    lab.kill_pod(1)
    wait_until("pod1 is out", lambda: not in_use(lab), WINDOW + 2)
    for port in (80, 81):
        expect(f"port {port}", set(lab.ask("outside", "tcp", VIP, port, 2)), {("error:", "Connection refused")})
    if "connect: Connection refused" not in front_ends(lab):
        raise Failure(front_ends(lab))


def it_follows_the_file(lab):
    """Front ends come, change and go while podferry runs; a mistake changes nothing but itself, and is told with its line."""
    start(lab)
    write(lab, front_end(servers=(1, 2)), front_end("more", port=81, servers=(3,)))
    wait_until("it is in force", lambda: in_use(lab) == {"pod1", "pod2"} and in_use(lab, port=81) == {"pod3"}, 10)
    write(lab, front_end(servers=(1,)), "- name: more\n  address: 203.0.113.10\n  port: 70000\n  real_servers: []\n")
    wait_until("what is right is in force", lambda: in_use(lab) == {"pod1"}, 5)
    expect("what was last good", in_use(lab, port=81), {"pod3"})
    line = edge_file(lab).read_text().splitlines().index("  port: 70000") + 1
    wait_until("the mistake is told", lambda: f"edge.yaml:{line}: front end more: front_ends[1].port: 70000 is out" in
               lab.status(), 5)
    edge_file(lab).write_text("front_ends: [")
    wait_until("the file is told to be no YAML", lambda: "not valid YAML" in lab.status(), 5)
    expect("what was last good", (in_use(lab), in_use(lab, port=81)), ({"pod1"}, {"pod3"}))
    write(lab, front_end(servers=(1, 2, 3)))
    wait_until("it is mended", lambda: in_use(lab) == ALL and not lab.has_virtual_server(VIP, 81), 10)
    expect("problems", lab.metric("podferry_problems", severity="error"), 0)


def it_restarts_under_load(lab):
    """SIGKILL, start again: no request fails, and nothing is written to the kernel."""
    start(lab)
    before = lab.ipvs()
    lab.load("outside", VIP, 80, RATE, 12)
    wait_until("the load runs", lambda: VIP in lab.on("node", "ipvsadm", "-L", "-n", "-c"), 10)
    lab.hold("outside", VIP, 80, "pod1")
    lab.stop_podferry(signal.SIGKILL)
    start_edge(lab)
    writes = {op: lab.metric("podferry_netlink_operations_total", op=op, result="ok")
              for op in ("add-service", "delete-service", "add-server", "edit-server", "delete-server", "add-route", "delete-route")}
    rows = lab.finish_load()
    check_rate(rows)
    lab.still_holds()
    if failures(rows):
        raise Failure(f"{len(failures(rows))} of {len(rows)} requests failed: {failures(rows)[:3]}")
    expect("what the restart wrote to the kernel", {op: count for op, count in writes.items() if count}, {})
    expect("virtual servers", lab.ipvs(), before)


def it_serves_an_address_that_vrrp_moves(lab):
    """take_address: false: the address is left alone, and served as soon as this host has it."""
    lab.start_pods(1, 2, 3)
    write(lab, front_end(more="  take_address: false\n"))
    start_edge(lab)
    if VIP in lab.routes():
        raise Failure(lab.routes())
    lab.ip(f"addr add {VIP}/32 dev eth0\n", "node")
    wait_until("it is answered", lambda: answering(lab) == ALL, 10)
    lab.ip(f"addr del {VIP}/32 dev eth0\n", "node")
    expect("routes", VIP in lab.routes(), False)


def it_leaves_nothing_behind(lab):
    """podferry cleanup with the edge's file removes all that is ours."""
    start(lab)
    lab.stop_podferry()
    expect("who answers without podferry", answering(lab), ALL)
    lab.podferry("cleanup", "--config", str(edge_file(lab)))
    expect("virtual servers", lab.ipvs().strip(), "")
    expect("routes", lab.routes().strip(), "")
    if "podferry" in lab.nft():
        raise Failure(lab.nft())
