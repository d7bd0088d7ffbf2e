"""What a node runs, under its init: its network, containerd, the kubelet; and a server of commands, for the scenarios (guest.py is its
other end). On a node only. Images, certificates and settings are on its second disk (share.py), at /share."""
import glob
import json
import os
import pathlib
import socketserver
import subprocess
import sys
import threading
import time

SHARE = pathlib.Path("/share")
COMMAND_PORT = 2222
LOGS = pathlib.Path("/var/log")
SANDBOX = "registry.k8s.io/pause:3.10.2"
CONTAINERD = f"""version = 3
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.tracing.processor.v1.otlp', 'io.containerd.internal.v1.tracing']
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '{SANDBOX}'
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['/usr/lib/cni']
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = '/usr/local/sbin/crun-1.0'
"""


def say(*words):
    print(f"{time.monotonic():.1f}", *words, flush=True)


def run(*command, check=True):
    return subprocess.run(command, check=check, stdin=subprocess.DEVNULL)


def write(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def set_up_network(me):
    """One interface, on the bridge with all nodes and the control plane; pods of the others behind them."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "addr", "add", f"{me['address']}/24", "dev", "vec0")
    run("ip", "link", "set", "vec0", "up")
    run("ip", "route", "add", "default", "via", me["gateway"])
    for other in me["others"]:
        run("ip", "route", "add", other["pods"], "via", other["address"])
    write("/proc/sys/net/ipv4/ip_forward", "1")
    # Pods reach what is outside the cluster with their node's address: what a network plugin's masquerading does.
    rules = f"""add table ip plugin
add chain ip plugin postrouting {{ type nat hook postrouting priority 110; }}
add rule ip plugin postrouting ip saddr {me['all_pods']} ip daddr {me['gateway']} masquerade
"""
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    write("/etc/resolv.conf", f"nameserver {me['gateway']}\n")
    write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(f"{each['address']} {each['name']}\n" for each in [me, *me["others"]]))
    write("/etc/cni/net.d/10-ptp.conflist", json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [
        {"type": "ptp", "ipMasq": False, "ipam": {"type": "host-local", "ranges": [[{"subnet": me["pods"]}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": True}}]}))


def start(name, *command):
    log = open(LOGS / f"{name}.log", "a")
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def start_containerd():
    write("/etc/containerd/config.toml", CONTAINERD)
    process = start("containerd", "containerd")
    while run("sh", "-c", "ctr version >/dev/null 2>&1", check=False).returncode != 0:
        if process.poll() is not None:
            sys.exit("containerd has ended:\n" + (LOGS / "containerd.log").read_text()[-2000:])
        time.sleep(0.2)
    say("containerd answers")
    marker = pathlib.Path("/var/lib/images-imported")
    if not marker.exists():  # a node that boots anew has them
        for archive in sorted(SHARE.glob("*.tar")):
            run("ctr", "-n", "k8s.io", "images", "import", "--local", str(archive))
            say("imported", archive.name)
        marker.touch()
    return process


def kubelet_settings(me):
    """As kubeadm has them, but for what one disk and one control group of a small machine ask for."""
    return {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "cgroupfs", "failSwapOn": False,
            "localStorageCapacityIsolation": False, "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}},
            "authorization": {"mode": "Webhook"}, "clusterDomain": "cluster.local", "clusterDNS": [me["dns"]],
            "imageGCHighThresholdPercent": 100, "enforceNodeAllocatable": [], "runtimeRequestTimeout": "10m", "maxPods": 40,
            "nodeStatusUpdateFrequency": "5s", "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%"}}


def start_kubelet(me):
    write("/var/lib/kubelet/config.yaml", json.dumps(kubelet_settings(me)))
    write("/etc/kubernetes/pki/ca.crt", (SHARE / "ca.crt").read_text())
    write("/etc/kubernetes/kubelet.conf", (SHARE / f"{me['name']}.kubeconfig").read_text())
    os.chmod("/etc/kubernetes/kubelet.conf", 0o600)
    return start("kubelet", "kubelet", "--kubeconfig=/etc/kubernetes/kubelet.conf", "--config=/var/lib/kubelet/config.yaml",
                 f"--node-ip={me['address']}", f"--hostname-override={me['name']}", "-v=2")


class Commands(socketserver.StreamRequestHandler):
    """One line with a shell's command as a JSON string; the answer is its exit status and what it says."""

    def handle(self):
        command = json.loads(self.rfile.readline())
        done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.wfile.write(json.dumps([done.returncode, done.stdout.decode(errors="replace")]).encode())


class CommandServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    if not pathlib.Path("/sys/class/net/vec0").exists():
        sys.exit("only on a node")
    name = next(word.removeprefix("node=") for word in pathlib.Path("/proc/cmdline").read_text().split() if word.startswith("node="))
    me = json.loads((SHARE / "cluster.json").read_text())[name]
    run("hostname", name)
    set_up_network(me)
    server = CommandServer((me["address"], COMMAND_PORT), Commands)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    containerd = start_containerd()
    kubelet = start_kubelet(me)
    say(name, "is up")
    while kubelet.poll() is None and containerd.poll() is None:
        time.sleep(1)
    for log in glob.glob(str(LOGS / "*.log")):
        say(log, pathlib.Path(log).read_text()[-2000:])


if __name__ == "__main__":
    main()
