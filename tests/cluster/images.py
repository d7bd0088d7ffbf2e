"""Images without a registry: archives in docker's format, which containerd imports."""
import hashlib
import io
import json
import pathlib
import tarfile

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


PROTOCOLS = b"icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nsctp 132 SCTP\n"  # ipset looks names up there


def layer(folders, links, files):
    """The bytes of a layer with folders, symbolic links ({path: target}) and files ({path: file on this machine, or its bytes})."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in folders:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
        for name, source in files.items():
            content = source if isinstance(source, bytes) else pathlib.Path(source).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def write_image(path, names, entrypoint, folders=(), links=None, files=None):
    """An image of one layer at `path`, under all these names."""
    data = layer(folders, links or {}, files or {})
    digest = hashlib.sha256(data).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": entrypoint, "Env": [PATH]},
                         "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": names, "Layers": [f"{digest}/layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        for name, content in ((config_name, config), (f"{digest}/layer.tar", data), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def write_tools(path, name):
    """An image of folders only: its pods mount the node's /usr, and so have what the node has (objects.py, TOOLS)."""
    write_image(path, [name], ["/usr/bin/python3"], folders=["tmp", "etc", "usr", "run", "var", "proc", "sys", "dev"],
                links={"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"},
                files={"etc/protocols": PROTOCOLS})


def renamed(archive, path, name):
    """A copy of an archive of `./dev image` in which the same image has another name: `helm upgrade` sees a new one."""
    with tarfile.open(archive) as old, tarfile.open(path, "w") as new:
        for entry in old:
            content = old.extractfile(entry).read() if entry.isfile() else None
            if entry.name.removeprefix("./") == "index.json":
                content = of_index(json.loads(content), name)
            elif entry.name.removeprefix("./") == "manifest.json":
                content = json.dumps([each | {"RepoTags": [name]} for each in json.loads(content)]).encode()
            if content is not None:
                entry.size = len(content)
            new.addfile(entry, io.BytesIO(content) if content is not None else None)


def of_index(index, name):
    for manifest in index["manifests"]:
        annotations = manifest.setdefault("annotations", {})
        annotations["io.containerd.image.name"] = f"docker.io/library/{name}"
        annotations.pop("org.opencontainers.image.ref.name", None)
    return json.dumps(index).encode()
