"""The image of `./dev image`: unpacked as a container engine does it, and started where nothing else is."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import ssl
import tarfile

from j_host import NOBODY
from lab import NODE_IP, Failure, wait_until
from manifests import pods, service

ARCHIVES = pathlib.Path("build/image")
ROOT = pathlib.Path("/run/image")
# The chart's mounts, and a root that cannot be written to.
ENTER = """\
mount --bind "$1" "$1" && mount --bind /run/lab "$1/run/lab" && mount --rbind /proc "$1/proc" && mount --rbind /sys "$1/sys" &&
mount --bind /usr/lib/modules "$1/usr/lib/modules" && mount -o remount,ro,bind "$1" && shift && exec "$@" 2>&1
"""


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def entry(archive, name):
    return archive.extractfile(name).read()


def blob(archive, descriptor):
    """Of an OCI layout; it is what its name says."""
    kind, digest = descriptor["digest"].split(":")
    content = entry(archive, f"blobs/{kind}/{digest}")
    expect(hashlib.sha256(content).hexdigest() == digest and len(content) == descriptor["size"], f"{digest} is another blob")
    return content


def unpack():
    """The image's files, in ROOT; returns its configuration."""
    found = list(ARCHIVES.glob("*.oci.tar"))
    expect(len(found) == 1, f"{ARCHIVES.resolve()} has {len(found)} images: ./dev image")
    ROOT.mkdir(exist_ok=True)
    with tarfile.open(found[0]) as archive:
        manifest = json.loads(blob(archive, json.loads(entry(archive, "index.json"))["manifests"][0]))
        config = json.loads(blob(archive, manifest["config"]))
        for layer, different in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
            content = gzip.decompress(blob(archive, layer))
            expect("sha256:" + hashlib.sha256(content).hexdigest() == different, "the layer is not the configuration's")
            with tarfile.open(fileobj=io.BytesIO(content)) as files:
                files.extractall(ROOT, numeric_owner=True)
    (ROOT / "run/lab").mkdir()
    return config


def inside(capabilities):
    """A command that runs another one in the image, as root with these capabilities (and the one that gets it there)."""
    kept = ",".join(f"+{name}" for name in (*capabilities, "sys_chroot"))
    return ["unshare", "--mount", "sh", "-c", ENTER, "sh", str(ROOT), "setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all",
            "chroot", str(ROOT)]


def judge_files(config):
    """One program, and what it needs."""
    expect(config["config"]["Entrypoint"] == ["/usr/sbin/podferry"] and config["config"]["Env"][0].startswith("PATH=/usr/sbin"), str(config))
    expect(config["config"]["Labels"]["org.opencontainers.image.revision"] not in ("", "unknown"), "nobody knows of which commit it is")
    files = [path for path in ROOT.rglob("*") if path.is_file() and not path.is_symlink()]
    programs = [str(path.relative_to(ROOT)) for path in files if os.access(path, os.X_OK) and "/ld-linux" not in str(path)]
    expect(programs == ["usr/sbin/podferry"], f"there are other programs: {programs}")
    expect(not [path for path in files if path.stat().st_uid or path.stat().st_mode & 0o6022], "somebody else's files, or such as anybody may change")
    trusted = ssl.create_default_context(cafile=str(ROOT / "etc/ssl/certs/ca-certificates.crt"))
    expect(trusted.cert_store_stats()["x509_ca"] > 100, f"authorities: {trusted.cert_store_stats()}")


def it_carries_connections_from_its_image(lab):
    """The chart's init step and podferry itself (`--user`), each with the chart's capabilities, in a root that is the image's."""
    judge_files(unpack())
    config = f"{lab.folder}/config.yaml"
    said = lab.on("node", *inside(["sys_module", "net_admin"]), "/usr/sbin/podferry", "node", "--init-only", "--config", config)
    expect("this host is prepared" in said and "not_possible=0" in said, f"the init step said {said}")
    lab.start_pods(1)
    lab.write("web.yaml", service(ports=[("http", "TCP", 80, 30080)], extra="  type: NodePort\n") + pods(1))
    lab.start_podferry("--user", str(NOBODY), prefix=inside(["chown", "net_admin", "setgid", "setuid"]))
    wait_until("the pod passes its probe", lambda: lab.weights("10.96.0.5", 80).get("pod1") == 1, 10)
    expect(lab.is_answered_by("pod1"), "no answer over the ClusterIP")
    expect([who for who, _ in lab.ask("outside", "tcp", NODE_IP[4], 30080, 1)] == ["pod1"], "no answer over the node port")
    process = pathlib.Path(f"/proc/{lab.processes['podferry'].pid}")
    expect(os.readlink(process / "root") == str(ROOT), "it does not run in the image")
    status = (process / "status").read_text()
    expect(f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}" in status and "CapEff:\t0000000000001000" in status, status)
    mapped = {line.split()[-1] for line in (process / "maps").read_text().splitlines() if "/" in line}
    print(f"      {len(mapped)} files mapped")
    said = lab.on("node", *inside([]), "/usr/sbin/podferry", "status", "--socket", f"{lab.folder}/podferry.sock")
    expect("problems           0" in said, f"its own status: {said}")
