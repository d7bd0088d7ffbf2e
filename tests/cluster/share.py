"""The nodes' second disk: images, certificates, settings, node.py. Nodes mount it read-only."""
import json
import os
import pathlib
import shutil
import subprocess

import images
import network
import programs

HERE = pathlib.Path(__file__).resolve().parent
TOOLS, PAUSE, COREDNS = "cluster.test/tools:1", "registry.k8s.io/pause:3.10.2", "registry.k8s.io/coredns:1"
PODFERRY, PODFERRY_NEXT = "podferry:first", "podferry:next"  # the same image under two names
MEBIBYTES = 512


def make(folder, certificates, kubeconfigs, podferry):
    """The path of the disk. `kubeconfigs`: of the nodes' kubelets, by node; `podferry`: the archive of `./dev image`."""
    content = folder / "share"
    content.mkdir()
    (content / "cluster.json").write_text(json.dumps(network.settings()))
    shutil.copy(HERE / "node/node.py", content)
    shutil.copy(certificates.ca, content / "ca.crt")
    for node, text in kubeconfigs.items():
        (content / f"{node}.kubeconfig").write_text(text)
    images.write_tools(content / "1-tools.tar", TOOLS)
    pause = folder / "pause"
    subprocess.run(["gcc", "-O2", "-static", "-s", "-o", str(pause), str(HERE / "node/pause.c")], check=True)
    images.write_image(content / "2-pause.tar", [PAUSE], ["/pause"], files={"pause": pause})
    images.write_image(content / "3-coredns.tar", [COREDNS], ["/coredns"], files={"coredns": programs.coredns()}, folders=["etc", "tmp"])
    for name in (PODFERRY, PODFERRY_NEXT):
        images.renamed(podferry, content / f"4-{name.replace(':', '-')}.tar", name)
    disk = folder / "share.img"
    with open(disk, "wb") as made:
        made.truncate(MEBIBYTES * 2**20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(content), str(disk)], check=True)
    os.chmod(disk, 0o600)
    return disk
