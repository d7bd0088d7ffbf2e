"""The scenarios. A row is a Service and its endpoints, in the words of their manifests; model.py makes objects and cells of
it. Names go by feature; `ci=True` puts a row into the subset that CI runs. New rows go at the end of a group or the table:
addresses follow from a row's place, and a recorded reference from an older table fits no more."""
from model import (DAEMON_PORT, NODE2_IP, NODE2_SECOND_IP, NODE_IP, OTHER_IP, OUTSIDE_IP, POD_CIDR, POD_PORT, SECOND_PORT, Ask,
                   Port, Scenario)

ALL = ("cluster", "node", "external", "lb")
OUTWARD = ("node", "external", "lb")
ETP_LOCAL = {"externalTrafficPolicy": "Local"}
ITP_LOCAL = {"internalTrafficPolicy": "Local"}
HOST_AND_OUTSIDE = ("host", "outside")

# ---- endpoint states x traffic policies -----------------------------------------------------------------------------------
STATES = {"none": "", "local": "p1 p2", "remote": "r1 r2", "both": "p1 r1", "terminating-local": "p1/terminating",
          "terminating-remote": "r1/terminating", "dying": "p1/dying r1/dying", "unready": "p1/unready r1/unready",
          "ready-local-terminating-remote": "p1 r1/terminating", "ready-remote-terminating-local": "r1 p1/terminating",
          "ready-remote-unready-local": "r1 p1/unready", "all-terminating": "p1/terminating r1/terminating",
          "mixed": "p1 p2/terminating p3/unready r1"}
POLICIES = {"cluster": {}, "etp-local": ETP_LOCAL, "itp-local": ITP_LOCAL, "both-local": ETP_LOCAL | ITP_LOCAL}
CI_STATES = {("cluster", "none"), ("cluster", "both"), ("cluster", "ready-local-terminating-remote"), ("etp-local", "remote"),
             ("etp-local", "both"), ("etp-local", "none"), ("etp-local", "ready-remote-terminating-local"), ("itp-local", "remote"),
             ("itp-local", "both"), ("both-local", "all-terminating")}
# With both policies Local only what neither shows alone.
BOTH_LOCAL = ("both", "remote", "none", "ready-remote-terminating-local", "all-terminating")
SHOWS = {("etp-local", "both"): "D1", ("etp-local", "remote"): "D1", ("itp-local", "remote"): "D2"}


def matrix():
    for policy, spec in POLICIES.items():
        for state, endpoints in STATES.items():
            if policy == "both-local" and state not in BOTH_LOCAL:
                continue
            yield Scenario(f"{policy}.{state}", endpoints, ALL, spec, ci=(policy, state) in CI_STATES,
                           shows=SHOWS.get((policy, state), ""))


# A ClusterIP that is not reachable from outside at all.
CLUSTER_IP_ONLY = [
    Scenario("itp-local-only.remote", "r1 r2", spec=ITP_LOCAL, ci=True, shows="D2"),
    Scenario("itp-local-only.both", "p1 r1", spec=ITP_LOCAL),
    Scenario("itp-local-only.none", "", spec=ITP_LOCAL),
    Scenario("itp-local-only.terminating-local", "p1/terminating r1", spec=ITP_LOCAL),
    Scenario("conditions.absent", "p1/bare r1/bare"),
    Scenario("endpoint.host-network", "host", ALL, ci=True),
    Scenario("endpoint.host-network-remote", "node2", ALL),
    Scenario("endpoint.host-network-etp-local", "host node2", OUTWARD, ETP_LOCAL),
]

# ---- load balancers -------------------------------------------------------------------------------------------------------
ANY = {4: "0.0.0.0/0", 6: "::/0"}


def ranges(*cidrs, **more):
    return {"loadBalancerSourceRanges": list(cidrs), **more}


def both(family_values, four, six):
    return f"{family_values[4]}/{four}", f"{family_values[6]}/{six}"


WITH_OTHER = ("pod", "far", "host", "outside", "other")
LOAD_BALANCERS = [
    Scenario("ip-mode.proxy", "p1 r1", ("cluster", "node", "lb"), ip_mode="Proxy", ci=True),
    Scenario("ip-mode.proxy-etp-local", "p1", ("node", "lb"), ETP_LOCAL, ip_mode="Proxy"),
    Scenario("ranges.outside", "p1 r1", ALL, ranges(*both(OUTSIDE_IP, 32, 128)), clients=WITH_OTHER, ci=True, shows="D8"),
    Scenario("ranges.pods", "p1 r1", ("lb",), ranges(POD_CIDR[4], POD_CIDR[6]), clients=WITH_OTHER),
    Scenario("ranges.node", "p1 r1", ("lb",), ranges(*both(NODE_IP, 32, 128)), clients=WITH_OTHER),
    Scenario("ranges.nobody", "p1 r1", ALL, ranges("192.0.2.0/24", "2001:db8:ff::/64"), clients=WITH_OTHER),
    Scenario("ranges.everybody", "p1 r1", ("lb",), ranges(*ANY.values()), clients=WITH_OTHER, ci=True, shows="D8"),
    Scenario("ranges.everybody-and-one", "p1", ("lb",), ranges(ANY[4], *both(OUTSIDE_IP, 32, 128)), clients=WITH_OTHER, shows="D8"),
    Scenario("ranges.only-ipv4", "p1", ("lb",), ranges(f"{OUTSIDE_IP[4]}/32"), clients=WITH_OTHER, shows="D8"),
    Scenario("ranges.only-ipv6", "p1", ("lb",), ranges(f"{OUTSIDE_IP[6]}/128"), clients=WITH_OTHER, shows="D8"),
    Scenario("ranges.overlapping", "p1", ("lb",), ranges("192.168.50.0/24", f"{OUTSIDE_IP[4]}/32", "192.168.0.0/16", "fd00:50::/64",
                                                        f"{OUTSIDE_IP[6]}/128"), clients=WITH_OTHER),
    Scenario("ranges.etp-local", "p1 r1", ("lb", "node"), ranges(*both(OUTSIDE_IP, 32, 128), **ETP_LOCAL), clients=WITH_OTHER),
    Scenario("ranges.etp-local-pods", "r1", ("lb",), ranges(POD_CIDR[4], POD_CIDR[6], **ETP_LOCAL), clients=WITH_OTHER),
    Scenario("ranges.no-endpoints", "", ("lb",), ranges(*both(OUTSIDE_IP, 32, 128)), clients=WITH_OTHER),
    Scenario("ranges.two-ports", "p1", ("lb",), ranges(*both(OTHER_IP, 32, 128)), clients=("outside", "other"),
             ports=(Port(), Port("web", 8443, "TCP", SECOND_PORT))),
    Scenario("lb.no-node-ports", "p1 r1", ("cluster", "lb"), ETP_LOCAL | {"allocateLoadBalancerNodePorts": False}),
]

# ---- the health check node port -------------------------------------------------------------------------------------------
HEALTH = [Scenario(f"health.{name}", endpoints, ("node", "lb"), ETP_LOCAL, asks=(), ci=name == "two-local", more=(
    Ask("node", HOST_AND_OUTSIDE, protocol="health", label="health-check", number=-1),)) for name, endpoints in (
        ("two-local", "p1 p2 r1"), ("no-local", "r1"), ("only-terminating", "p1/terminating"), ("none", ""),
        ("unready", "p1/unready"))]

# ---- external addresses ---------------------------------------------------------------------------------------------------
DAEMON = {"number": DAEMON_PORT, "label": "other-port"}
SHARED = {"external": {4: "203.0.113.251", 6: "2001:db8:e::fffb"}}
CONTESTED = {"external": {4: "203.0.113.252", 6: "2001:db8:e::fffc"}}
EXTERNAL = [
    Scenario("external-ip.of-this-node", "p1 r1", ("external",), addresses={"external": NODE_IP}, ports=(Port("web", 8888),), asks=(
        Ask("external", port="web"), Ask("external", port="web", **DAEMON)), ci=True),
    Scenario("external-ip.of-this-node-etp-local", "r1", ("external",), ETP_LOCAL, addresses={"external": NODE_IP},
             ports=(Port("web", 8889),), asks=(Ask("external", port="web"),)),
    Scenario("external-ip.of-another-node", "p1 r1", ("external",), addresses={"external": NODE2_SECOND_IP}, ports=(Port("web", 8888),), asks=(
        Ask("external", ("pod", "host", "outside"), port="web"), Ask("external", ("pod", "host", "outside"), port="web", **DAEMON)),
        ci=True, shows="D3"),
    Scenario("external-ip.shared", "p1", ("external",), addresses=SHARED),
    Scenario("external-ip.shared-other-port", "p2", ("external",), addresses=SHARED, ports=(Port("web", 81),)),
    Scenario("external-ip.contested", "p1", ("external",), addresses=CONTESTED, clients=("pod", "outside")),
    Scenario("external-ip.contested-second", "p2", ("external",), addresses=CONTESTED, clients=("pod", "outside"), asks=(
        Ask("cluster", ("pod",)),)),
    Scenario("external-ip.single-family", "p1 r1", ("cluster", "external"), families=(6,)),
    Scenario("external-ip.single-family-ipv4", "p1 r1", ("cluster", "external"), families=(4,)),
]

# ---- what nobody serves -----------------------------------------------------------------------------------------------------
UNKNOWN_PORTS = [
    Scenario("unknown-port.tcp", "p1", ALL, ci=True, shows="D7", asks=(
        *(Ask(front, **DAEMON) for front in ("cluster", "external", "lb")), Ask("cluster", number=4, label="closed-port"))),
    Scenario("unknown-port.udp", "p1", ALL, shows="D7", asks=tuple(
        Ask(front, protocol="udp", label="udp", **{"number": DAEMON_PORT}) for front in ("cluster", "external", "lb"))),
    Scenario("unknown-port.other-protocol", "p1", ("cluster",), asks=(Ask("cluster", protocol="udp", label="udp"),)),
    Scenario("unknown-port.no-endpoints", "", ("cluster",), asks=(Ask("cluster", **DAEMON),)),
    Scenario("unknown-port.host-itself", "p1", ("node",), asks=(
        Ask(NODE_IP, number=DAEMON_PORT, label="daemon"), Ask(NODE2_IP, ("pod", "host", "outside"), number=DAEMON_PORT, label="daemon-of-node2"))),
    Scenario("unknown-address.cluster-ip", "p1", ("cluster",), asks=(Ask({4: "10.96.200.200", 6: "fd00:96::c8c8"}),)),
    Scenario("ping", "p1", ALL, ci=True, shows="D3", asks=tuple(
        Ask(front, protocol="icmp", label="ping") for front in ("cluster", "external", "lb"))),
    Scenario("ping.no-endpoints", "", ("cluster",), asks=(Ask("cluster", protocol="icmp", label="ping"),)),
]

# ---- node ports -----------------------------------------------------------------------------------------------------------
NODE_PORTS = [
    Scenario("node-port.loopback", "p1 r1", ("node",), ci=True, asks=(Ask("loopback", ("loopback",)),)),
    Scenario("node-port.unselected-address", "p1 r1", ("node",), asks=(Ask("link"),)),
    Scenario("node-port.late-address", "p1 r1", ("node",), shows="D5", ci=True, asks=(
        Ask("late", ("host", "outside"), when="late", fast=True, how="how many"),)),
    Scenario("node-port.tcp-and-udp", "p1", ("node",), ports=(Port("tcp", 53, "TCP"), Port("udp", 53, "UDP"))),
]

# ---- affinity, hints, hairpin ---------------------------------------------------------------------------------------------
STICKY = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 3600}}}


def hints(name, endpoints, fronts=("cluster", "node"), spec=(), **more):
    return Scenario(f"hints.{name}", endpoints, fronts, dict(spec), **more)


NEARNESS = [
    Scenario("affinity.cluster-ip", "p1 p2 r1", ("cluster",), STICKY, how="how many", ci=True),
    Scenario("affinity.all", "p1 p2 r1", ALL, STICKY, how="how many"),
    Scenario("affinity.across-front-ends", "p1 p2 p3 r1 r2", ("cluster", "node", "external"), STICKY, shows="D4", ci=True, asks=(
        # One more client for one front end: schedulers that count for each alone are then at different pods.
        Ask("cluster", ("far",), when="start", how="how many", label="first-client"),
        Ask("cluster", ("pod", "host", "outside"), then=("node", "external"), how="how many", label="all-front-ends"))),
    Scenario("affinity.across-ports", "p1 p2 p3 r1 r2", ("cluster",), STICKY, ports=(Port(), Port("web", 81)), how="how many"),
    Scenario("affinity.etp-local", "p1 p2 r1", OUTWARD, STICKY | ETP_LOCAL, how="how many"),
    Scenario("affinity.udp", "p1 p2 r1", ("cluster", "node"), STICKY, ports=(Port("dns", 53, "UDP"),), how="how many"),
    hints("zone", "p1/zone=zone-a p2/zone=zone-b r1/zone=zone-a r2/zone=zone-b", ALL, ci=True),
    hints("zone-only-remote", "p1/zone=zone-b r1/zone=zone-a"),
    hints("zone-one-without", "p1/zone=zone-a r1"),
    hints("zone-not-ours", "p1/zone=zone-b r1/zone=zone-c"),
    hints("zone-of-several", "p1/zone=zone-b r1/zone=zone-b/node=node2", spec={}),
    hints("zone-terminating", "p1/zone=zone-b/terminating r1/zone=zone-a/terminating"),
    hints("zone-ready-elsewhere", "p1/zone=zone-a/terminating r1/zone=zone-b"),
    hints("node", "p1/node=node p2/node=node2 r1/node=node2", ci=True),
    hints("node-over-zone", "p1/node=node/zone=zone-a p2/node=node2/zone=zone-a"),
    hints("node-not-ours", "p1/node=node2/zone=zone-b r1/node=node2/zone=zone-a"),
    hints("node-one-without", "p1/node=node/zone=zone-a r1/zone=zone-a"),
    hints("etp-local", "p1/zone=zone-b p2/zone=zone-b r1/zone=zone-a", ALL, ETP_LOCAL),
    hints("itp-local", "p1/zone=zone-b r1/zone=zone-a", ("cluster",), ITP_LOCAL),
    Scenario("hairpin", "p4", ALL, clients=("pod",), ci=True),
    Scenario("hairpin.etp-local", "p4", OUTWARD, ETP_LOCAL, clients=("pod", "outside")),
    Scenario("hairpin.remote", "r4", ("cluster", "node"), clients=("far",)),
    Scenario("hairpin.of-two", "p4 p1", ("cluster",), clients=("pod",)),
    Scenario("hairpin.udp", "p4", ("cluster",), clients=("pod",), ports=(Port("dns", 53, "UDP"),)),
]

# ---- ports ----------------------------------------------------------------------------------------------------------------
PORTS = [
    Scenario("ports.several", "p1 r1", ("cluster", "node"), ports=(Port(), Port("web", 8443, "TCP", SECOND_PORT))),
    Scenario("ports.named", [("p1", {"http": POD_PORT}), ("p2", {"http": SECOND_PORT})], ("cluster",), ci=True),
    Scenario("ports.same-number", "p1", ALL, ci=True, ports=(Port("tcp", 53, "TCP"), Port("udp", 53, "UDP"), Port("sctp", 53, "SCTP"))),
    Scenario("ports.udp", "p1 r1", ALL, ports=(Port("dns", 53, "UDP"),), ci=True),
    Scenario("ports.udp-none", "", ALL, ports=(Port("dns", 53, "UDP"),)),
    Scenario("ports.udp-etp-local", "r1", OUTWARD, ETP_LOCAL, ports=(Port("dns", 53, "UDP"),)),
    Scenario("ports.sctp", "p1", ("cluster", "node"), ports=(Port("sctp", 80, "SCTP"),), clients=("pod", "outside")),
    Scenario("ports.slice-lacks-one", [("p1", {})], ("cluster",), ports=(Port(), Port("web", 81, "TCP", SECOND_PORT))),
]

# ---- Services that are not served, or not here ------------------------------------------------------------------------------
SERVED_BY_OTHERS = {"service.kubernetes.io/service-proxy-name": "another"}
HEADLESS = {"service.kubernetes.io/headless": ""}
NOT_SERVED = [
    Scenario("external-name", "p1", ("external",), {"type": "ExternalName", "externalName": "example.org"}, asks=(Ask("external"),)),
    Scenario("label.service-proxy-name", "p1", ALL, labels=SERVED_BY_OTHERS, slice_labels=SERVED_BY_OTHERS, ci=True),
    Scenario("label.headless", "p1", ("cluster", "node"), labels=HEADLESS, slice_labels=HEADLESS),
    Scenario("label.headless-only-service", "p1", ("cluster",), labels=HEADLESS),
]

# ---- while the proxy starts -------------------------------------------------------------------------------------------------
START = [
    Scenario("start.source-address", "p1", ("cluster", "external", "node"), ci=True, shows="D6", asks=tuple(
        Ask(front, ("outside",), when="start", label="answers-while-starting") for front in ("cluster", "external", "node"))),
    Scenario("start.ranges", "p1", ("lb",), ranges(*both(OTHER_IP, 32, 128)), shows="D8", asks=(
        Ask("lb", ("outside",), when="start", label="answers-while-starting"),)),
    Scenario("start.unknown-port", "p1", ("cluster", "external"), ci=True, shows="D7", asks=tuple(
        Ask(front, ("outside",), when="start", number=DAEMON_PORT, label="answers-while-starting") for front in ("cluster", "external"))),
]

# ---- added later ------------------------------------------------------------------------------------------------------------
LATER = [
    Scenario("affinity.same-port", "p1 p2 p3 r1 r2", ("cluster", "external"), STICKY, ports=(Port("http", POD_PORT),), shows="D4",
             ci=True, asks=(
        Ask("cluster", ("far",), when="start", how="how many", label="first-client"),
        Ask("cluster", ("pod", "host", "outside"), then=("external",), how="how many", label="all-front-ends"))),
    Scenario("endpoint.host-network-itp-local", "host node2", spec=ITP_LOCAL),
    Scenario("ports.sctp-etp-local", "p1 r1", ("node",), ETP_LOCAL, ports=(Port("sctp", 80, "SCTP"),), clients=("pod", "outside")),
    Scenario("hairpin.sctp", "p4", ("cluster",), clients=("pod",), ports=(Port("sctp", 80, "SCTP"),)),
    Scenario("families.ipv6-first", "p1 r1", ("cluster", "node"), families=(6, 4)),
]


def numbered(rows):
    for place, row in enumerate(rows, 1):
        row.index = place
        row.more = tuple(Ask(**{**vars(ask), "number": row.health_port()}) if ask.number == -1 else ask for ask in row.more)
    names = [row.name for row in rows]
    assert len(set(names)) == len(names) and len(rows) < 200, "names are unique, addresses suffice"
    return rows


SCENARIOS = numbered([*matrix(), *CLUSTER_IP_ONLY, *LOAD_BALANCERS, *HEALTH, *EXTERNAL, *UNKNOWN_PORTS, *NODE_PORTS, *NEARNESS,
                      *PORTS, *NOT_SERVED, *START, *LATER])
CLEAN_UP = "clean-up | kernel | node"  # the cell that each proxy's end fills
# Its answers tell that a proxy has come to the last Service.
CANARY = Scenario("zz-canary", "p1", ("cluster",), index=220)


def chosen(names, only_ci=False):
    """All rows, or those whose names begin with one of these, or contain one behind a dot."""
    return [row for row in SCENARIOS if (row.ci or not only_ci) and
            (not names or any(row.name.startswith(name) or "." + name in row.name for name in names))]


def cells(rows):
    found = {cell.id: cell for row in rows for cell in row.cells()}
    assert len(found) == sum(len(row.cells()) for row in rows), "each cell has a name of its own"
    return found
