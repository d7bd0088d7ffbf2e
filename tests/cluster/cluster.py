"""The scenarios' world: a control plane, two nodes that are virtual machines, Helm and kubectl."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import network
import objects
import programs
import share
from guest import Guest, GuestError
from kernel import kernel
from plane import Plane
from root import disk

import lab  # noqa: I001  (plane.py has said where it is)
from lab import Failure
from pace import stretched

HERE = pathlib.Path(__file__).resolve().parent
CHART = HERE.parents[1] / "charts/podferry"
SYSTEM = objects.SYSTEM
SELECTOR = "app.kubernetes.io/name=podferry,app.kubernetes.io/component=service-proxy"


PAUSE = 0.5  # seconds between two looks: each starts a program


def wait_until(what, condition, seconds):
    def so():
        found = condition()
        if not found:
            time.sleep(PAUSE)
        return found
    return lab.wait_until(what, so, seconds)


class Cluster:
    """`with Cluster(archive) as cluster:` up when the block begins, with its nodes Ready; gone when it ends. No service proxy runs."""

    def __init__(self, archive):
        self.archive = archive
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="podferry-cluster-"))
        self.plane = None
        self.nodes = {}
        self.clients = {}

    def __enter__(self):
        try:
            began = time.monotonic()
            network.set_up()
            self.plane = Plane(self.folder, programs.control_plane())
            self.plane.__enter__()
            self.apply(*(objects.node(name) for name in network.NODES))
            kubeconfigs = {name: self.plane.kubelet_kubeconfig(name) for name in network.NODES}
            second = share.make(self.folder, self.plane.certificates, kubeconfigs, self.archive)
            self.nodes = {name: Guest(name, self.folder, kernel(), disk(), second) for name in network.NODES}
            for guest in self.nodes.values():
                guest.start()
            for guest in self.nodes.values():
                guest.wait_until_up()
            wait_until("the nodes are Ready", lambda: self.nodes_ready() == set(network.NODES), 120)
            print(f"      the cluster is up after {time.monotonic() - began:.0f} s", flush=True)
            return self
        except BaseException as error:
            if isinstance(error, Exception):
                print(self.describe(), flush=True)
            self.__exit__()
            raise

    def __exit__(self, *_):
        for client in self.clients.values():
            client.kill()
            client.wait()
        for guest in self.nodes.values():
            guest.kill()
        if self.plane:
            self.plane.stop_all()
        network.tear_down()
        if "KEEP" not in os.environ:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- kubectl and helm -----------------------------------------------------------------------------------------
    def kubectl(self, *arguments, given=None):
        return self.plane.kubectl(*arguments, given=given)

    def tried(self, *arguments):
        """What kubectl says, both streams, whether it fails or not."""
        done = subprocess.run([str(self.plane.programs / "kubectl"), "--kubeconfig", str(self.plane.kubeconfig), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=stretched(120))
        return done.stdout

    def apply(self, *items):
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}))

    def get(self, kind, *arguments, namespace=SYSTEM):
        return json.loads(self.kubectl("get", kind, "-n", namespace, "-o", "json", *arguments))["items"]

    def helm(self, *arguments, timeout=180):
        done = subprocess.run([str(programs.helm()), "--kubeconfig", str(self.plane.kubeconfig), "-n", SYSTEM, *arguments], capture_output=True, text=True,
                              timeout=stretched(timeout), env=os.environ | {"HOME": str(self.folder)})
        if done.returncode != 0:
            raise Failure(f"helm {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def install_podferry(self, *values, verb="install"):
        """With the values that docs/install/kubeadm.md has, and an image that the nodes have."""
        return self.helm(verb, "podferry", str(CHART), "--values", str(CHART / "ci/kubeadm-values.yaml"), "--set", image(share.PODFERRY), *values)

    # ---- what is so ------------------------------------------------------------------------------------------------
    def nodes_ready(self):
        return {each["metadata"]["name"] for each in json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"] if condition(each, "Ready")}

    def pods(self, selector=SELECTOR, namespace=SYSTEM):
        """By node, those that are not on their way out."""
        return {each["spec"]["nodeName"]: each for each in self.get("pods", "-l", selector, namespace=namespace)
                if "deletionTimestamp" not in each["metadata"] and "nodeName" in each["spec"]}

    def wait_for_pods(self, selector=SELECTOR, namespace=SYSTEM, seconds=120):
        """One on each node, Ready."""
        def ready():
            found = self.pods(selector, namespace)
            return set(found) == set(network.NODES) and all(condition(each, "Ready") for each in found.values())
        wait_until(f"pods {selector} are Ready on each node", ready, seconds)

    def podferry(self, node, *arguments):
        """What podferry of that node says (`kubectl exec`), whatever its exit status."""
        pod = self.pods()[node]["metadata"]["name"]
        return self.tried("exec", "-n", SYSTEM, pod, "-c", "podferry", "--", "podferry", *arguments)

    def on(self, node, command, **more):
        return self.nodes[node].run(command, **more)

    # ---- traffic ------------------------------------------------------------------------------------------------------
    def start_web(self):
        """Servers and their Services."""
        self.apply(*objects.web())
        self.wait_for_pods("app=web", "default", 180)

    def start_load(self, rate, held, questions):
        """A third from each node's pods, by ClusterIP, a third from outside, by node port."""
        third = [round(rate / 3), round(held / 3), round(questions / 3)]
        inside = f"{objects.WEB}:{objects.WEB_PORT}"
        self.apply(*(objects.traffic(f"load-{node}", node, "load", *third, inside) for node in network.NODES))
        outside = ",".join(f"{network.address(node)}:{objects.WEB_NODE_PORT}" for node in network.NODES)
        self.clients["outside"] = subprocess.Popen([sys.executable, str(objects.TRAFFIC), "load", *map(str, third), outside], stdin=subprocess.DEVNULL,
                                                   stdout=open(self.folder / "outside.load", "w"))
        wait_until("the load runs", lambda: all(each.get("held", 0) + each.get("ended", 0) >= third[1] for each in self.load().values()), 120)

    def stop_load(self):
        self.kubectl("delete", "pod", *(f"load-{node}" for node in network.NODES), "--wait=true")
        client = self.clients.pop("outside")
        client.terminate()
        client.wait()

    def load(self):
        """What its clients say, by name."""
        said = {f"load-{node}": self.tried("logs", f"load-{node}", "--tail=1") for node in network.NODES}
        said = {name: text if text.startswith("{") else "" for name, text in said.items()}  # not yet
        said["outside"] = (self.folder / "outside.load").read_text().rpartition("\n")[0].rpartition("\n")[2]
        return {name: json.loads(text) if text.strip() else {} for name, text in said.items()}

    def ask(self, node, target, protocol="tcp"):
        """The name of the server that answers a pod of that node; or what went wrong."""
        program = ASK_TCP if protocol == "tcp" else ASK_UDP
        host, _, port = target.rpartition(":")
        return self.in_pod(f"web-{node}", "python3", "-c", program, host, port)

    def in_pod(self, pod, *command):
        """The last line of what that says."""
        return self.tried("exec", pod, "--", *command).strip().rpartition("\n")[2]

    # ---- when something is wrong ---------------------------------------------------------------------------------------
    def describe(self):
        parts = [("nodes and pods", self.tried("get", "nodes,pods", "-A", "-o", "wide")),
                 ("events", "\n".join(self.tried("get", "events", "-A", "--sort-by=.lastTimestamp").splitlines()[-25:])),
                 ("podferry", self.tried("logs", "-n", SYSTEM, "-l", SELECTOR, "--all-containers", "--tail=40", "--prefix"))]
        for name, guest in self.nodes.items():
            parts.append((f"{name}, console", guest.tail(1500)))
            try:
                parts.append((f"{name}", guest.run("ipvsadm -Ln; ip -br addr; tail -n 5 /var/log/kubelet.log", check=False, timeout=20)))
            except GuestError as error:
                parts.append((name, str(error)))
        return "\n".join(f"---- {title}\n{text}" for title, text in parts)


ASK_TCP = "import socket,sys; c=socket.create_connection((sys.argv[1],int(sys.argv[2])),3); c.sendall(b'GET'); print(c.recv(99).decode())"
ASK_UDP = """import socket,sys
c=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); c.settimeout(1); c.connect((sys.argv[1],int(sys.argv[2])))
for each in range(3):
    c.send(b'who')
    try: print(c.recv(99).decode()); break
    except socket.timeout: pass"""


def image(name):
    repository, _, tag = name.partition(":")
    return f"image.repository={repository},image.tag={tag}"


def condition(item, name):
    return any(each["type"] == name and each["status"] == "True" for each in item.get("status", {}).get("conditions", []))
