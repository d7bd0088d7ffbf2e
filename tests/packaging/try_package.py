#!/usr/bin/env python3
"""Tries the Debian package on a Debian with systemd, as root, the machine itself being the node (`./dev deb --try` boots one):

    try_package.py PACKAGE NEXT_PACKAGE

Each step relies on those before it; the first that fails ends it. It installs and removes packages: never on a machine of yours."""
import os
import pathlib
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

import client_rate  # noqa: E402
import hold  # noqa: E402
from lab import Failure, Lab, TooSlow, check_rate, failures, run, wait_until  # noqa: E402
from manifests import pods, service  # noqa: E402
from pace import stretched  # noqa: E402

ETC = pathlib.Path("/etc/podferry")
DEFAULT = pathlib.Path("/etc/default/podferry")
STATE = (pathlib.Path("/var/lib/podferry"), pathlib.Path("/var/lib/private/podferry"))
VIP, PORT = "10.96.0.5", 80
RATE = 60  # requests a second
MOST_EXPOSED = 4.0  # of 10, by systemd-analyze
ATTEMPTS = 3  # where the client could not keep its pace
FOREIGN = "192.0.2.7:80"  # a virtual server of somebody else
CONFIG = 'service_cluster_ip_range: [10.96.0.0/16, "fd00:96::/112"]\nnetwork_cidr: [10.1.0.0/16, "fd00:1::/64"]\nnode_name: node\naudit_period: 3s\n'
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://192.0.2.99:6443", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: abc}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def unit(what):
    return run(["systemctl", "show", "--property", what, "--value", "podferry"]).strip()


class Machine(Lab):
    """The lab's world, but that the node is this machine and podferry its service."""

    def __init__(self, packages):
        super().__init__("/run/lab")
        self.packages = packages

    def make_node(self):
        run(["ip", "netns", "attach", "node", str(os.getpid())])
        self.ip("netns add outside\nlink add eth0 type veth peer name eth0 netns outside\n")

    def __enter__(self):
        super().__enter__()
        self.manifests = ETC / "manifests"
        self.track_connections()
        self.start_pods(1, 2)
        run(["ipvsadm", "-A", "-t", FOREIGN, "-s", "rr"])
        return self

    def log(self):
        return run(["journalctl", "--unit=podferry", "--no-pager", "--lines=60", "--output=cat"], check=False)

    def is_ready(self):
        return subprocess.run(["podferry", "status", "--ready"], capture_output=True).returncode == 0

    def apt(self, *words):
        """What apt and the package's scripts say."""
        command = ["apt-get", "--yes", "--quiet", *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=stretched(300), env={
            **os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdin=subprocess.DEVNULL)
        expect(done.returncode == 0, f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}")
        return done.stdout

    def main_process(self):
        return int(unit("MainPID"))

    def is_another_process(self, before):
        """It runs, and is ready, and is not that one."""
        return self.main_process() not in (0, before) and unit("ActiveState") == "active" and self.is_ready()

    def wait_for_another(self, before, seconds):
        return wait_until("another podferry runs and is ready", lambda: self.is_another_process(before), seconds)

    def wait_for_audits(self):
        """It has compared the kernel with what is wanted, and repaired what it had to."""
        wait_until("two audits", lambda: self.metric("podferry_audits_total") >= 2, 60)

    def begin_requests(self):
        for space in ("pod4", "node"):
            self.load(space, VIP, PORT, RATE / 2, 600, f"load-{space}")
        self.hold("pod4", VIP, PORT, "pod1")

    def finish_requests(self):
        """How many were made, none of which failed; the held connection goes on."""
        self.still_holds()
        self.processes["hold"].kill()
        self.processes["hold"].wait()
        rows = {space: self.stop_load(f"load-{space}") for space in ("pod4", "node")}
        for space, mine in rows.items():
            check_rate(mine, RATE / 2)
            expect(not failures(mine), f"{len(failures(mine))} of {len(mine)} requests from {space} failed: {failures(mine)[:3]}")
        return sum(map(len, rows.values()))


def installs(machine):
    """It is there, and nothing of it runs or has touched the kernel: nobody has configured it."""
    machine.apt("install", machine.packages[0])
    expect(unit("ActiveState") == "inactive", "it was started")
    expect(run(["systemctl", "is-enabled", "podferry"], check=(1,)).strip() == "disabled", "it was enabled")
    expect(machine.manifests.is_dir() and (ETC / "config.yaml").is_file() and DEFAULT.is_file(), "its configuration is missing")
    expect("podferry" not in machine.nft() and not pathlib.Path("/sys/class/net/podferry0").exists(), "it has touched the kernel")
    expect(pathlib.Path("/usr/share/man/man8/podferry.8.gz").is_file(), "its manual page is missing")
    expect("complete -F" in run(["bash", "-c", ". /usr/share/bash-completion/completions/podferry; complete -p podferry"]), "no completion")


def starts(machine):
    """`systemctl enable --now` returns when podferry has told systemd that it runs (Type=notify)."""
    (ETC / "config.yaml").write_text(CONFIG)
    machine.write("web.yaml", service() + pods(1, 2))
    run(["systemctl", "enable", "--now", "podferry"], timeout=300)
    expect((unit("Type"), unit("ActiveState"), unit("Result")) == ("notify", "active", "success"), "it is not up")
    expect(int(unit("WatchdogUSec").removesuffix("min").removesuffix("s") or 0) > 0, "it has no watchdog")
    wait_until("it is ready", machine.is_ready, 60)
    expect("(running)" in run(["systemctl", "status", "--no-pager", "podferry"]), "it does not run")


def is_confined(_):
    level = run(["systemd-analyze", "security", "--no-pager", f"--threshold={int(MOST_EXPOSED * 10)}", "podferry"]).splitlines()[-1]
    print(f"      {level.strip('→ ')}")


def carries_traffic(machine):
    wait_until("both pods have weight", lambda: machine.weights(VIP, PORT) == {"pod1": 1, "pod2": 1}, 30)
    for space in ("pod4", "node"):
        expect({who for who, _ in machine.ask(space, "tcp", VIP, PORT)} == {"pod1", "pod2"}, f"not all pods answer {space}")


def reads_its_configuration_again(machine):
    """`systemctl reload` (SIGHUP): the same process, and the log's level holds at once; what needs a restart is named."""
    before = machine.main_process()
    (ETC / "config.yaml").write_text(CONFIG + "log_level: debug\nscheduler: wrr\n")
    run(["systemctl", "reload", "podferry"])
    wait_until("the log names what needs a restart", lambda: 'needs_restart=scheduler' in machine.log().replace('"', ""), 20)
    expect(machine.main_process() == before, "it was restarted")
    (ETC / "config.yaml").write_text(CONFIG)
    run(["systemctl", "reload", "podferry"])


def takes_another_source(machine):
    """/etc/default/podferry says it."""
    before, text = machine.main_process(), DEFAULT.read_text()
    DEFAULT.write_text(text + f'PODFERRY_SOURCE="--manifests {ETC}/manifests/."\n')
    run(["systemctl", "restart", "podferry"], timeout=300)
    machine.wait_for_another(before, 60)
    words = pathlib.Path(f"/proc/{machine.main_process()}/cmdline").read_text().split("\0")
    expect(f"{ETC}/manifests/." in words, f"its words are {words}")


def takes_a_kubeconfig_of_roots(machine):
    """As docs/install/debian.md says: systemd hands it over. There is no API server; what is programmed stays."""
    secret, change = ETC / "kubeconfig", pathlib.Path("/etc/systemd/system/podferry.service.d/api.conf")
    secret.touch(0o600)
    secret.write_text(KUBECONFIG)
    change.parent.mkdir()
    change.write_text('[Service]\nLoadCredential=kubeconfig:/etc/podferry/kubeconfig\n'
                      'EnvironmentFile=\nEnvironment="PODFERRY_SOURCE=--kubeconfig %d/kubeconfig"\n')
    run(["systemctl", "daemon-reload"])
    run(["systemctl", "restart", "podferry"], timeout=300)
    expect("/run/credentials/podferry.service/kubeconfig" in pathlib.Path(f"/proc/{machine.main_process()}/cmdline").read_text(),
           "it was not handed over")
    wait_until("its server is asked", lambda: "192.0.2.99" in machine.log(), 60)
    carries_traffic(machine)
    change.unlink()
    run(["systemctl", "daemon-reload"])
    before = machine.main_process()
    run(["systemctl", "restart", "podferry"], timeout=300)
    machine.wait_for_another(before, 60)


def is_restarted_when_it_hangs(machine):
    """The watchdog of systemd; meanwhile connections go on."""
    before, restarts = machine.main_process(), int(unit("NRestarts"))
    machine.begin_requests()
    os.kill(before, 19)  # SIGSTOP
    machine.wait_for_another(before, 180)
    expect(int(unit("NRestarts")) > restarts, "somebody else restarted it")
    expect("atchdog" in run(["journalctl", "--no-pager", "--unit=podferry", "--output=cat"]), "the journal knows nothing of a watchdog")
    print(f"      {machine.finish_requests()} requests meanwhile, none failed")


def is_restarted_when_it_is_killed(machine):
    before = machine.main_process()
    os.kill(before, 9)
    machine.wait_for_another(before, 60)


def is_upgraded(machine):
    """The new package's process takes over what the old one has programmed. What the operator has changed stays."""
    configured, before = (ETC / "config.yaml").read_text(), machine.main_process()
    machine.begin_requests()
    machine.apt("install", "--allow-downgrades", "--reinstall", machine.packages[1])
    machine.packages.reverse()  # for another attempt
    machine.wait_for_another(before, 120)
    machine.wait_for_audits()
    made = machine.finish_requests()
    print(f"figure package_upgrade_failed_requests 0 (of {made})")
    expect((ETC / "config.yaml").read_text() == configured, "the configuration was changed")


def is_removed_and_comes_back(machine):
    """Removing it stops it; what it has in the kernel stays, also its settings and state, and an installation adopts all that."""
    machine.begin_requests()
    said = machine.apt("remove", "podferry")
    expect("stay in the kernel" in said, f"it does not say what stays: {said}")
    expect(not pathlib.Path("/usr/sbin/podferry").exists(), "the program is still there")
    expect(unit("ActiveState") in ("inactive", "failed"), "it still runs")
    expect(machine.has_virtual_server(VIP, PORT), "its virtual servers are gone")
    expect((ETC / "config.yaml").exists() and STATE[1].exists(), "its settings or its state are gone")
    machine.apt("install", machine.packages[0])
    machine.wait_for_another(0, 120)
    machine.wait_for_audits()
    print(f"      {machine.finish_requests()} requests meanwhile, none failed")


def is_purged(machine):
    """With PODFERRY_CLEANUP_ON_REMOVE nothing of it is left but the operator's own manifests; what is others' stays."""
    DEFAULT.write_text(DEFAULT.read_text() + "PODFERRY_CLEANUP_ON_REMOVE=yes\n")
    machine.apt("purge", "podferry")
    expect(not machine.has_virtual_server(VIP, PORT) and not machine.routes(), "virtual servers or routes are left")
    expect("table inet podferry" not in machine.nft() and not pathlib.Path("/sys/class/net/podferry0").exists(), "its table or device is left")
    expect(f"-A -t {FOREIGN} " in machine.ipvs(), "somebody else's virtual server is gone")
    left = [str(path) for path in (*STATE, DEFAULT, ETC / "config.yaml", pathlib.Path("/lib/systemd/system/podferry.service")) if path.exists()]
    expect(not left, f"left: {left}")
    expect((ETC / "manifests/web.yaml").exists(), "the operator's manifests are gone")
    expect("podferry" not in run(["systemctl", "list-unit-files", "--no-pager"]), "systemd still knows it")


STEPS = [installs, starts, is_confined, carries_traffic, reads_its_configuration_again, takes_another_source, takes_a_kubeconfig_of_roots,
         is_restarted_when_it_is_killed,
         is_restarted_when_it_hangs, is_upgraded, is_removed_and_comes_back, is_purged]


def run_step(step, machine):
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return step(machine)
        except TooSlow as error:
            print(f"      {step.__name__}, attempt {attempt}: {error}", flush=True)
            if attempt == ATTEMPTS:
                raise


def main(packages):
    passed = 0
    print(f"deb: {', '.join(pathlib.Path(path).name for path in packages)} on Linux {os.uname().release}", flush=True)
    hold.SECONDS = 3600  # an emulated machine takes minutes to install a package
    client_rate.begin()  # once: a machine that was too slow for a step is so for the next
    with Machine(packages) as machine:
        for step in STEPS:
            start = time.monotonic()
            try:
                run_step(step, machine)
            except Exception as error:  # the state is worth more than the trace
                print(f"FAIL  {step.__name__}  {time.monotonic() - start:.1f} s: {error}")
                traceback.print_exc(limit=-2, file=sys.stdout)
                print(machine.describe(), run(["systemctl", "status", "--no-pager", "podferry"], check=False), flush=True)
                break
            passed += 1
            print(f"ok    {step.__name__}  {time.monotonic() - start:.1f} s", flush=True)
    print(f"deb: {passed} passed, {len(STEPS) - passed} failed")
    return 0 if passed == len(STEPS) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
