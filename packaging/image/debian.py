"""Debian packages of any architecture, from the archive that this machine's apt uses, without installing them: apt resolves and
verifies, in a state of its own; nothing of this machine's is changed."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys

CACHE = pathlib.Path(os.environ.get("PODFERRY_CACHE", pathlib.Path.home() / ".cache/podferry"))
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CONFIGURATION = """\
APT::Architecture "{arch}";
#clear APT::Architectures;
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::Etc::SourceList "{place}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{place}/state";
Dir::State::Status "{place}/status";
Dir::Cache "{place}/cache";
"""


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def native():
    return run(["dpkg", "--print-architecture"]).strip()


def sources():
    """This machine's Debian archive, as lines of a sources.list: its release with its updates and security updates."""
    query = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages", "Origin: Debian"]
    said = run(query)
    if not said.strip():
        run(["apt-get", "update", "-q"])
        said = run(query)
    found = [line for line in dict.fromkeys(said.splitlines()) if line.endswith(" main")]
    if not found:
        sys.exit("apt knows no archive of Debian: put one into /etc/apt/sources.list.d, and run apt-get update")
    return [f"deb [signed-by={KEYRING}] {line}" for line in found]


def of_release(name):
    """The same for any release of the same archive; of others than this machine's without updates."""
    own = sources()
    same = [line for line in own if line.split()[3].split("-")[0] == name]
    return same or [" ".join([*own[0].split()[:3], name, "main"])]


class Package:
    """A downloaded one, unpacked."""

    def __init__(self, path, place):
        self.path = path
        self.control = run(["dpkg-deb", "-f", str(path)])
        self.name = self.field("Package")
        self.version = self.field("Version")
        self.architecture = self.field("Architecture")
        self.source = self.field("Source") or self.name
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.root = place / path.stem
        if not (self.root.with_suffix(".complete")).exists():
            run(["dpkg-deb", "-x", str(path), str(self.root)])
            self.root.with_suffix(".complete").touch()

    def field(self, name):
        found = re.search(rf"^{name}: (.*)$", self.control, re.M)
        return found[1] if found else ""


class Archive:
    """Packages of one architecture, as the archive has them now."""

    def __init__(self, arch):
        self.place = CACHE / f"packages-{arch}"
        for folder in ("state/lists/partial", "cache/archives/partial", "packages", "unpacked"):
            (self.place / folder).mkdir(parents=True, exist_ok=True)
        (self.place / "status").touch()
        (self.place / "sources.list").write_text("\n".join(sources()) + "\n")
        (self.place / "apt.conf").write_text(CONFIGURATION.format(arch=arch, place=self.place))
        self.apt = {**os.environ, "APT_CONFIG": str(self.place / "apt.conf"), "LC_ALL": "C"}
        run(["apt-get", "update", "-q"], env=self.apt)
        self.packages = {}

    def fetch(self, names):
        """Downloads what is not there yet. Each question to apt costs a second or two: as few as can be."""
        wanted = sorted(set(names) - self.packages.keys())
        if not wanted:
            return
        versions = {}
        for entry in run(["apt-cache", "show", "--no-all-versions", *wanted], env=self.apt).split("\n\n"):
            fields = dict(re.findall(r"^(Package|Version): (.*)$", entry, re.M))
            if fields:
                versions[fields["Package"]] = fields["Version"].replace(":", "%3a")
        folder = self.place / "packages"
        missing = [name for name in wanted if not list(folder.glob(f"{name}_{versions[name]}_*.deb"))]
        if missing:
            run(["apt-get", "download", "-q", *missing], env=self.apt, cwd=folder)
        for name in wanted:
            file, = folder.glob(f"{name}_{versions[name]}_*.deb")
            self.packages[name] = Package(file, self.place / "unpacked")

    def package(self, name):
        self.fetch([name])
        return self.packages[name]


if __name__ == "__main__":  # debian.py sources RELEASE
    print("\n".join(of_release(sys.argv[2])))
