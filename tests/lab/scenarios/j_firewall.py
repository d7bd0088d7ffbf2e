"""A firewall of the host that lets in what a node needs and nothing of Services."""
import os
import re
import shlex

from lab import HERE, NODE_IP, Failure, wait_until
from manifests import pods, service

AUDIT = 3 + 1.5  # audit_period, and the time of an audit on a slow machine
PAGE = HERE.parents[1] / "docs/firewalls.md"
NODE_PORT = 30080
FRONT_ENDS = {4: {"ClusterIP": ("pod4", "10.96.0.5", 80), "node port": ("outside", NODE_IP[4], NODE_PORT),
                  "external IP": ("outside", "203.0.113.7", 80)},
              6: {"ClusterIP": ("pod4", "fd00:96::5", 80), "node port": ("outside", NODE_IP[6], NODE_PORT),
                  "external IP": ("outside", "fd00:203::7", 80)}}
EXTRA = """  type: NodePort
  ipFamilyPolicy: RequireDualStack
  clusterIPs: ["10.96.0.5", "fd00:96::5"]
  externalIPs: ["203.0.113.7", "fd00:203::7"]
"""
NFT = """
table inet hostfw {
  chain input {
    type filter hook input priority 0; policy %s;
    iifname "lo" accept
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport { 22, 10250 } accept
    %s
  }
}
"""
IPTABLES = ["-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            "-A INPUT -p icmp -j ACCEPT", "-A INPUT -p ipv6-icmp -j ACCEPT", "-P INPUT DROP"]


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def documented(begin):
    """The page's commands that begin so."""
    lines = [line.split("#")[0].strip() for line in PAGE.read_text().splitlines() if re.match(rf"    {begin}\b", line)]
    expect(lines, f"{PAGE} has no command that begins with {begin}")
    return lines


def start(lab):
    lab.start_pods(1)
    lab.write("web.yaml", service(ports=[("http", "TCP", 80, NODE_PORT)], extra=EXTRA) + pods(1, probe=None))
    lab.start_podferry()


def answered(lab, family):
    """Names of the front ends that answer."""
    return [name for name, (space, address, port) in FRONT_ENDS[family].items()
            if [who for who, _ in lab.ask(space, "tcp", address, port, 1)] == ["pod1"]]


def problems(lab):
    return re.search(r"problems +(\d+)", lab.status())[1]


def judge_blocked(lab, place, remedy="nft insert rule inet hostfw input ip daddr 10.96.0.0/16 accept"):
    """Nothing arrives, and it is said, with the place and a rule."""
    expect("may keep connections to Services from IPVS" in lab.status() and place in lab.status(), f"no warning: {lab.status()}")
    for family in (4, 6):
        expect(not answered(lab, family), f"IPv{family} is not kept away: the scenario proves nothing")
        ask = FRONT_ENDS[family]["ClusterIP"]

        def is_proven():
            lab.ask(ask[0], "tcp", ask[1], ask[2], 1)
            return f"new connections to ClusterIPs (IPv{family}) come to this node" in lab.status()

        wait_until(f"IPv{family} is proven", is_proven, 60)
        expect(lab.metric("podferry_firewall_drops_services", ip_family=f"IPv{family}") == 1, "the metric says nothing")
    expect(place in lab.status() and remedy in lab.status(), f"who, and what to do: {lab.status()}")


def judge_open(lab):
    for family in (4, 6):
        missing = FRONT_ENDS[family].keys() - set(answered(lab, family))
        expect(not missing, f"IPv{family} after the documented rules: {missing} do not answer")

    def is_resolved():
        for family in (4, 6):
            answered(lab, family)
        return problems(lab) == "0"

    wait_until("the problems are resolved by the next audit", is_resolved, 4 * AUDIT)
    expect(lab.metric("podferry_firewall_drops_services", ip_family="IPv4") == 0, "the metric still says it")
    expect(not lab.metric("podferry_drift_repairs_total", object="nftables"), "what podferry did itself is called drift")


def it_names_a_firewall_that_drops_by_policy(lab):
    """nft: found by audits, proven by connections, resolved by the rules of the page."""
    start(lab)
    lab.on("node", "nft", NFT % ("drop", ""))
    wait_until("it is found", lambda: "may keep" in lab.status(), 2 * AUDIT)
    judge_blocked(lab, "table inet hostfw, chain input (priority 0, policy drop)")
    for command in documented("nft"):
        lab.on("node", *command.split(" ", 1)[:1], command.split(" ", 1)[1])
    judge_open(lab)


def it_names_a_firewall_whose_last_rule_drops(lab):
    """There before podferry starts; a restart finds it anew; without the chain there is nothing to say."""
    lab.on("node", "nft", NFT % ("accept", "counter reject with icmpx admin-prohibited"))
    start(lab)
    judge_blocked(lab, "table inet hostfw, chain input (priority 0, its last rule drops everything)")
    lab.stop_podferry()
    lab.start_podferry()
    expect("may keep" in lab.status(), f"after a restart: {lab.status()}")
    lab.on("node", "nft", "delete", "table", "inet", "hostfw")
    wait_until("it is gone", lambda: problems(lab) == "0", 2 * AUDIT)
    expect("enters: " not in lab.nft(), "packets are counted although nobody drops them")


def it_names_a_firewall_of_iptables(lab):
    for tool in ("iptables-nft", "ip6tables-nft"):
        for rule in IPTABLES:
            if ("ipv6-icmp" in rule) <= (tool == "ip6tables-nft") and not ("-p icmp " in rule and tool == "ip6tables-nft"):
                lab.on("node", tool, *rule.split())
    start(lab)
    judge_blocked(lab, "table ip filter, chain INPUT (priority 0, policy drop)", "iptables -I INPUT -d 10.96.0.0/16 -j ACCEPT")
    for command in documented("iptables") + documented("ip6tables"):
        program, *words = command.split()
        lab.on("node", f"{program}-nft", *words)
        if program == "iptables" and "-d" not in words:  # "and ip6tables"
            lab.on("node", "ip6tables-nft", *words)
    judge_open(lab)


FIREWALLD = f"{os.environ.get('PODFERRY_CACHE', os.path.expanduser('~/.cache/podferry'))}/debian-12-firewalld"
MOUNTS = f"""set -e
mount -t tmpfs tmpfs {FIREWALLD}/etc/firewalld
mount -t tmpfs tmpfs {FIREWALLD}/run
mkdir {FIREWALLD}/run/dbus
mount -t proc proc {FIREWALLD}/proc
mount --rbind /dev {FIREWALLD}/dev
echo ready
exec sleep 900
"""


class Firewalld:
    """The real one, in Debian's root, with a system bus of its own; what it writes is gone with it."""

    def __init__(self, lab):
        self.lab = lab
        ready = lab.folder / "firewalld-root"
        lab.spawn("firewalld-root", "node", ["unshare", "--mount", "sh", "-c", MOUNTS], stdout=open(ready, "w"))
        wait_until("its root is there", lambda: ready.read_text() == "ready\n", 20)
        self.enter = ["nsenter", f"--mount=/proc/{lab.processes['firewalld-root'].pid}/ns/mnt", "chroot", FIREWALLD]
        lab.spawn("dbus", "node", [*self.enter, "dbus-daemon", "--system", "--nofork", "--nopidfile"])
        wait_until("the system bus", lambda: "system_bus_socket" in lab.on("node", *self.enter, "ls", "/run/dbus"), 20)
        lab.spawn("firewalld", "node", [*self.enter, "firewalld", "--nofork", "--nopid"])
        wait_until("firewalld runs", lambda: self.run("firewall-cmd --state", check=False).strip() == "running", 60)

    def run(self, command, check=True):
        return self.lab.on("node", *self.enter, *shlex.split(command), check=check)


def it_names_firewalld(lab):
    """Its own chains, found and named with a command of its own; the policy of the page lets all in."""
    firewalld = Firewalld(lab)
    start(lab)
    judge_blocked(lab, "table inet firewalld, chain filter_INPUT (priority 10, its last rule drops everything)",
                  'firewall-cmd --add-rich-rule="rule family=ipv4 destination address=10.96.0.0/16 accept"')
    for command in documented("firewall-cmd"):
        firewalld.run(command)
    judge_open(lab)
