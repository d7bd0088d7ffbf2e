#!/usr/bin/env python3
"""Makes an OCI image of a compiled podferry: an archive that container engines load, and its SBOM beside it. Without a registry and
without a daemon; the same program and the same Debian packages make the same bytes.

    image.py --arch ARCH --program FILE --version VERSION --out FOLDER     FOLDER/podferry-VERSION-ARCH.oci.tar, .spdx.json
    image.py --arch ARCH --program FILE --version VERSION --root FOLDER    its files only, for a Containerfile

The archive is an OCI layout with docker's manifest.json: podman, skopeo, `ctr images import`, kind, k3s and docker load it.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import sbom
from debian import native, run
from root import TRIPLET, Root

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
NAME = "docker.io/library/podferry"  # what `podferry:VERSION` means to a node
MOST = 30  # MB


def commit(option):
    return run([sys.executable, str(SOURCE / "packaging/commit.py"), option, str(SOURCE)]).strip()


def when(epoch):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def labels(version, revision, epoch):
    """The keys are those of the OCI image specification."""
    said = {"title": "podferry", "description": "A Kubernetes service proxy over Linux IPVS, in place of kube-proxy",
            "licenses": "Apache-2.0", "version": version, "revision": revision, "created": when(epoch)}
    return [f"org.opencontainers.image.{key}={value}" for key, value in said.items()]


def try_out(root, arch):
    """Nothing is missing: with all symbols looked up at once, it starts in there."""
    command = ["chroot", str(root), "/usr/sbin/podferry"]
    if arch != native():
        emulator = "qemu-" + TRIPLET[arch].split("-")[0]
        command = [emulator, "-L", str(root), str(root / "usr/sbin/podferry")]
    print(run([*command, "--version"], env={"LD_BIND_NOW": "1", "PATH": os.environ["PATH"]}).strip())


def pack(folder, root, arguments, revision, epoch):
    """An OCI layout in `folder`; returns its manifest's descriptor."""
    layout, bundle = folder / "layout", folder / "bundle"
    image = f"{layout}:{arguments.version}"
    run(["umoci", "init", "--layout", str(layout)])
    run(["umoci", "new", "--image", image])
    run(["umoci", "config", "--image", image, "--no-history", "--architecture", arguments.arch, "--os", "linux", "--created", when(epoch),
         "--config.env", "PATH=/usr/sbin:/usr/bin", "--config.entrypoint", "/usr/sbin/podferry",
         *(word for label in labels(arguments.version, revision, epoch) for word in ("--config.label", label, "--manifest.annotation", label))])
    run(["umoci", "unpack", "--image", image, str(bundle)])
    run(["cp", "-a", f"{root}/.", str(bundle / "rootfs")])
    run(["umoci", "repack", "--image", image, "--history.created", when(epoch), "--history.created_by", "./dev image", str(bundle)])
    run(["umoci", "gc", "--layout", str(layout)])
    index = json.loads((layout / "index.json").read_text())
    descriptor, = index["manifests"]
    descriptor["annotations"]["io.containerd.image.name"] = f"{NAME}:{arguments.version}"
    descriptor["platform"] = {"architecture": arguments.arch, "os": "linux"}
    (layout / "index.json").write_text(json.dumps(index))
    manifest = json.loads((layout / blob(descriptor)).read_text())
    (layout / "manifest.json").write_text(json.dumps([{"Config": blob(manifest["config"]), "RepoTags": [f"podferry:{arguments.version}"],
                                                       "Layers": [blob(layer) for layer in manifest["layers"]]}]))
    return descriptor


def blob(descriptor):
    return "blobs/" + descriptor["digest"].replace(":", "/")


def archive(layout, target, epoch):
    with open(target, "wb") as out:
        subprocess.run(["tar", "-C", str(layout), "--sort=name", f"--mtime=@{epoch}", "--owner=0", "--group=0", "--numeric-owner", "--mode=a+rX,u+w,go-w",
                        "--format=ustar", "-cf", "-", *sorted(path.name for path in layout.iterdir())], stdout=out, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=sorted(TRIPLET), required=True)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--root", type=pathlib.Path)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("the image's files belong to root: run this as root")
    revision = commit("--revision")
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or commit("--epoch"))
    with tempfile.TemporaryDirectory(prefix="podferry-image-") as temporary:
        folder = pathlib.Path(temporary)
        root = Root(arguments.root or folder / "root", arguments.arch, arguments.program)
        root.settle(epoch)
        try_out(root.place, arguments.arch)
        if arguments.root:
            return 0
        descriptor = pack(folder, root.place, arguments, revision, epoch)
        arguments.out.mkdir(parents=True, exist_ok=True)
        target = arguments.out / f"podferry-{arguments.version}-{arguments.arch}.oci.tar"
        archive(folder / "layout", folder / "archive", epoch)
        for old in arguments.out.glob(f"podferry-*-{arguments.arch}.*"):
            old.unlink()
        shutil.move(folder / "archive", target)
        facts = {"version": arguments.version, "architecture": arguments.arch, "revision": revision, "digest": descriptor["digest"], "epoch": epoch}
        said = sbom.document(facts, [root.used[name] for name in sorted(root.used)])
        target.with_suffix("").with_suffix(".spdx.json").write_text(json.dumps(said, indent=1) + "\n")
    megabytes = target.stat().st_size / 1e6
    print(f"{target}: {descriptor['digest']}")
    print(f"figure image_mb {megabytes:.1f} MB   (bound {MOST}; {arguments.arch}, {len(root.used)} Debian packages)")
    return 0 if megabytes <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
