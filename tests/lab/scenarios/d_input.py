"""Input that is wrong, half-written, gone, or renamed away."""
import pathlib
import shutil

from lab import Failure, wait_until
from manifests import pods, service

BAD = pathlib.Path(__file__).resolve().parents[2] / "bad_input"


def start(lab):
    lab.start_pods(1)
    lab.write("a-web.yaml", service() + pods(1, probe=None))
    lab.start_podferry()


def it_survives_every_bad_manifest(lab):
    """All of tests/bad_input at once: each has its message in `podferry status`, the rest goes on."""
    start(lab)
    before = lab.ipvs()
    rows = [line.split(": ", 1) for line in (BAD / "expected.txt").read_text().splitlines()]
    for name, _ in rows:
        lab.write(name, (BAD / name).read_bytes().decode("utf-8"))
    wait_until("the last file has been read", lambda: rows[-1][0] in lab.status(), 30)
    lab.write("z-new.yaml", service("new", "10.96.0.77"))
    wait_until("a good file after them works", lambda: lab.has_virtual_server("10.96.0.77", 80), 10)
    status = lab.status()
    missing = [f"{name}: {text}" for name, text in rows if not any(
        f"/{name}:" in line and text in line for line in status.splitlines())]
    # Two files that fill the same name: only one of them can be told of its own mistake.
    missing = [line for line in missing if "is given already" not in status or line.split(":")[0] not in status]
    if missing:
        raise Failure("no message for:\n" + "\n".join(missing))
    lab.remove("z-new.yaml")
    wait_until("the good file's removal works", lambda: not lab.has_virtual_server("10.96.0.77", 80), 10)
    if lab.ipvs() != before or not lab.is_answered_by("pod1"):
        raise Failure("the good Service has suffered")
    if not lab.metric("podferry_source_problems"):
        raise Failure("the problems are not counted")


def it_refuses_every_bad_configuration(lab):
    """--check-config and the start itself: exit status 2, and file, line and column."""
    for line in (BAD / "expected_conf.txt").read_text().splitlines():
        name, text = line.split(": ", 1)
        for options in (["--check-config"], ["--manifests", str(lab.manifests)]):
            said = lab.on("node", "sh", "-c", f"podferry node --config {BAD / name} {' '.join(options)}; echo status $?",
                          check=False)
            if "status 2" not in said or text not in said or name not in said:
                raise Failure(f"{name}: {said}")


def it_refuses_ranges_that_clash_with_the_node(lab):
    """A service range over the node's own subnet, or over a route, names both."""
    for extra, words in (("192.168.0.0/16", "interface eth0's subnet"), ("10.1.0.0/28", "the route via pod1")):
        (lab.folder / "clash.yaml").write_text(f"service_cluster_ip_range: {extra}\n")
        said = lab.on("node", "podferry", "node", "--check-config", "--config", f"{lab.folder}/clash.yaml", check=False)
        if extra not in said or words not in said:
            raise Failure(said)


def it_never_removes_for_a_bad_folder(lab):
    """The folder renamed away, a file emptied, a file truncated: everything stays; then all is well again."""
    start(lab)
    before = lab.ipvs()
    away = lab.folder / "away"
    lab.manifests.rename(away)
    wait_until("the loss is noticed", lambda: "cannot be read" in lab.log(), 10)
    if lab.ipvs() != before or not lab.is_answered_by("pod1"):
        raise Failure("the folder's absence removed something")
    lab.manifests.mkdir()
    away.joinpath("a-web.yaml").rename(lab.manifests / "a-web.yaml")
    shutil.rmtree(away)
    lab.write("b.yaml", service("b", "10.96.0.6"))
    wait_until("the folder that came back is read", lambda: lab.has_virtual_server("10.96.0.6", 80), 15)
    for text in ("", service()[:60]):
        (lab.manifests / "a-web.yaml").write_text(text)
        wait_until("the bad file is noticed", lambda: "was read from this file before stays" in lab.status(), 10)
        if not lab.has_virtual_server("10.96.0.5", 80) or not lab.is_answered_by("pod1"):
            raise Failure("a half-written file removed something")
    lab.write("a-web.yaml", service() + pods(1, probe=None))
    wait_until("the problem is resolved", lambda: "before stays" not in lab.status(), 10)


def it_keeps_addresses_that_it_chose(lab):
    """A Service without clusterIP keeps its address and node port over a restart, and from file to file."""
    lab.write("auto.yaml", service("auto", None, extra="  type: NodePort\n"))
    lab.start_podferry()
    first = lab.services()
    lab.stop_podferry()
    lab.write("first.yaml", service("another", None, extra="  type: NodePort\n"))
    lab.start_podferry()

    def rows(table):
        return [line.split() for line in table.splitlines() if " auto " in line]

    if not rows(first) or rows(first) != rows(lab.services()):
        raise Failure(f"{first}\nbecame\n{lab.services()}")


def it_says_what_is_missing(lab):
    """Without the privilege; a second podferry on the same node."""
    start(lab)
    second = lab.on("node", "sh", "-c", f"podferry node --config {lab.folder}/config.yaml --manifests {lab.manifests}", check=False)
    if "another podferry runs on this node" not in second:
        raise Failure(second)
    bare = lab.on("node", "setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "podferry", "node",
                  "--manifests", str(lab.manifests), check=False)
    if "CAP_NET_ADMIN is missing" not in bare:
        raise Failure(bare)
