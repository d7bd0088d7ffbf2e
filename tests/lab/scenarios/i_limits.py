"""What podferry sets on a host: sysctls, sizes, timeouts; and what it does where it may not."""
import os
import pathlib
import re

import lab as world
from lab import PODFERRY, PYTHON, READ_ONLY, Failure, run, wait_until
from manifests import pods, service

AUDIT = 3 + 1.5  # audit_period, and the time of an audit on a slow machine
REQUIRED = ["net.ipv4.vs.conntrack", "net.ipv4.vs.expire_nodest_conn", "net.ipv4.vs.expire_quiescent_template",
            "net.ipv4.ip_forward"]
RESERVED = "net.ipv4.ip_local_reserved_ports"
CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
WANTED = {**{name: "1" for name in REQUIRED}, ESTABLISHED: "86400", CLOSE_WAIT: "3600"}


def sysctl(lab, name):
    return lab.on("node", "sysctl", "-n", name).strip()


def set_sysctl(lab, name, value):
    lab.on("node", "sysctl", "-q", "-w", f"{name}={value}")


def timeouts(lab):
    return re.search(r": (\d+ \d+ \d+)", lab.on("node", "ipvsadm", "-L", "--timeout"))[1]


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def start(lab, **options):
    lab.start_pods(1)
    lab.write("web.yaml", service() + pods(1, probe=None))
    lab.start_podferry(**options)


def cleanup(lab):
    return lab.podferry("cleanup", "--config", f"{lab.folder}/config.yaml")


def it_sets_what_the_host_needs_and_repairs_it(lab):
    """At the start, and at an audit when somebody has changed it; others' reserved ports stay, also after cleanup."""
    set_sysctl(lab, RESERVED, "8080,30005")
    set_sysctl(lab, "net.ipv4.vs.conntrack", "0")
    start(lab)
    expect({name: sysctl(lab, name) for name in WANTED} == WANTED, "a sysctl is not set")
    expect(sysctl(lab, RESERVED) == "8080,30000-32767", f"reserved: {sysctl(lab, RESERVED)}")
    expect(timeouts(lab) == "7800 120 300", f"timeouts: {timeouts(lab)}")

    set_sysctl(lab, "net.ipv4.vs.expire_nodest_conn", "0")
    wait_until("the sysctl is back", lambda: sysctl(lab, "net.ipv4.vs.expire_nodest_conn") == "1", AUDIT + 1)
    lab.on("node", "ipvsadm", "--set", "10", "20", "30")
    wait_until("IPVS's timeout is back, and those that are the kernel's are not touched",
               lambda: timeouts(lab) == "7800 20 30", AUDIT + 1)
    wait_until("the repairs are counted", lambda: lab.metric("podferry_drift_repairs_total", object="sysctl") >= 1
               and lab.metric("podferry_drift_repairs_total", object="ipvs_timeouts") >= 1, AUDIT)
    set_sysctl(lab, RESERVED, "9090,30005")
    wait_until("node ports are reserved again", lambda: sysctl(lab, RESERVED) == "9090,30000-32767", AUDIT + 1)
    expect("problems           0" in lab.status(), f"there are problems: {lab.status()}")

    lab.stop_podferry()
    said = cleanup(lab)
    expect(sysctl(lab, RESERVED) == "9090,30005", f"reserved after cleanup: {sysctl(lab, RESERVED)}; it said {said}")


def it_leaves_reserved_ports_that_may_be_anothers(lab):
    """Somebody has written the list since: cleanup says so and does not touch it."""
    start(lab)
    set_sysctl(lab, RESERVED, "8080,30000-32767")
    lab.stop_podferry()
    said = cleanup(lab)
    expect(sysctl(lab, RESERVED) == "8080,30000-32767", f"reserved after cleanup: {sysctl(lab, RESERVED)}")
    expect("stays so" in said, f"cleanup says nothing of it: {said}")


def it_reports_a_read_only_proc_sys_and_goes_on(lab):
    """As in a container: what others have not set is a problem, until they have; connections go on."""
    lab.start_pods(1)
    lab.write("web.yaml", service(ports=[("http", "TCP", 80, 30080)], extra="  type: NodePort\n") + pods(1, probe=None))
    for name in REQUIRED:
        set_sysctl(lab, name, "1")
    lab.start_podferry(read_only=True)
    status = lab.status()
    for words in (CLOSE_WAIT, RESERVED, "/proc/sys is read-only here"):
        expect(words in status, f"the status does not name {words}: {status}")
    expect("net.ipv4.vs" not in status, f"what is set already is a problem: {status}")
    expect(lab.is_answered_by("pod1"), "no answer over the ClusterIP")
    answers = lab.ask("outside", "tcp", world.NODE_IP[4], 30080)
    expect({who for who, _ in answers} == {"pod1"}, f"over the node port: {answers}")

    set_sysctl(lab, CLOSE_WAIT, "3600")
    set_sysctl(lab, ESTABLISHED, "86400")
    set_sysctl(lab, RESERVED, "30000-32767")
    wait_until("the problems are resolved", lambda: "read-only" not in lab.status(), AUDIT + 1)
    set_sysctl(lab, "net.ipv4.vs.conntrack", "0")
    wait_until("the audit reports it", lambda: "net.ipv4.vs.conntrack" in lab.status(), AUDIT + 1)


def it_prepares_a_host_and_ends(lab):
    """--init-only: everything is set, a second time there is nothing to do; also through another path to /proc/sys."""
    init = [PODFERRY, "node", "--init-only", "--config", f"{lab.folder}/config.yaml"]
    for name in REQUIRED[:3]:
        set_sysctl(lab, name, "0")
    said = lab.on("node", "sh", "-c", 'exec "$@" 2>&1', "sh", *init)
    expect({name: sysctl(lab, name) for name in WANTED} == WANTED, f"a sysctl is not set; it said {said}")
    expect(timeouts(lab) == "7800 120 300" and sysctl(lab, RESERVED) == "30000-32767", f"it said {said}")
    expect("sysctl net.ipv4.vs.conntrack=1" in said, f"it does not say what it has set: {said}")
    said = lab.on("node", "sh", "-c", 'exec "$@" 2>&1', "sh", *init)
    expect("changed=0 not_possible=0" in said, f"the second time: {said}")

    set_sysctl(lab, "net.ipv4.vs.conntrack", "0")
    said = lab.on("node", "unshare", "--mount", "sh", "-c", READ_ONLY.replace('"$@"', '"$@" 2>&1'), "sh", *init)
    expect("net.ipv4.vs.conntrack" in said and "not_possible=1" in said, f"read-only: {said}")
    (lab.folder / "sys").mkdir()
    said = lab.on("node", "unshare", "--mount", "sh", "-c", f"mount --bind /proc/sys {lab.folder}/sys && " + READ_ONLY.replace(
        '"$@"', '"$@" 2>&1'), "sh", *init, f"--proc-sys={lab.folder}/sys")
    expect(sysctl(lab, "net.ipv4.vs.conntrack") == "1", f"through another path: {said}")


def it_makes_connection_tracking_larger_and_never_smaller(lab):
    """Its sizes are of the whole machine: set in the first network namespace, and put back by this scenario."""
    config = lab.folder / "sizes.yaml"
    rest = ("reserve_node_ports: false\nconntrack_tcp_timeout_established: 0s\nconntrack_tcp_timeout_close_wait: 0s\n"
            f"ipvs_tcp_timeout: 0s\nstate_dir: {lab.folder}/state\n")
    files = [pathlib.Path("/proc/sys") / name.replace(".", "/") for name in (
        *REQUIRED, "net.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_buckets")]
    before = [file.read_text() for file in files]
    most, buckets = int(before[-2]), int(before[-1])
    wanted = 4 * max(most, buckets) + 4096

    def sizes(settings):
        config.write_text(rest + settings)
        run([PODFERRY, "node", "--init-only", "--config", str(config)])
        return int(files[-2].read_text()), int(files[-1].read_text())

    try:
        expect(sizes("conntrack_max_per_core: 0\n") == (most, buckets), "0 is not left alone")
        larger = sizes(f"conntrack_max_per_core: 1\nconntrack_min: {wanted}\n")
        expect(larger[0] == wanted and wanted // 4 <= larger[1] < wanted // 2, f"{wanted} wanted: {larger}")
        expect(sizes("conntrack_max_per_core: 1\nconntrack_min: 1\n") == larger, "it has been made smaller")
    finally:
        for file, value in reversed(list(zip(files, before))):
            file.write_text(value)


def it_warns_of_a_connection_table_that_is_too_small(lab):
    """podferry loads the module with the size of its setting; too many connections for it are a problem with a remedy."""
    unloaded = not run(["modprobe", "-r", "-a", *loaded_schedulers(), "ip_vs"], check=False).strip()
    lab.start_pods(1)
    lab.write("web.yaml", service(ports=[("dns", "UDP", 53, None)]) + pods(1, probe=None))
    try:
        lab.start_podferry(config="ipvs_conn_tab_bits: 8\n")
        grows = os.path.exists("/proc/sys/net/ipv4/vs/conn_lfactor")  # since Linux 7.1, where it comes with the first connection
        lists = lab.metric("podferry_ipvs_connection_table_size")
        print(f"      a table of {lists:.0f} lists, " + ("loaded by podferry" if unloaded else "there before"))
        if unloaded:
            expect(lists == (0 if grows else 256), f"podferry has loaded the module with a table of {lists:.0f}")
        lists = lists or 256
        expect("connection table" not in lab.status(), "a warning without connections")
        flows = int(4 * lists) + 50
        lab.on("pod4", PYTHON, "-c", "import socket, sys\n"
               "for port in range(2000, 2000 + int(sys.argv[1])):\n"
               "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
               "    s.bind(('', port))\n"
               "    s.sendto(b'x', ('10.96.0.5', 53))\n"
               "    s.close()\n", str(flows))
        wait_until("the connections are counted", lambda: lab.metric("podferry_ipvs_connections") > 4 * lists, AUDIT + 3)
        wait_until("the status warns", lambda: "conn_tab_bits=" in lab.status(), AUDIT + 3)
        if unloaded:
            expect(f"conn_tab_bits={12 if grows else 11}'" in lab.status(), f"another size is recommended: {lab.status()}")
    finally:
        lab.stop_podferry()
        cleanup(lab)
        if unloaded:  # the others have the kernel's own size
            lab.on("node", "conntrack", "-F", check=False)
            run(["modprobe", "-r", "-a", *loaded_schedulers(), "ip_vs"], check=False)
            run(["modprobe", "ip_vs"])


def loaded_schedulers():
    return re.findall(r"^(ip_vs_\w+) ", pathlib.Path("/proc/modules").read_text(), re.M)


def it_answers_arp_for_no_external_address(lab):
    """Whoever announces an external address decides which node gets it (MetalLB's condition for kube-proxy's strictARP)."""
    lab.start_pods(1)
    lab.write("web.yaml", service(extra="  externalIPs: [192.168.50.200]\n") + pods(1, probe=None))
    lab.start_podferry()

    def answered(address):
        return run(["ip", "netns", "exec", "outside", "busybox", "arping", "-c", "2", "-w", "3", "-I", "eth0", address],
                   check=False)

    expect("Received 2" in answered(world.NODE_IP[4]), f"the node does not answer for itself: {answered(world.NODE_IP[4])}")
    said = answered("192.168.50.200")
    expect("Received 0" in said, f"the node answers ARP for an external address: {said}")
    said = answered("10.96.0.5")
    expect("Received 2" in said, f"docs/operations.md says that a node answers ARP for a ClusterIP: {said}")
    lab.ip(f"route add 192.168.50.200 via {world.NODE_IP[4]}\n", "outside")
    answers = lab.ask("outside", "tcp", "192.168.50.200", 80, 3)
    expect({who for who, _ in answers} == {"pod1"}, f"over the external address: {answers}")
