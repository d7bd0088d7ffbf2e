"""A real control plane on this machine's loopback: etcd, kube-apiserver, kube-controller-manager, one of each.

    with ControlPlane(folder, programs) as plane:      ready when the block begins, gone when it ends
"""
import atexit
import base64
import json
import pathlib
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

from certificates import Certificates

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
from pace import stretched  # noqa: E402

READY_WITHIN = 120
SERVICE_RANGE = "10.96.0.0/16,fd00:96::/112"
# What the scenarios see the effects of; the others would only make the start slower.
CONTROLLERS = ["endpointslice-controller", "endpointslice-mirroring-controller", "garbage-collector-controller",
               "namespace-controller", "node-lifecycle-controller", "root-ca-certificate-publisher-controller",
               "service-cidr-controller", "serviceaccount-controller"]


class ControlPlaneError(RuntimeError):
    """Something of the control plane does not work; the message says what, and what it logged."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def etcd_key(text):
    return base64.b64encode(text.encode()).decode()


class ControlPlane:
    service_range = SERVICE_RANGE
    controllers = CONTROLLERS

    def __init__(self, folder, programs):
        self.folder = folder
        self.programs = programs
        self.processes = {}
        self.choose_ports()
        self.admin_token = secrets.token_hex(16)

    def choose_ports(self):
        self.api_port, self.etcd_port, self.etcd_peer_port, self.manager_port = (free_port() for _ in range(4))

    def __enter__(self):
        atexit.register(self.stop_all)
        self.certificates = Certificates(self.folder)
        self.serving = self.certificates.serving()
        (self.folder / "tokens.csv").write_text(f"{self.admin_token},admin,admin,system:masters\n")
        self.write_admin_kubeconfig()
        self.start_etcd()
        self.start_api_server()
        self.start_controller_manager()
        return self

    def __exit__(self, *_):
        self.stop_all()
        atexit.unregister(self.stop_all)

    def write_admin_kubeconfig(self):
        self.kubeconfig = self.folder / "admin.kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
            "clusters": [{"name": "e2e", "cluster": {"server": f"https://127.0.0.1:{self.api_port}",
                                                     "certificate-authority": str(self.certificates.ca)}}],
            "users": [{"name": "admin", "user": {"token": self.admin_token}}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "admin"}}]}))

    # ---- programs -----------------------------------------------------------------------------------------------
    def spawn(self, name, *options):
        self.spawn_at(self.programs / name, name, *options)

    def spawn_at(self, program, name, *options):
        log = open(self.folder / f"{name}.log", "a")
        self.processes[name] = subprocess.Popen([str(program), *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def kill(self, name):
        """Ends it as a power cut does: connections are reset, nothing is tidied up."""
        process = self.processes.pop(name, None)
        if process:
            process.kill()
            process.wait()

    def stop_all(self):
        for name in reversed(list(self.processes)):
            self.kill(name)

    def log_tail(self, name, size=3000):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-size:] if path.exists() else ""

    def wait_until_answering(self, name, answers):
        deadline = time.monotonic() + stretched(READY_WITHIN)
        while not answers():
            if self.processes[name].poll() is not None:
                raise ControlPlaneError(f"{name} ended with status {self.processes[name].returncode}:\n{self.log_tail(name)}")
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"{name} is not ready after {stretched(READY_WITHIN):.0f} s:\n{self.log_tail(name)}")
            time.sleep(0.05)

    def start_etcd(self):
        clients, peers = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.etcd_peer_port}"
        self.spawn("etcd", "--name=e2e", f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync", "--log-level=warn",
                   f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}", f"--listen-peer-urls={peers}",
                   f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=e2e={peers}")
        self.wait_until_answering("etcd", lambda: answers_ok(f"{clients}/readyz"))

    def start_api_server(self):
        certificate, key = self.serving
        accounts = self.certificates.service_account_key
        self.spawn("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}", *self.network_options(),
                   f"--secure-port={self.api_port}", f"--service-cluster-ip-range={self.service_range}", f"--client-ca-file={self.certificates.ca}",
                   f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}", f"--cert-dir={self.folder}",
                   f"--token-auth-file={self.folder}/tokens.csv", f"--service-account-key-file={accounts}",
                   f"--service-account-signing-key-file={accounts}", "--service-account-issuer=https://kubernetes.default.svc",
                   "--service-account-extend-token-expiration=false", "--authorization-mode=Node,RBAC", "--allow-privileged",
                   "--profiling=false", "--v=1")
        self.wait_until_answering("kube-apiserver", self.api_server_is_ready)

    def network_options(self):
        """Only podferry of the virtual machine is to reach it; Service `kubernetes` has no endpoints."""
        return ["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"]

    def api_server_is_ready(self):
        trust = ssl.create_default_context(cafile=self.certificates.ca)
        return answers_ok(f"https://127.0.0.1:{self.api_port}/readyz", trust)

    def start_controller_manager(self):
        self.spawn("kube-controller-manager", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
                   f"--controllers={','.join(self.controllers)}", "--allocate-node-cidrs=false", "--bind-address=127.0.0.1",
                   f"--secure-port={self.manager_port}", f"--cert-dir={self.folder}", "--kube-api-qps=200",
                   "--kube-api-burst=400", "--concurrent-service-endpoint-syncs=10", "--profiling=false", "--v=1",
                   # Longer than the scenarios' outages: what it would do to pods' readiness afterwards is not
                   # podferry's doing.
                   "--node-monitor-grace-period=3m", f"--root-ca-file={self.certificates.ca}")
        trust = ssl._create_unverified_context()  # its certificate is made by itself at each start
        self.wait_until_answering("kube-controller-manager",
                                  lambda: answers_ok(f"https://127.0.0.1:{self.manager_port}/healthz", trust))

    # ---- what operators and accidents do ------------------------------------------------------------------------
    def kill_api_server(self):
        self.kill("kube-apiserver")

    def restart_api_server(self):
        """The controller manager too: it would try again by itself, after up to half a minute, which is not what the
        scenarios wait for."""
        self.start_api_server()
        self.kill("kube-controller-manager")
        self.start_controller_manager()

    def empty_etcd(self, bump):
        """`bump`: revisions go on from where they were, as `etcdutl snapshot restore --bump-revision` has it."""
        revision = self.revision()
        for name in ("kube-controller-manager", "kube-apiserver", "etcd"):
            self.kill(name)
        shutil.rmtree(self.folder / "etcd")
        self.start_etcd()
        if bump:
            for _ in range(revision + 100):
                self.etcd("kv/put", {"key": etcd_key("bump"), "value": ""})
        self.start_api_server()
        self.start_controller_manager()

    def renew_serving_certificate(self):
        """In force from the API server's next start."""
        self.serving = self.certificates.serving()

    def compact_etcd(self):
        """Forgets the history up to now, as the API server does every five minutes; returns the revision."""
        revision = self.revision()
        self.etcd("kv/compaction", {"revision": revision, "physical": True})
        return revision

    def revision(self):
        return int(self.etcd("kv/range", {"key": etcd_key("/")})["header"]["revision"])

    def etcd(self, path, body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.etcd_port}/v3/{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=stretched(30)) as answer:
            return json.load(answer)

    def kubectl(self, *arguments, given=None):
        done = subprocess.run([str(self.programs / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments], input=given,
                              capture_output=True, text=True, timeout=stretched(120))
        if done.returncode != 0:
            raise ControlPlaneError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout


def answers_ok(url, trust=None):
    try:
        with urllib.request.urlopen(url, timeout=stretched(5), context=trust) as answer:
            return answer.status == 200
    except OSError:
        return False
