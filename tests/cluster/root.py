#!/usr/bin/env python3
"""A node's disk, made once into the cache: Debian's packages, the programs of a node, and its init. Nodes write on layers of their own.

    root.py     makes it, and prints its path"""
import hashlib
import pathlib
import shutil
import subprocess
import sys

import programs
from build import CACHE, one_at_a_time  # noqa: I001  (programs.py has said where it is)
from kernel import kernel

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = "bookworm"
PACKAGES = ["iproute2", "iptables", "ipset", "nftables", "ipvsadm", "kmod", "crun", "containernetworking-plugins", "conntrack", "ethtool",
            "util-linux", "mount", "procps", "ca-certificates", "python3", "curl", "tcpdump", "strace"]
MEBIBYTES = 4096  # a sparse file


def disk():
    """Its path."""
    files = [HERE / "node/init", HERE / "node/crun-1.0"]
    inputs = [RELEASE, *PACKAGES, str(kernel()), *(str(path) for path in programs.of_a_node()), *(path.read_text() for path in files)]
    folder = CACHE / f"cluster-node-{hashlib.sha256(' '.join(inputs).encode()).hexdigest()[:12]}"
    with one_at_a_time(folder):
        make_in(folder)
    return folder / "node.img"


def make_in(folder):
    if not (folder / "complete").exists():
        print(f"making the nodes' disk in {folder}: once, 1 to 3 minutes", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        root = folder / "root"
        make_root(root)
        fill(root)
        make_disk(root, folder / "node.img")
        (folder / "complete").touch()
        shutil.rmtree(root)


def make_root(root):
    """From the sources that this machine has; kept apart from what is ours, which changes more often."""
    tree = CACHE / f"cluster-debian-{hashlib.sha256(' '.join([RELEASE, *PACKAGES]).encode()).hexdigest()[:12]}.tar"
    if not tree.exists():
        debian = HERE.parents[1] / "packaging/image/debian.py"
        sources = subprocess.run([sys.executable, str(debian), "sources", RELEASE], check=True, capture_output=True, text=True).stdout
        partial = tree.with_suffix(".partial.tar")
        with open(CACHE / "cluster-debian.list", "w") as written:
            written.write(sources)
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}",
                        "--aptopt=APT::Install-Recommends \"false\"", RELEASE, str(partial), written.name], check=True)
        partial.rename(tree)
    root.mkdir()
    subprocess.run(["tar", "-C", str(root), "--numeric-owner", "-xf", str(tree)], check=True)


def fill(root):
    for program in programs.of_a_node():
        shutil.copy(program, root / "usr/local/bin" / program.name)
    shutil.copytree(kernel() / "lib/modules", root / "usr/lib/modules", dirs_exist_ok=True)
    for release in (root / "usr/lib/modules").iterdir():
        subprocess.run(["depmod", "-b", str(root), release.name], check=True)
    shutil.copy(HERE / "node/init", root / "sbin/node-init")
    shutil.copy(HERE / "node/crun-1.0", root / "usr/local/sbin/crun-1.0")
    for path in (root / "sbin/node-init", root / "usr/local/sbin/crun-1.0"):
        path.chmod(0o755)


def make_disk(root, path):
    with open(path, "wb") as made:
        made.truncate(MEBIBYTES * 2**20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(root), str(path)], check=True)


if __name__ == "__main__":
    print(disk())
