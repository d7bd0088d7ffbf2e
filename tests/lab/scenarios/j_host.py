"""What a host is like: its addresses, its routes, who else runs there, who podferry runs as."""
import os
import pathlib
import re
import signal

from lab import NODE_IP, PODFERRY, PYTHON, Failure, wait_until
from manifests import pods, service

AUDIT = 3 + 1.5  # audit_period, and the time of an audit on a slow machine
NODE_PORT = 30080
DUAL = """  type: NodePort
  ipFamilyPolicy: RequireDualStack
  clusterIPs: ["10.96.0.5", "fd00:96::5"]
"""
NOBODY = 65532
UNPRIVILEGED = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all,+net_admin",
                "--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin"]
HOLD = """
import socket, signal
name = socket.socket(socket.AF_UNIX)
name.bind("\\0podferry.io/instance")
name.listen()
signal.pause()
"""


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def start(lab, *options, **more):
    lab.start_pods(1)
    lab.write("web.yaml", service(ports=[("http", "TCP", 80, NODE_PORT)], extra=DUAL) + pods(1, probe=None))
    lab.start_podferry(*options, **more)


def answers(lab, address, space="outside"):
    return [who for who, _ in lab.ask(space, "tcp", address, NODE_PORT, 1)] == ["pod1"]


# ---- addresses ----------------------------------------------------------------------------------------------------
def it_serves_node_ports_of_a_family_without_a_default_route(lab):
    """That of IPv6 only: the interface has an address of IPv4 too."""
    lab.ip("route del default\n", "node")
    start(lab)
    for family in (4, 6):
        expect(answers(lab, NODE_IP[family]), f"no answer at {NODE_IP[family]}")
    expect("problems           0" in lab.status(), f"there are problems: {lab.status()}")


def it_names_the_family_whose_node_ports_are_nowhere(lab):
    """No default route at all; one comes later, which is noticed."""
    lab.ip("route del default\n", "node")
    lab.on("node", "ip", "-6", "route", "del", "default")
    start(lab)
    for family in ("IPv4", "IPv6"):
        expect(f"node ports of {family} are served nowhere" in lab.status(), f"{family} is not named: {lab.status()}")
    lab.ip("route add default via 192.168.50.100\n", "node")
    for family in (4, 6):
        wait_until(f"node ports of IPv{family} are served", lambda: answers(lab, NODE_IP[family]), 10)
    wait_until("the problems are resolved", lambda: "problems           0" in lab.status(), AUDIT)


def it_chooses_one_of_several_next_hops(lab):
    """A default route over two interfaces without `src`: the first by name has the node's address, on each boot."""
    lab.ip("link add eth1 netns node type veth peer name eth1 netns outside\n")
    lab.ip("link set eth1 up\naddr add 192.168.51.10/24 dev eth1\nroute del default\n"
           "route add default nexthop via 192.168.51.100 dev eth1 nexthop via 192.168.50.100 dev eth0\n", "node")
    start(lab)
    expect(answers(lab, NODE_IP[4]), "no answer")
    expect("node_address4" in lab.nft() and "192.168.51.10" not in lab.on(
        "node", "nft", "list", "set", "inet", "podferry", "node_address4"), "the other interface's address is the node's")


# ---- pods that come and go ----------------------------------------------------------------------------------------
def links(lab):
    """Link-local addresses on the node that are known to be unique."""
    said = lab.on("node", "ip", "-6", "-br", "addr", "show", "scope", "link", "-tentative")
    return sum(line.startswith("veth") for line in said.splitlines())


def it_plans_nothing_when_pods_of_others_come_and_go(lab):
    """50 links come, with their addresses, and go again; then an address that a Service is about."""
    lab.write("more.yaml", "".join(service(f"more-{n}", f"10.96.1.{n}") for n in range(1, 21))
              + service("outside", "10.96.2.1", extra='  externalIPs: ["203.0.113.7"]\n'))
    start(lab)
    audits = lab.metric("podferry_audits_total")
    wait_until("the start is over", lambda: lab.metric("podferry_audits_total") > audits, 15)
    before = lab.metric("podferry_plans_total")
    numbers = range(50)
    lab.ip("".join(f"link add veth{n} type veth peer name peer{n}\nlink set veth{n} up\nlink set peer{n} up\n"
                   f"addr add 10.1.9.{n}/32 dev veth{n}\n" for n in numbers), "node")
    wait_until("the links have their addresses", lambda: links(lab) >= len(numbers), 60)
    lab.ip("".join(f"link del veth{n}\n" for n in numbers), "node")
    audits = lab.metric("podferry_audits_total")
    wait_until("an audit later", lambda: lab.metric("podferry_audits_total") > audits, 15)
    planned = lab.metric("podferry_plans_total") - before
    expect(planned == 0, f"{planned:.0f} plans of Services that are not concerned")
    lab.ip("addr add 203.0.113.7/32 dev lo\n", "node")
    wait_until("the Service that is concerned is planned", lambda: lab.metric("podferry_plans_total") > before, 10)
    planned = lab.metric("podferry_plans_total") - before
    expect(planned == 1, f"{planned:.0f} plans for one Service")


# ---- another podferry ---------------------------------------------------------------------------------------------
def other_config(lab):
    path = lab.folder / "other.yaml"
    text = (lab.folder / "config.yaml").read_text().replace(f"{lab.folder}/podferry.sock", f"{lab.folder}/other.sock")
    path.write_text(text.replace(f"{lab.folder}/state", f"{lab.folder}/other-state"))
    return str(path)


def it_is_alone_in_its_network_namespace(lab):
    """With another state_dir and socket, a second podferry and a cleanup are refused, and say by whom."""
    start(lab)
    other = other_config(lab)
    for command in (["node", "--config", other, "--manifests", str(lab.manifests)], ["cleanup", "--config", other]):
        said = lab.on("node", "sh", "-c", '"$@" 2>&1; echo "status $?"', "sh", PODFERRY, *command)
        named = re.search(r"another podferry runs in this network namespace \(process (\d+) podferry, user 0\)", said)
        expect(named and int(named[1]) == lab.processes["podferry"].pid and "status 1" in said, f"{command[0]}: {said}")
    expect(answers(lab, NODE_IP[4]), "the first one's Service is gone")
    lab.stop_podferry(signal.SIGKILL)
    said = lab.on("node", "sh", "-c", '"$@" 2>&1; echo "status $?"', "sh", PODFERRY, "cleanup", "--config", other)
    expect("status 0" in said, f"cleanup after the first has gone: {said}")


def it_is_not_kept_away_by_who_is_no_podferry(lab):
    """The lock's name can be taken by every process of the namespace: by another user, by root without the privilege."""
    bare = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    for number, who in enumerate((["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"], bare)):
        name = f"squatter{number}"
        lab.spawn(name, "node", [*who, PYTHON, "-c", HOLD])
        wait_until("the name is taken", lambda: "podferry.io/instance" in lab.on("node", "cat", "/proc/net/unix"), 20)
        start(lab)
        expect("held by what is no podferry (process" in lab.log(), f"nothing is said: {lab.log()}")
        expect(answers(lab, NODE_IP[4]), "no answer")
        lab.stop_podferry()
        lab.log_path.unlink()
        lab.kill_pod(1)
        lab.processes[name].kill()
        lab.processes[name].wait()


# ---- without root -------------------------------------------------------------------------------------------------
def it_serves_with_cap_net_admin_alone(lab):
    """As an unprivileged user, after a privileged --init-only: programs, repairs, audits, and has nothing to complain of."""
    init = [PODFERRY, "node", "--init-only", "--config", f"{lab.folder}/config.yaml"]
    os.chown(lab.folder, NOBODY, NOBODY)  # of its socket; its state_dir is beside
    (lab.folder / "state").mkdir()
    os.chown(lab.folder / "state", NOBODY, NOBODY)
    lab.on("node", *init)
    start(lab, prefix=UNPRIVILEGED)
    status = pathlib.Path(f"/proc/{lab.processes['podferry'].pid}/status").read_text()
    expect(f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}" in status and "CapEff:\t0000000000001000" in status, status)
    judge_without_root(lab)


def it_gives_root_up(lab):
    """--user: started as root, podferry goes on as somebody else once its lock and its socket are there."""
    (lab.folder / "state").mkdir()
    for round_ in range(2):  # the second finds what the first has left
        start(lab, "--user", str(NOBODY))
        status = pathlib.Path(f"/proc/{lab.processes['podferry'].pid}/status").read_text()
        expect(f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}" in status, status)
        expect(f"Gid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}" in status, status)
        for kind in ("Eff", "Prm"):
            expect(f"Cap{kind}:\t0000000000001000" in status, status)
        judge_without_root(lab)
        lab.stop_podferry()
        lab.kill_pod(1)
    start(lab)  # and root finds it, as after a step back to a version that stays root
    judge_without_root(lab)


def judge_without_root(lab):
    for family in (4, 6):
        expect(answers(lab, NODE_IP[family]), f"no answer at {NODE_IP[family]}")
    wait_until("no problems", lambda: "problems           0" in lab.status(), 2 * AUDIT)
    lab.on("node", "ipvsadm", "-D", "-t", "10.96.0.5:80")
    lab.on("node", "nft", "delete", "table", "inet", "podferry")
    lab.on("node", "sysctl", "-q", "-w", "net.ipv4.vs.conntrack=0")
    wait_until("all is repaired", lambda: lab.has_virtual_server("10.96.0.5", 80) and "masquerade" in lab.nft(), 2 * AUDIT)
    wait_until("the sysctl too", lambda: lab.on("node", "sysctl", "-n", "net.ipv4.vs.conntrack").strip() == "1", 2 * AUDIT)
    wait_until("no problems are left", lambda: "problems           0" in lab.status(), 2 * AUDIT)
    expect(answers(lab, NODE_IP[4]), "no answer after the repairs")


# ---- its service manager --------------------------------------------------------------------------------------------
LISTEN = """
import socket, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind(sys.argv[1])
while True:
    print(sock.recv(4096).decode().replace(chr(10), " "), flush=True)
"""


def it_speaks_to_its_service_manager(lab):
    """Type=notify and a watchdog, as systemd asks for them; SIGHUP puts the log's level in force, and names what needs a restart."""
    socket, heard = lab.folder / "notify", lab.folder / "heard"
    lab.spawn("manager", "node", [PYTHON, "-c", LISTEN, str(socket)], stdout=open(heard, "w"))
    wait_until("somebody listens", socket.exists, 20)
    start(lab, prefix=["env", f"NOTIFY_SOCKET={socket}", "WATCHDOG_USEC=1000000"])
    wait_until("it has said that it runs, and that it lives", lambda: "READY=1" in heard.read_text()
               and heard.read_text().count("WATCHDOG=1") >= 3, 20)
    path = lab.folder / "config.yaml"
    text = path.read_text()
    path.write_text(text + "log_level: debug\nscheduler: wlc\n")
    lab.processes["podferry"].send_signal(signal.SIGHUP)
    wait_until("the configuration is read", lambda: "the configuration has been read again" in lab.log(), 20)
    expect("needs_restart=scheduler" in lab.log(), f"it is not said what needs a restart: {lab.log()[-2000:]}")
    expect("RELOADING=1 MONOTONIC_USEC=" in heard.read_text(), f"it is not told: {heard.read_text()}")
    lab.write("more.yaml", service("more", "10.96.1.1"))
    wait_until("the log has what it had not", lambda: "applied change=" in lab.log(), 20)
    path.write_text(text + "scheduler: [\n")
    lab.processes["podferry"].send_signal(signal.SIGHUP)
    wait_until("a mistake is said", lambda: "it changes nothing" in lab.log(), 20)
    expect(answers(lab, NODE_IP[4]), "the Service is gone")
    expect(lab.stop_podferry() == 0 and "STOPPING=1" in heard.read_text(), "its end is not told")
