"""The lab's world: a node, pods on it, a client outside, in network namespaces; podferry on the node; tools to judge.

    outside 192.168.50.100 ---- 192.168.50.10 node 10.1.0.1 ==== pod1 10.1.0.11, pod2 10.1.0.12, ...
            fd00:50::100        fd00:50::10        fd00:1::1       fd00:1::11   ...

Pods are routed to, each over its own link, as most network plugins do. On a bridge, answers between two pods of one node
would pass IPVS by unless br_netfilter is loaded: the same holds for every service proxy.
"""
import http.client
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import client_rate
from asking import ask
from child import Child
from hold import hold
from netns import network_namespace
from pace import pace, stretched
from pod import Pod, listen

HERE = pathlib.Path(__file__).resolve().parent
PODFERRY = os.environ.get("PODFERRY", "/usr/sbin/podferry")
PYTHON = "/usr/bin/python3"
PODS = 4
NODE_IP = {4: "192.168.50.10", 6: "fd00:50::10"}
OUTSIDE_IP = {4: "192.168.50.100", 6: "fd00:50::100"}
# A network plugin's; with it a network namespace tracks connections.
OF_A_PLUGIN = """\
add table inet plugin
add chain inet plugin postrouting { type nat hook postrouting priority 90; }
add rule inet plugin postrouting oifname "nowhere" masquerade
"""
GATEWAY_IP = {4: "10.1.0.1", 6: "fd00:1::1"}
POD_PORT = 8080
RATE = 200  # requests a second
PATIENCE = 2  # seconds after which lab-load gives a request up (load.cpp)
READ_ONLY = "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec \"$@\""  # in a mount namespace of its own

CONFIG = """\
service_cluster_ip_range: [10.96.0.0/16, "fd00:96::/112"]
network_cidr: [10.1.0.0/16, "fd00:1::/64"]
node_name: node
audit_period: 3s
conntrack_max_per_core: 0  # of the whole machine: not to be set from a network namespace
"""


class Failure(AssertionError):
    """What was expected did not happen."""


class TooSlow(Failure):
    """The machine was too busy for the scenario to prove anything: it is run again, a few times."""


def run(command, check=True, timeout=60):
    """What it prints. `check`: the exit statuses that are right, True for 0; False for any, then with what it complains of."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=stretched(timeout))
    if check and done.returncode not in ((0,) if check is True else check):
        raise Failure(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + (done.stderr if not check else "")


def wait_until(what, condition, seconds):
    """Polls until the condition is true; returns how long that took. A busy machine gets more time (pace.py), also one that has
    become busy meanwhile."""
    start = time.monotonic()
    while True:
        if condition():
            return time.monotonic() - start
        if time.monotonic() - start > stretched(seconds):
            pace().measure()
        if time.monotonic() - start > stretched(seconds):
            raise Failure(f"not within {stretched(seconds):g} s: {what}")
        time.sleep(0.02)


def failures(rows):
    return [row for row in rows if not row["ok"]]


def check_rate(rows, rate=RATE, at_least=0.8):
    """The test is worth nothing when the client could not keep its pace; the next attempt is made at a pace that it can keep.
    Returns the rate that was reached."""
    wanted = client_rate.current.of(rate)
    late = max((row["took"] - PATIENCE for row in failures(rows)), default=0)
    if late > 1:
        raise TooSlow(f"the client, which gives up after {PATIENCE} s, stood still for {late:.1f} s more")
    reached = len(rows) / max(row["at"] for row in rows)
    if reached < at_least * wanted:
        client_rate.current.lower(reached)
        raise TooSlow(f"the load was {reached:.0f} requests a second, not {wanted:.0f}")
    return reached


def pod_ip(number, family=4):
    return f"10.1.0.{10 + number}" if family == 4 else f"fd00:1::{10 + number}"


def front_end(address, port):
    """As ipvsadm writes it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Lab:
    def __init__(self, folder="/run/lab"):
        self.folder = pathlib.Path(folder)
        self.manifests = self.folder / "manifests"
        self.processes = {}
        self.spaces = []
        self.log_path = self.folder / "podferry.log"

    # ---- the world ----------------------------------------------------------------------------------------------
    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.manifests.mkdir(parents=True)
        (self.folder / "config.yaml").write_text(CONFIG + f"socket: {self.folder}/podferry.sock\nstate_dir: {self.folder}/state\n")
        self.make_node()
        self.spaces = ["node", "outside"]
        self.ip("link set lo up\nlink set eth0 up\n"
                f"addr add {NODE_IP[4]}/24 dev eth0\naddr add {NODE_IP[6]}/64 dev eth0 nodad\n"
                f"route add default via {OUTSIDE_IP[4]}\nroute add default via {OUTSIDE_IP[6]}\n", "node")
        with network_namespace("node"):
            pathlib.Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
        self.ip("link set lo up\nlink set eth0 up\n"
                f"addr add {OUTSIDE_IP[4]}/24 dev eth0\naddr add {OUTSIDE_IP[6]}/64 dev eth0 nodad\n"
                f"route add default via {NODE_IP[4]}\nroute add default via {NODE_IP[6]}\n", "outside")
        self.make_pods(range(1, PODS + 1))
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
            process.wait()
        subprocess.run(["ip", "-force", "-batch", "-"], input="".join(f"netns del {space}\n" for space in self.spaces), text=True,
                       check=False, stderr=subprocess.DEVNULL)

    def make_node(self):
        """It and the client outside, joined by a link."""
        self.ip("netns add node\nnetns add outside\nlink add eth0 netns node type veth peer name eth0 netns outside\n")

    def make_pods(self, numbers):
        """A network namespace for each, routed to by the node."""
        self.spaces += [f"pod{n}" for n in numbers]
        self.ip("".join(f"netns add pod{n}\n" for n in numbers) + "".join(
            f"link add pod{n} netns node type veth peer name eth0 netns pod{n}\n" for n in numbers))
        self.ip("".join(
            f"link set pod{n} up\naddr add {GATEWAY_IP[4]}/32 dev pod{n}\naddr add {GATEWAY_IP[6]}/128 dev pod{n} nodad\n"
            f"route add {pod_ip(n)} dev pod{n}\nroute add {pod_ip(n, 6)} dev pod{n}\n" for n in numbers), "node")
        for n in numbers:
            self.ip(f"link set lo up\nlink set eth0 up\naddr add {pod_ip(n)}/32 dev eth0\n"
                    f"addr add {pod_ip(n, 6)}/128 dev eth0 nodad\n"
                    f"route add {GATEWAY_IP[4]} dev eth0\nroute add {GATEWAY_IP[6]} dev eth0\n"
                    f"route add default via {GATEWAY_IP[4]}\nroute add default via {GATEWAY_IP[6]}\n", f"pod{n}")

    def track_connections(self):
        """The node passes packets on and tracks connections, as every node with a network plugin."""
        self.on("node", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        self.on("node", "nft", OF_A_PLUGIN)

    def ip(self, batch, space=None):
        where = ["-n", space] if space else []
        done = subprocess.run(["ip", *where, "-batch", "-"], input=batch, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"the lab's network cannot be made: {done.stderr}")

    def spawn(self, name, space, command, **options):
        self.processes[name] = subprocess.Popen(["ip", "netns", "exec", space, *command], **options)
        return self.processes[name]

    def fork(self, name, space, work, out=None, keep=()):
        """The same for a function (child.py); what it prints goes to the file `out`."""
        if out:
            out.touch()  # to be read before the child has opened it
        with network_namespace(space):
            self.processes[name] = Child(work, out, keep)

    def on(self, space, *command, check=True, timeout=60):
        with network_namespace(space):
            return run(command, check, timeout)

    def page(self, port, path, space="node", address="127.0.0.1"):
        """Status and body of a page that somebody serves over HTTP."""
        connection = http.client.HTTPConnection(address, port, timeout=stretched(10))
        try:
            with network_namespace(space):
                connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"http://{address}:{port}{path}: {error}") from None
        finally:
            connection.close()

    # ---- pods ---------------------------------------------------------------------------------------------------
    def start_pod(self, number):
        name = f"pod{number}"
        self.cure_pod(number)
        with network_namespace(name):
            sockets = listen(POD_PORT)
        self.fork(name, name, lambda: Pod(name, self.folder / f"{name}.sick", *sockets).serve(), keep=sockets)
        for socket in sockets:
            socket.close()

    def start_pods(self, *numbers):
        for number in numbers:
            self.start_pod(number)

    def cut_off_pod(self, number):
        """Its network is gone before its program ends: nobody hears of it."""
        self.on(f"pod{number}", "ip", "link", "set", "eth0", "down")
        self.kill_pod(number)

    def kill_pod(self, number):
        self.processes[f"pod{number}"].kill()
        self.processes[f"pod{number}"].wait()

    def stall_pod(self, number):
        self.processes[f"pod{number}"].send_signal(signal.SIGSTOP)

    def unstall_pod(self, number):
        self.processes[f"pod{number}"].send_signal(signal.SIGCONT)

    def sicken_pod(self, number):
        (self.folder / f"pod{number}.sick").touch()

    def cure_pod(self, number):
        (self.folder / f"pod{number}.sick").unlink(missing_ok=True)

    # ---- manifests ----------------------------------------------------------------------------------------------
    def write(self, name, text):
        """As a careful operator does: beside, then renamed."""
        fresh = self.manifests / f".{name}.new"
        fresh.write_text(text)
        fresh.rename(self.manifests / name)

    def remove(self, name):
        (self.manifests / name).unlink()

    # ---- podferry -----------------------------------------------------------------------------------------------
    def start_podferry(self, *options, wait=True, config=None, within=20, read_only=False, prefix=()):
        """`read_only`: it sees /proc/sys as a container that is not privileged does. `prefix`: a command that runs it."""
        path = self.folder / "config.yaml"
        if config:
            path.write_text(path.read_text() + config)
        command = [*prefix, PODFERRY, "node", "--config", str(path), *self.source(), *options]
        self.spawn("podferry", "node", ["sh", "-c", READ_ONLY, "sh", *command] if read_only else command,
                   stdout=subprocess.DEVNULL, stderr=open(self.log_path, "a"))
        if wait:
            wait_until("podferry is ready", lambda: self.podferry_is_ready(), within)

    def source(self):
        """The options that say where podferry's objects come from."""
        return ["--manifests", str(self.manifests)]

    def podferry_is_ready(self):
        if self.processes["podferry"].poll() is not None:
            raise Failure(f"podferry ended with status {self.processes['podferry'].returncode}:\n{self.log()[-3000:]}")
        return self.readiness()[0] == 200

    def readiness(self):
        """Status and body of /readyz; 0 while nobody answers."""
        try:
            return self.page(10256, "/readyz")
        except Failure:
            return 0, ""

    def stop_podferry(self, how=signal.SIGTERM):
        process = self.processes["podferry"]
        process.send_signal(how)
        return process.wait(timeout=stretched(10))

    def podferry(self, *arguments, check=True):
        return self.on("node", PODFERRY, *arguments, check=check)

    def services(self, *arguments):
        return self.podferry("services", "--socket", f"{self.folder}/podferry.sock", *arguments)

    def status(self, *arguments):
        """Whether all is right or not; that is its exit status."""
        return self.podferry("status", "--socket", f"{self.folder}/podferry.sock", *arguments, check=(0, 1))

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def metrics_page(self):
        return self.page(10249, "/metrics")[1]

    def metric(self, name, **labels):
        """The value of a metric; 0 when it is not there."""
        for line in self.metrics_page().splitlines():
            found = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
                return float(found[3])
        return 0.0

    # ---- traffic ------------------------------------------------------------------------------------------------
    def ask(self, space, protocol, address, port, count=6):
        """The answers: [("pod1", "10.1.0.13"), ...]; or ("error:", "Connection refused")."""
        with network_namespace(space):
            return [ask(protocol, address, port) for _ in range(count)]

    def is_answered_by(self, pod, address="10.96.0.5", port=80):
        """True when one request from pod4 is answered by that pod."""
        return [who for who, _ in self.ask("pod4", "tcp", address, port, 1)] == [pod]

    def load(self, space, address, port, rate, seconds, name="load"):
        """Requests at a steady rate in the background, fewer where the client could not make that many (client_rate.py); read them with
        finish_load()."""
        rate = client_rate.current.of(rate)
        self.spawn(name, space, ["lab-load", address, str(port), str(int(rate * seconds)), str(rate)],
                   stdout=open(self.folder / name, "w"))

    def finish_load(self, name="load"):
        try:
            self.processes[name].wait(timeout=stretched(120))
        except subprocess.TimeoutExpired:
            rows = self.stop_load(name)
            reached = len(rows) / max((row["at"] for row in rows), default=1)
            client_rate.current.lower(reached)
            raise TooSlow(f"the load has not ended: {reached:.0f} requests a second") from None
        return self.load_rows(name)

    def stop_load(self, name="load"):
        """The same, before all requests have been sent."""
        self.processes[name].kill()
        self.processes[name].wait()
        return self.load_rows(name)

    def load_rows(self, name):
        rows = []
        for line in (self.folder / name).read_text().splitlines():
            at, took, who, rest = line.split(" ", 3)
            rows.append({"at": float(at), "took": float(took), "who": who, "rest": rest, "ok": who != "error:"})
        return sorted(rows, key=lambda row: row["at"])

    def hold(self, space, address, port, who, name="hold", meanwhile=lambda: None):
        """One connection to that pod, on which something is said ten times a second (hold.py). `meanwhile`: what is done while it
        connects."""
        self.begin_to_hold(space, address, port, who, name)
        meanwhile()
        wait_until(f"{name} is connected to {who}", lambda: self.held(name) > 0, 20)

    def begin_to_hold(self, space, address, port, who, name):
        self.fork(name, space, lambda: hold(address, port, who), self.folder / name)

    def held(self, name="hold"):
        """How often the connection has been answered."""
        return (self.folder / name).read_text().count("ok\n")

    def still_holds(self, name="hold"):
        """Waits until a few more answers have come."""
        before = self.held(name)
        wait_until(f"{name} goes on: {self.hold_end(name)}", lambda: self.held(name) > before + 5, 5)

    def hold_end(self, name="hold"):
        """How the connection ended; empty while it goes on."""
        return (self.folder / name).read_text().replace("ok\n", "").strip()

    # ---- the kernel, seen by its own tools ----------------------------------------------------------------------
    def ipvs(self):
        return self.on("node", "ipvsadm-save", "-n")

    def has_virtual_server(self, address, port, protocol="t"):
        return f"-A -{protocol} {front_end(address, port)} " in self.ipvs()

    def weights(self, address, port, protocol="t"):
        """Weight by pod of a virtual server: {"pod1": 1}."""
        name = front_end(address, port)
        found = {}
        for line in self.ipvs().splitlines():
            match = re.match(rf"-a -{protocol} {re.escape(name)} -r \[?([0-9a-f.:]+?)\]?:\d+ -m -w (\d+)", line)
            if match:
                number = int(match[1].replace("fd00:1::", "").split(".")[-1]) - 10
                found[f"pod{number}"] = int(match[2])
        return found

    def routes(self):
        return self.on("node", "ip", "route", "show", "table", "local", "proto", "159") + self.on(
            "node", "ip", "-6", "route", "show", "table", "local", "proto", "159")

    def nft(self):
        return self.on("node", "nft", "list", "ruleset")

    def describe(self):
        """Everything that helps to understand a failure."""
        parts = [("ipvsadm", ["ipvsadm", "-L", "-n", "--stats"]), ("nft", ["nft", "list", "ruleset"]),
                 ("routes", ["ip", "route", "show", "table", "local", "proto", "159"]),
                 ("routes6", ["ip", "-6", "route", "show", "table", "local", "proto", "159"]),
                 ("conntrack", ["conntrack", "-L"]), ("addresses", ["ip", "-br", "addr"])]
        text = ""
        for title, command in parts:
            text += f"---- {title}\n{self.on('node', *command, check=False)[-6000:]}\n"
        return text + f"---- podferry's log\n{self.log()[-6000:]}"
