"""The image's files: podferry, the libraries that it links, certificates of authorities, and what says which these are."""
import os
import pathlib
import re
import shutil
import sys

from debian import Archive, native, run

TRIPLET = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
# From which packages nothing but this is taken.
CERTIFICATES = "ca-certificates"
RELEASE = "base-files"
# A file of the container's and then DNS: without it, glibc asks DNS alone as long as that answers.
NSSWITCH = "hosts: files dns\n"


def elf(path):
    """Names of the libraries that it needs, and its interpreter ("" for a library)."""
    said = run(["readelf", "--wide", "--dynamic", "--program-headers", str(path)])
    interpreter = re.search(r"interpreter: (\S+)\]", said)
    return re.findall(r"\(NEEDED\)\s+Shared library: \[(.+)\]", said), interpreter[1] if interpreter else ""


def packages_of(sonames):
    """Of each library its package. What they are called in Debian is the same for all architectures, and this machine has them, because
    podferry is linked here."""
    patterns = [f"*/{TRIPLET[native()]}/{soname}" for soname in sonames if not soname.startswith("ld-linux")]
    found = {soname: "libc6" for soname in sonames if soname.startswith("ld-linux")}
    for line in run(["dpkg", "-S", *patterns]).splitlines() if patterns else []:
        owner, _, path = line.partition(": ")
        found[pathlib.PurePosixPath(path).name] = owner.split(":")[0]
    return found


def needed_here(program):
    """The names of all libraries that it needs, directly and by one another, as they are on this machine."""
    found, waiting = set(), list(elf(program)[0])
    while waiting:
        soname = waiting.pop()
        path = pathlib.Path("/usr/lib") / TRIPLET[native()] / soname
        if soname not in found:
            found.add(soname)
            waiting += elf(path)[0] if path.exists() else []
    return found


class Root:
    """A folder that becomes the image."""

    def __init__(self, place, arch, program):
        self.place = place
        self.archive = Archive(arch)
        self.arch = arch
        self.used = {}  # packages that files come from, by name
        shutil.rmtree(place, ignore_errors=True)
        self.make_folders()
        shutil.copyfile(program, place / "usr/sbin/podferry")
        (place / "usr/sbin/podferry").chmod(0o755)
        self.add_libraries(place / "usr/sbin/podferry")
        self.add_certificates()
        self.add_release()
        self.add_records()

    def make_folders(self):
        """Merged, as Debian has it; those that are mounted over are there for a runtime that makes none."""
        for folder in ("usr/sbin", "usr/lib", "etc/ssl/certs", "etc/podferry", "var/lib/podferry", "run/podferry", "usr/lib/modules",
                       "usr/lib/ssl", "usr/share/doc", "var/lib/dpkg/status.d", "proc", "sys", "dev", "tmp"):
            (self.place / folder).mkdir(parents=True)
        for name in ("sbin", "lib"):
            (self.place / name).symlink_to(f"usr/{name}")
        (self.place / "etc/nsswitch.conf").write_text(NSSWITCH)

    def take(self, name):
        self.used[name] = self.archive.package(name)
        return self.used[name]

    def library(self, package, soname):
        """Where the package has it."""
        for folder in ("usr/lib", "lib"):
            path = package.root / folder / TRIPLET[self.arch] / soname
            if path.exists():
                return path
        sys.exit(f"{package.path.name} has no {soname}")

    def add_libraries(self, program):
        """All that are needed, directly and by one another; each under the name that is asked for."""
        target = self.place / "usr/lib" / TRIPLET[self.arch]
        target.mkdir()
        needed, interpreter = elf(program)
        owners = packages_of(needed_here(program) | {pathlib.Path(interpreter).name})
        self.archive.fetch({*owners.values(), CERTIFICATES, RELEASE})
        waiting = [*needed, pathlib.Path(interpreter).name]
        while waiting:
            soname = waiting.pop(0)
            if (target / soname).exists():
                continue
            if soname not in owners:
                owners |= packages_of([soname])
            found = self.library(self.take(owners[soname]), soname)
            shutil.copyfile(found.resolve(), target / soname)
            (target / soname).chmod(0o755 if soname.startswith("ld-") else 0o644)
            waiting += elf(found)[0]
        self.add_interpreter(interpreter, target)

    def add_interpreter(self, interpreter, target):
        """/lib64/ld-linux-x86-64.so.2, /lib/ld-linux-aarch64.so.1: a link to where it is."""
        folder = pathlib.PurePosixPath(interpreter).parent.name
        if not (self.place / folder).exists():
            (self.place / "usr" / folder).mkdir()
            (self.place / folder).symlink_to(f"usr/{folder}")
        link = self.place / "usr" / folder / pathlib.PurePosixPath(interpreter).name
        link.symlink_to(os.path.relpath(target / link.name, link.parent))

    def add_certificates(self):
        """Of the package, not of this machine, whose administrator may trust others too."""
        folder = self.take(CERTIFICATES).root / "usr/share/ca-certificates/mozilla"
        texts = [path.read_text().strip() + "\n" for path in sorted(folder.glob("*.crt"))]
        if len(texts) < 100:
            sys.exit(f"{CERTIFICATES} has only {len(texts)} certificates: is its layout another one?")
        (self.place / "etc/ssl/certs/ca-certificates.crt").write_text("".join(texts))
        (self.place / "usr/lib/ssl/cert.pem").symlink_to("/etc/ssl/certs/ca-certificates.crt")  # where OpenSSL looks

    def add_release(self):
        """By which scanners know whose packages these are."""
        shutil.copyfile(self.take(RELEASE).root / "usr/lib/os-release", self.place / "usr/lib/os-release")
        (self.place / "etc/os-release").symlink_to("../usr/lib/os-release")

    def add_records(self):
        """Of each package its licence, and its control file where scanners look for it when there is no dpkg."""
        for name, package in sorted(self.used.items()):
            (self.place / "var/lib/dpkg/status.d" / name).write_text(package.control)
            folder = self.place / "usr/share/doc" / name
            folder.mkdir()
            shutil.copyfile(self.licence(package), folder / "copyright")
        (self.place / "usr/share/doc/podferry").mkdir()
        shutil.copyfile(pathlib.Path(__file__).resolve().parents[2] / "LICENSE", self.place / "usr/share/doc/podferry/copyright")

    def licence(self, package):
        """A package may say that its documents are another one's."""
        folder = package.root / "usr/share/doc" / package.name
        if folder.is_symlink():
            other = self.archive.package(os.readlink(folder))
            folder = other.root / "usr/share/doc" / other.name
        return folder / "copyright"

    def settle(self, epoch):
        """One owner, one time, modes that no umask has changed."""
        for path in [self.place, *self.place.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644)
            os.chown(path, 0, 0, follow_symlinks=False)
            os.utime(path, (epoch, epoch), follow_symlinks=False)
        (self.place / "tmp").chmod(0o1777)
        os.utime(self.place / "tmp", (epoch, epoch))
