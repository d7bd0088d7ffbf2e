#!/usr/bin/env python3
"""Builds programs of the test rings from their Go modules, once, into a cache outside the tree:
    control_plane/go.mod   etcd, kube-apiserver, kube-controller-manager, kube-proxy, kubectl
    helm/go.mod            helm
    ../manifests/oracle    what Kubernetes makes of manifests
A folder of the cache is named after what go.mod, go.sum and our own Go files say, so another version is another folder."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("PODFERRY_CACHE", pathlib.Path.home() / ".cache/podferry"))
GO_NEEDED = (1, 26, 6)  # as containerd of tests/cluster/programs
# Where Go is missing or too old: the newer one as a module, through the ordinary module proxy.
TOOLCHAIN = "golang.org/toolchain@v0.0.1-go1.26.6.linux-amd64"


def control_plane():
    """The folder with etcd, kube-apiserver, kube-controller-manager, kube-proxy and kubectl."""
    return built(HERE / "control_plane", "control-plane", "6 to 11 minutes with Go's caches empty")


def helm():
    """The program."""
    return built(HERE / "helm", "helm", "about a minute with Go's caches empty") / "helm"


def manifests_oracle():
    """The program of the manifests ring."""
    module = HERE.parent / "manifests/oracle"
    return built(module, "manifests-oracle", "2 to 5 minutes with Go's caches empty", ".") / "manifests"


def built(module, name, how_long, packages="tool"):
    content = b"".join(path.read_bytes() for path in [module / "go.mod", module / "go.sum", *sorted(module.glob("*.go"))])
    folder = CACHE / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    with one_at_a_time(folder):
        if not (folder / "complete").exists():
            print(f"building {name} from its Go modules into {folder}: once, {how_long}", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            build_tools(module, folder, packages)
            (folder / "complete").touch()
    return folder


@contextlib.contextmanager
def one_at_a_time(folder):
    """For what is made once in the cache: whoever comes second waits, and would else take away what the first one is at."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_tools(module, folder, packages):
    # Always this Go: go.mod asks for none newer than what `go()` found.
    environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    subprocess.run([go(), "build", "-ldflags", linker_flags(module), "-o", f"{folder}/", packages], check=True, cwd=module,
                   env=environment)
    if (folder / "server").exists():  # etcd's main package is called so
        (folder / "server").rename(folder / "etcd")


def linker_flags(module):
    """Programs learn at link time of which version they are (else Kubernetes' report v0.0.0 and warn of skew), and Helm
    for which Kubernetes it renders where it asks none (else 1.20)."""
    required = (module / "go.mod").read_text()
    values = {}
    if version := re.search(r"k8s\.io/kubernetes v((\d+)\.(\d+)\.\d+)", required):
        values = {"k8s.io/component-base/version.gitVersion": "v" + version[1],
                  "k8s.io/component-base/version.gitMajor": version[2], "k8s.io/component-base/version.gitMinor": version[3]}
    elif client := re.search(r"k8s\.io/client-go v0\.(\d+)\.", required):
        values = {"helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "1",
                  "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": client[1]}
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in values.items())])


def go():
    """A Go that is new enough: the one on PATH, else fetched by the one on PATH."""
    found = shutil.which("go")
    if not found:
        sys.exit("Go is needed to build the control plane: ./dev setup")
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    said = subprocess.run([found, "version"], check=True, capture_output=True, text=True, env=environment).stdout
    if tuple(int(part or 0) for part in re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", said).groups()) >= GO_NEEDED:
        return found
    listing = subprocess.run([found, "mod", "download", "-json", TOOLCHAIN], check=True, capture_output=True, text=True)
    root = pathlib.Path(re.search(r'"Dir": "(.*)"', listing.stdout)[1])
    for program in [*root.glob("bin/*"), *root.glob("pkg/tool/*/*")]:  # a module's files are not executable
        program.chmod(0o755)
    return str(root / "bin/go")


if __name__ == "__main__":
    print(control_plane())
    print(helm())
