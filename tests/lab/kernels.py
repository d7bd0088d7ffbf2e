"""Debian's stock cloud kernels for the lab's machine: fetched, unpacked into a cache, never installed."""
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import time

CACHE = pathlib.Path(os.environ.get("PODFERRY_CACHE", pathlib.Path.home() / ".cache/podferry"))
ARCHIVE, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
# What `--kernel` knows: where its packages are, and the package that names the newest one. None: this machine's own sources.
KERNELS = {
    "5.10": (ARCHIVE, "bullseye", "linux-image-cloud-amd64"),
    "6.1": None,
    "6.12": (SECURITY, "bookworm-security", "linux-image-6.12-cloud-amd64"),
    "7": (ARCHIVE, "trixie-backports", "linux-image-cloud-amd64"),
}
LISTS_ARE_GOOD_FOR_S = 24 * 3600
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def apt_options(kernel):
    """For a kernel of another suite: lists of its own, so that this machine's are left alone."""
    if KERNELS[kernel] is None:
        return []
    archive, suite, _ = KERNELS[kernel]
    folder = CACHE / f"apt-{suite}"
    (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
    (folder / "archives/partial").mkdir(parents=True, exist_ok=True)
    source = folder / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING}] {archive} {suite} main\n")
    options = ["-o", f"Dir::Etc::SourceList={source}", "-o", "Dir::Etc::SourceParts=-", "-o", f"Dir::State::Lists={folder}/lists",
               "-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User=root"]
    stamp = folder / "updated"
    if not stamp.exists() or time.time() - stamp.stat().st_mtime > LISTS_ARE_GOOD_FOR_S:
        subprocess.run(["apt-get", *options, "update", "-q"], check=True, stdout=subprocess.DEVNULL)
        stamp.touch()
    return options


def dependencies_of(package, options):
    text = subprocess.run(["apt-cache", *options, "depends", package], check=True, capture_output=True, text=True).stdout
    return re.findall(r"^ *\|?(?:Pre)?Depends: (\S+)", text, re.MULTILINE)


def newest(kernel, options):
    name = KERNELS[kernel][2] if KERNELS[kernel] else "linux-image-cloud-amd64"
    return next(one for one in dependencies_of(name, options) if one.startswith("linux-image-"))


def parts_of(package, options):
    """The package, and those that it is split into: since 7.0 the image and the modules lie in others."""
    return [package, *(one for one in dependencies_of(package, options) if re.match(r"linux-(base|binary|modules)-\d", one))]


def fetch(kernel="6.1"):
    """The folder with the unpacked kernel."""
    options = apt_options(kernel)
    package = newest(kernel, options)
    folder = CACHE / package
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(["apt-get", *options, "download", "-q", *parts_of(package, options)], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        for archive in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", archive, folder], check=True)
            archive.unlink()
        if not (folder / "lib").exists():  # newer packages have everything in /usr
            (folder / "lib").symlink_to("usr/lib")
        subprocess.run(["depmod", "-b", folder, modules(folder).name], check=True)
        (folder / "complete").touch()
    return folder


def image(folder):
    return next(path for place in ("boot", "usr/lib/modules", "usr/lib/linux") if (folder / place).exists()
                for path in sorted((folder / place).rglob("vmlinuz*")))


def modules(folder):
    return next((folder / "lib/modules").iterdir())


def plain_name(path):
    """ip_vs of kernel/net/netfilter/ipvs/ip-vs.ko.xz"""
    return re.sub(r"\.ko(\.xz|\.zst|\.gz)?$", "", pathlib.Path(path).name).replace("-", "_")


def load_order(folder, names):
    """Paths of the modules, each after those that it needs. What is built into the kernel needs none."""
    where = modules(folder)
    built_in = {plain_name(line) for line in (where / "modules.builtin").read_text().splitlines()}
    needed = {}
    for line in (where / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needed[plain_name(path)] = (path, rest.split())
    order = []
    for name in names:
        if name in built_in:
            continue
        path, rest = needed[name]
        for item in [*reversed(rest), path]:
            if item not in order:
                order.append(item)
    return [where / path for path in order]


def unpacked(path):
    """The bytes of a module that may be compressed."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    return subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout if path.suffix == ".zst" else path.read_bytes()


if __name__ == "__main__":
    print(*KERNELS)
