"""Beside another service proxy, or what it has left; beside NodeLocal DNSCache."""
import signal

from lab import PODFERRY, PYTHON, Failure, wait_until
from manifests import pods, service

AUDIT = 3 + 1.5  # audit_period, and the time of an audit on a slow machine
WEB = '  ipFamilyPolicy: RequireDualStack\n  clusterIPs: ["10.96.0.5", "fd00:96::5"]\n'
DNS = "10.96.0.10"
CACHE = f"""
import socket, threading
def serve(sock):
    while True:
        if sock.type == socket.SOCK_DGRAM:
            sock.sendto(b"cache here", sock.recvfrom(512)[1])
        else:
            connection, _ = sock.accept()
            connection.recv(512)
            connection.sendall(b"cache here")
            connection.close()
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("{DNS}", 53))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    threading.Thread(target=serve, args=(sock,)).start()
"""
HOLD_PORT = """
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/readyz" else 200)
        self.end_headers()
http.server.HTTPServer(("0.0.0.0", 10256), Page).serve_forever()
"""


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def start(lab, run=(1, 2), **more):
    """`run`: the pods that do not run yet."""
    lab.start_pods(*run)
    lab.write("web.yaml", service(extra=WEB) + pods(1, 2, probe=None))
    lab.start_podferry(**more)


def make_device(lab, name, addresses):
    lab.ip(f"link add {name} type dummy\n" + "".join(f"addr add {address} dev {name}{' nodad' if ':' in address else ''}\n"
                                                     for address in addresses), "node")


def has_device(lab, name):
    return name in lab.on("node", "ip", "-br", "link")


def probe(lab, what="--ready"):
    """The exit status of a probe over the socket."""
    said = lab.on("node", "sh", "-c", '"$@"; echo "status $?"', "sh", PODFERRY, "status", what, "--socket", f"{lab.folder}/podferry.sock")
    return int(said.rsplit("status ", 1)[1])


def it_takes_over_what_kube_proxy_has_left(lab):
    """Of mode ipvs: its device with ClusterIPs, some of Services that are gone; its virtual server with a connection under way."""
    lab.track_connections()
    lab.start_pods(1)
    make_device(lab, "kube-ipvs0", ["10.96.0.1/32", "10.96.0.5/32", "10.96.0.77/32", "fd00:96::5/128"])
    lab.on("node", "ipvsadm", "-A", "-t", "10.96.0.5:80", "-s", "rr")
    lab.on("node", "ipvsadm", "-a", "-t", "10.96.0.5:80", "-r", "10.1.0.11:8080", "-m")
    lab.hold("pod4", "10.96.0.5", 80, "pod1")
    start(lab, run=(2,))
    expect("device kube-ipvs0 of kube-proxy holds 4 addresses" in lab.log(), f"it is not named: {lab.log()}")
    wait_until("the device is gone", lambda: not has_device(lab, "kube-ipvs0"), 10)
    lab.still_holds()
    for address in ("10.96.0.5", "fd00:96::5"):
        for space in ("node", "pod3"):
            expect({who for who, _ in lab.ask(space, "tcp", address, 80)} == {"pod1", "pod2"}, f"{address} from {space} is not served")
    expect("src 192.168.50.10" in lab.on("node", "ip", "route", "get", "10.96.0.5"), "the host's own connections leave with another address")
    expect(lab.metric("podferry_taken_over_addresses_total") == 4, "they are not counted")
    wait_until("all is right", lambda: "problems           0" in lab.status(), AUDIT)
    expect("File exists" not in lab.log(), f"routes are refused: {lab.log()}")


def it_leaves_to_kube_proxy_what_that_has_adopted(lab):
    """`podferry cleanup` once kube-proxy of mode ipvs is back: a connection under way lives; what kube-proxy has not goes."""
    lab.track_connections()
    start(lab)
    lab.hold("pod4", "10.96.0.5", 80, "pod1")
    lab.stop_podferry()
    make_device(lab, "kube-ipvs0", ["10.96.0.5/32"])
    said = lab.podferry("cleanup", "--config", f"{lab.folder}/config.yaml")
    expect("left 1 virtual servers" in said, f"it does not say what it has left: {said}")
    lab.still_holds()
    expect("podferry" not in lab.on("node", "nft", "list", "tables") + lab.on("node", "ip", "-br", "link"), "its table or device is left")
    expect({who for who, _ in lab.ask("pod3", "tcp", "10.96.0.5", 80)} == {"pod1", "pod2"}, "the Service is not served")
    expect("fd00:96::5" not in lab.ipvs(), "what kube-proxy has not is left")


def it_names_a_kube_proxy_that_comes_back(lab):
    """While podferry runs: addresses that are put back after they have been taken; then a table of mode nftables."""
    start(lab)
    for _ in range(2):
        wait_until("the device is gone", lambda: not has_device(lab, "kube-ipvs0"), 10)
        make_device(lab, "kube-ipvs0", ["10.96.0.5/32"])
    wait_until("it is named", lambda: "kube-proxy runs on this node beside podferry: device kube-ipvs0" in lab.status(), AUDIT)
    expect(lab.metric("podferry_other_proxy", proxy="kube-proxy") == 1, "the gauge does not say so")
    audits = lab.metric("podferry_audits_total")
    wait_until("two audits later", lambda: lab.metric("podferry_audits_total") >= audits + 2, 15)
    expect(has_device(lab, "kube-ipvs0"), "it is fought with")
    expect({who for who, _ in lab.ask("pod3", "tcp", "10.96.0.5", 80)} == {"pod1", "pod2"}, "the Service is not served")
    lab.ip("link del kube-ipvs0\n", "node")
    wait_until("it is no problem any more", lambda: "problems           0" in lab.status(), AUDIT)
    lab.on("node", "nft", "add table ip kube-proxy; add chain ip kube-proxy services")
    wait_until("its table is named", lambda: "table ip kube-proxy of nftables" in lab.status(), AUDIT)
    lab.on("node", "nft", "delete table ip kube-proxy")
    wait_until("it is no problem any more", lambda: "problems           0" in lab.status(), AUDIT)


def it_takes_its_port_when_kube_proxy_leaves(lab):
    """Until then its probe is right, whoever answers on port 10256, and kube-proxy's addresses stay."""
    lab.spawn("kube-proxy", "node", [PYTHON, "-c", HOLD_PORT])
    wait_until("the port is taken", lambda: lab.readiness()[0] == 404, 20)
    make_device(lab, "kube-ipvs0", ["10.96.0.5/32"])
    expect(probe(lab) == 2, "it is ready before it runs")
    start(lab, wait=False)
    wait_until("the probe says that it is ready", lambda: probe(lab) == 0, 20)
    expect(probe(lab, "--live") == 0 and lab.readiness()[0] == 404, "another page")
    wait_until("kube-proxy is named", lambda: "with 1 addresses of Services, and port 10256 is taken" in lab.status(), AUDIT)
    expect(has_device(lab, "kube-ipvs0"), "its addresses are gone")
    lab.processes["kube-proxy"].kill()
    wait_until("the port is podferry's", lambda: lab.readiness()[0] == 200, 10)
    wait_until("the addresses are taken over", lambda: not has_device(lab, "kube-ipvs0"), AUDIT)
    wait_until("all is right", lambda: "problems           0" in lab.status(), AUDIT)
    lab.stop_podferry(signal.SIGKILL)
    expect(probe(lab) == 2, "nobody answers, and it is ready")


def it_leaves_dns_to_its_cache(lab):
    """Port 53 of the ClusterIP on device nodelocaldns is the cache's; another port of it is podferry's."""
    lab.start_pods(1, 2)
    ports = [("dns", "UDP", 53, None), ("dns-tcp", "TCP", 53, None), ("metrics", "TCP", 9153, None)]
    lab.write("dns.yaml", service("web", DNS, ports=ports) + pods(1, 2, probe=None))
    lab.start_podferry()

    def of_pods(protocol, port):
        return {who for who, _ in lab.ask("pod3", protocol, DNS, port)} <= {"pod1", "pod2"}

    expect(of_pods("udp", 53) and of_pods("tcp", 53), "it is not served at first")
    for _ in range(2):
        make_device(lab, "nodelocaldns", ["169.254.20.10/32", f"{DNS}/32"])
        lab.spawn("cache", "node", [PYTHON, "-c", CACHE])
        for protocol in ("udp", "tcp"):
            for space in ("pod3", "node"):
                wait_until(f"the cache answers {space} by {protocol}",
                           lambda: [who for who, _ in lab.ask(space, protocol, DNS, 53, 1)] == ["cache"], 20)
        expect(of_pods("tcp", 9153), "the other port is lost")
        wait_until("all is right", lambda: "problems           0" in lab.status(), AUDIT)
        lab.processes["cache"].kill()
        lab.ip("link del nodelocaldns\n", "node")
        for protocol in ("udp", "tcp"):
            wait_until(f"pods answer again by {protocol}", lambda: of_pods(protocol, 53), 20)
    make_device(lab, "nodelocaldns", [f"{DNS}/32"])
    lab.spawn("cache", "node", [PYTHON, "-c", CACHE])
    lab.stop_podferry()
    lab.start_podferry()  # beside a cache that is there
    wait_until("the cache answers", lambda: [who for who, _ in lab.ask("pod3", "udp", DNS, 53, 1)] == ["cache"], 20)
    expect(of_pods("tcp", 9153), "the other port is lost")


OF_KUBE_PROXY = """
ipset create KUBE-CLUSTER-IP hash:ip,port
ipset create others hash:ip
for tables in iptables-nft ip6tables-nft; do
    $tables -t nat -N KUBE-MARK-MASQ
    $tables -t nat -N KUBE-SVC-NPX46M4PTMTKRN6Y
    $tables -t nat -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-MARK-MASQ
    $tables -t nat -N KUBE-SERVICES
    $tables -t nat -A KUBE-SERVICES -p tcp --dport 80 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    $tables -t nat -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    $tables -t nat -A PREROUTING -p tcp --dport 7 -j RETURN
    $tables -t filter -N KUBE-FIREWALL
    $tables -t filter -A INPUT -j KUBE-FIREWALL
    $tables -t filter -N KUBE-FORWARD
    $tables -t filter -A FORWARD -j KUBE-FORWARD
done
iptables-nft -t nat -A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ
nft add table ip6 kube-proxy
nft add chain ip6 kube-proxy services
ipvsadm -A -t 10.96.0.77:80 -s rr
ipvsadm -A -t 192.0.2.7:80 -s rr
"""


def it_removes_what_kube_proxy_has_left_when_it_is_asked(lab):
    """Chains, the rules that lead to them, ipsets, tables, its device with its virtual servers; not the kubelet's, nor anybody else's."""
    make_device(lab, "kube-ipvs0", ["10.96.0.77/32"])
    lab.on("node", "sh", "-ec", OF_KUBE_PROXY)
    said = lab.podferry("cleanup", "--kube-proxy", "--config", f"{lab.folder}/config.yaml")
    expect("1 virtual servers, 1 addresses of kube-ipvs0, 8 chains and 4 rules of iptables-nft, 1 ipsets, 1 tables" in said, said)
    rules = lab.nft()
    for gone in ("KUBE-SERVICES", "KUBE-SVC", "KUBE-MARK", "KUBE-FORWARD", "table ip6 kube-proxy"):
        expect(gone not in rules, f"{gone} is left: {rules}")
    expect(rules.count("jump KUBE-FIREWALL") == 2 and rules.count("dport 7 ") == 2, f"rules of others are gone: {rules}")
    expect(lab.on("node", "ipset", "list", "-n").split() == ["others"], "another ipset is left")
    expect("192.0.2.7:80" in lab.ipvs() and "10.96.0.77" not in lab.ipvs(), f"other virtual servers are left: {lab.ipvs()}")
    expect(not has_device(lab, "kube-ipvs0"), "its device is left")
    start(lab)
    lab.podferry("cleanup", "--kube-proxy", "--config", f"{lab.folder}/config.yaml")
    expect({who for who, _ in lab.ask("pod3", "tcp", "10.96.0.5", 80)} == {"pod1", "pod2"}, "podferry's own are gone")
