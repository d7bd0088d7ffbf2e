"""What networks do to packets on their way: fragments, smaller MTUs, packets out of place, rules of others, reverse paths."""
import re

from lab import GATEWAY_IP, HERE, NODE_IP, OUTSIDE_IP, POD_PORT, PYTHON, Failure, pod_ip, wait_until
from manifests import pods, service

CLUSTER_IP = {4: "10.96.0.5", 6: "fd00:96::5"}
VIP = {4: "203.0.113.7", 6: "fd00:203::7"}
NODE_PORT = 30080
DUAL = f"""  type: NodePort
  ipFamilyPolicy: RequireDualStack
  clusterIPs: ["{CLUSTER_IP[4]}", "{CLUSTER_IP[6]}"]
  externalIPs: ["{VIP[4]}", "{VIP[6]}"]
"""
PORTS = [("http", "TCP", 80, NODE_PORT), ("echo", "UDP", 80, NODE_PORT)]
LARGE = {"tcp": 200_000, "udp": 16_000}


def start(lab, *numbers, extra=DUAL, config=None):
    lab.start_pods(*numbers)
    lab.write("web.yaml", service(cluster_ip=CLUSTER_IP[4], extra=extra, ports=PORTS) + pods(*numbers, probe=None))
    lab.start_podferry(config=config)
    wait_until("the pods are used", lambda: len(lab.weights(CLUSTER_IP[6], 80, "u")) == len(numbers), 10)


def fronts(family):
    """By name; who asks there."""
    return {"ClusterIP": (CLUSTER_IP[family], 80, "pod4"), "node port": (NODE_IP[family], NODE_PORT, "outside"),
            "external IP": (VIP[family], 80, "outside")}


def transfer(lab, space, protocol, address, port, size=None):
    return lab.on(space, PYTHON, str(HERE / "bulk.py"), protocol, address, str(port), str(size or LARGE[protocol]), timeout=60).strip()


def forget_paths(lab, *spaces):
    """What they have learnt of smaller MTUs through one front end is not to help at the next."""
    for each in spaces:
        for family in ("-4", "-6"):
            lab.on(each, "ip", family, "route", "flush", "cache")


def all_transfers(lab, space=None):
    """What went wrong, through all front ends (seen from outside when `space` is given)."""
    wrong = []
    for family in (4, 6):
        for name, (address, port, usual) in fronts(family).items():
            if space and name == "ClusterIP":
                continue
            for protocol in LARGE:
                forget_paths(lab, "pod1", space or usual)
                said = transfer(lab, space or usual, protocol, address, port)
                if said != "same":
                    wrong.append(f"{name}, {protocol}, IPv{family}: {said}")
    return wrong


def it_carries_more_than_a_packet(lab):
    """200 KB over TCP, 16 KB over UDP in fragments, there and back, through each front end."""
    start(lab, 1)
    if wrong := all_transfers(lab):
        raise Failure("\n".join(wrong))


def make_narrow_path(lab, mtu):
    """outside becomes a router; behind it, over a link with a smaller MTU, another router and a client `behind`."""
    lab.ip("netns add middle\nnetns add behind\nlink add eth1 netns outside mtu 1500 type veth peer name eth0 netns middle\n"
           "link add eth1 netns middle type veth peer name eth0 netns behind\n")
    lab.spaces += ["middle", "behind"]
    for space in ("outside", "middle"):
        lab.on(space, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
               "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
    for near, far, network in (("outside", "middle", 61), ("middle", "behind", 62)):
        lab.ip(f"link set eth1 up\naddr add 192.168.{network}.1/24 dev eth1\naddr add fd00:{network}::1/64 dev eth1 nodad\n", near)
        lab.ip(f"link set lo up\nlink set eth0 up\naddr add 192.168.{network}.2/24 dev eth0\n"
               f"addr add fd00:{network}::2/64 dev eth0 nodad\nroute add default via 192.168.{network}.1\n"
               f"route add default via fd00:{network}::1\n", far)
    lab.ip(f"link set eth1 mtu {mtu}\nroute add 192.168.62.0/24 via 192.168.61.2\nroute add fd00:62::/64 via fd00:61::2\n", "outside")
    lab.ip(f"link set eth0 mtu {mtu}\n", "middle")


def must_learn(lab, space, target, client, address, port):
    """A transfer through that front end teaches `space` the way's MTU to `target`."""
    forget_paths(lab, "pod1", client)
    said = transfer(lab, client, "tcp", address, port)
    route = lab.on(space, "ip", "route", "get", target)
    if said != "same" or "mtu 1300" not in route:
        raise Failure(f"{address}: {said}; {space} has learnt nothing of the way to {target}: {route}")


def it_learns_a_smaller_mtu_behind_a_front_end(lab):
    """"Fragmentation needed" and "packet too big" of a router between the node and a client reach the pod that they are for."""
    start(lab, 1)
    make_narrow_path(lab, 1300)
    if wrong := all_transfers(lab, "behind"):
        raise Failure("\n".join(wrong))
    for family in (4, 6):
        for address, port in ((VIP[family], 80), (NODE_IP[family], NODE_PORT)):
            must_learn(lab, "pod1", GATEWAY_IP[family], "behind", address, port)


def it_tells_a_client_of_a_smaller_mtu_to_the_pod(lab):
    """The way from the node to the pod has it."""
    start(lab, 1)
    for family in (4, 6):
        lab.ip(f"route replace {pod_ip(1, family)} dev pod1 mtu lock 1300\n", "node")
    # The kernel tells nobody of it in the name of an IPv4 address that is not local (ip_route_output_key_hash_rcu).
    if wrong := [line for line in all_transfers(lab) if not line.startswith("external IP, tcp, IPv4")]:
        raise Failure("\n".join(wrong))
    for family in (4, 6):
        must_learn(lab, "outside", NODE_IP[family], "outside", NODE_IP[family], NODE_PORT)


def invalid_packets(lab):
    """How many connection tracking could not place."""
    return sum(int(count) for count in re.findall(r" invalid=(\d+)", lab.on("node", "conntrack", "-S")))


def it_keeps_connections_when_a_segment_is_out_of_place(lab):
    """kubernetes/kubernetes#74839: connection tracking calls an answer invalid and leaves it as it is; who gets it with a pod's
    address instead of the front end's would reset the pod's connection. Masqueraded and not."""
    lab.spawn("pod1", "pod1", [PYTHON, str(HERE / "boom.py"), "pod1", str(POD_PORT)])
    wait_until("the pod listens", lambda: f":{POD_PORT} " in lab.on("pod1", "ss", "-Hltn"), 20)
    lab.write("web.yaml", service(cluster_ip=CLUSTER_IP[4], extra=DUAL, ports=PORTS) + pods(1, probe=None))
    lab.start_podferry()
    wait_until("the pod is used", lambda: lab.weights(VIP[4], 80) == {"pod1": 1}, 10)
    wrong = []
    for space, (address, port) in {"pod4": (CLUSTER_IP[4], 80), "node": (CLUSTER_IP[4], 80), "pod1": (CLUSTER_IP[4], 80),
                                   "outside": (NODE_IP[4], NODE_PORT), "pod3": (VIP[4], 80)}.items():
        before, name = invalid_packets(lab), f"hold-{space}"
        lab.begin_to_hold(space, address, port, "pod1", name)
        wait_until(f"{name} has asked often enough", lambda: lab.held(name) > 8 or lab.hold_end(name), 20)
        if lab.hold_end(name):
            wrong.append(f"{space} to {address}:{port}: {lab.hold_end(name)}")
        if invalid_packets(lab) == before:
            wrong.append(f"{space} to {address}:{port}: nothing was out of place")
    if wrong:
        raise Failure("\n".join(wrong))


# What the CNI plugin portmap writes for a pod with hostPort 80 (github.com/containernetworking/plugins, meta/portmap).
def portmap(pod, family):
    tables = "iptables-nft" if family == 4 else "ip6tables-nft"
    address = pod_ip(pod, family)
    place = f"[{address}]:{POD_PORT}" if family == 6 else f"{address}:{POD_PORT}"
    rules = ["-N CNI-HOSTPORT-DNAT", "-N CNI-DN-0123456789abcdef", "-N CNI-HOSTPORT-SETMARK", "-N CNI-HOSTPORT-MASQ",
             "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
             "-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
             "-A POSTROUTING -j CNI-HOSTPORT-MASQ",
             "-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE",
             "-A CNI-HOSTPORT-SETMARK -j MARK --set-xmark 0x2000/0x2000",
             "-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 80 -j CNI-DN-0123456789abcdef",
             f"-A CNI-DN-0123456789abcdef -s {address} -p tcp --dport 80 -j CNI-HOSTPORT-SETMARK",
             f"-A CNI-DN-0123456789abcdef -p tcp --dport 80 -j DNAT --to-destination {place}"]
    return [[tables, "-t", "nat", *rule.split()] for rule in rules]


def it_keeps_a_services_clients_from_a_host_port(lab):
    """A network plugin's hostPort has the number of a Service's port: it takes what comes to any address that is local, and
    ClusterIPs are; but the Service's are the Service's, from pods, the node and outside, and the node's own port is the plugin's."""
    lab.start_pods(3)
    start(lab, 1)
    for family in (4, 6):
        for command in portmap(3, family):
            lab.on("node", *command)
    wrong = []
    for family in (4, 6):
        wanted = {("pod4", CLUSTER_IP[family]): ("pod1", pod_ip(4, family)), ("node", CLUSTER_IP[family]): ("pod1", None),
                  ("outside", CLUSTER_IP[family]): ("pod1", GATEWAY_IP[family]),
                  ("pod4", VIP[family]): ("pod1", GATEWAY_IP[family]), ("outside", VIP[family]): ("pod1", GATEWAY_IP[family]),
                  ("outside", NODE_IP[family]): ("pod3", OUTSIDE_IP[family])}
        for (space, address), (who, source) in wanted.items():
            seen = set(lab.ask(space, "tcp", address, 80, 3))
            if {name for name, _ in seen} != {who} or (source and seen != {(who, source)}):
                wrong.append(f"{space} to {address}:80: {seen}, not {who} from {source}")
    if wrong:
        raise Failure("\n".join(wrong))


def it_works_with_strict_reverse_paths(lab):
    """rp_filter=1 on all interfaces."""
    start(lab, 1)
    lab.on("node", "sysctl", "-q", "-w", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.default.rp_filter=1")
    wrong = []
    for space in ("pod4", "node", "outside", "pod1"):
        for address, port, _ in fronts(4).values():
            for protocol in ("tcp", "udp"):
                seen = lab.ask(space, protocol, address, port, 3)
                if {who for who, _ in seen} != {"pod1"}:
                    wrong.append(f"{space} to {address}, {protocol}: {seen}")
    if wrong:
        raise Failure("\n".join(wrong))


def it_answers_clients_whose_packets_come_another_way(lab):
    """What the client sends comes over a second link, what it gets goes over the first: as between two routers."""
    start(lab, 1)
    lab.ip("link add eth1 netns node type veth peer name eth1 netns outside\n")
    lab.ip("link set eth1 up\naddr add 192.168.51.10/24 dev eth1\naddr add fd00:51::10/64 dev eth1 nodad\n", "node")
    lab.ip("link set eth1 up\naddr add 192.168.51.100/24 dev eth1\naddr add fd00:51::100/64 dev eth1 nodad\n"
           + "".join(f"route add {address} via {via} src {own}\n" for family, via, own in (
               (4, "192.168.51.10", OUTSIDE_IP[4]), (6, "fd00:51::10", OUTSIDE_IP[6]))
               for address in (CLUSTER_IP[family], VIP[family])), "outside")
    for node in ("192.168.51.10", "fd00:51::10"):
        wait_until(f"the second link reaches {node}", lambda: "1 received" in lab.on(
            "outside", "ping", "-c", "1", "-W", "1", node, check=False), 20)
    wrong = []
    for family in (4, 6):
        for address in (CLUSTER_IP[family], VIP[family]):
            for protocol in ("tcp", "udp"):
                seen = lab.ask("outside", protocol, address, 80, 3)
                if {who for who, _ in seen} != {"pod1"}:
                    wrong.append(f"{protocol} to {address}: {seen}")
    if wrong:
        raise Failure("\n".join(wrong))
