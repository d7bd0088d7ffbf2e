#!/usr/bin/env python3
"""The programs of nodes and of their cluster that the e2e ring has not, built from Go modules once into the cache:
    programs/kubernetes    kubelet, kube-scheduler
    programs/containerd    containerd, its shim for runc, ctr
    programs/coredns       coredns

    programs.py    builds them, and prints their folders"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "e2e"))

from build import built, control_plane, helm  # noqa: E402

MODULES = HERE / "programs"


def kubernetes():
    """The folder with kubelet and kube-scheduler."""
    return built(MODULES / "kubernetes", "cluster-kubernetes", "5 to 15 minutes with Go's caches empty")


def containerd():
    """The folder with containerd, containerd-shim-runc-v2 and ctr."""
    return built(MODULES / "containerd", "cluster-containerd", "3 to 8 minutes with Go's caches empty")


def coredns():
    """The program."""
    return built(MODULES / "coredns", "cluster-coredns", "2 to 5 minutes with Go's caches empty", ".") / "coredns"


def of_a_node():
    """Paths of what lies in a node's /usr/local/bin."""
    return [kubernetes() / "kubelet", control_plane() / "kube-proxy", *(containerd() / name for name in (
        "containerd", "containerd-shim-runc-v2", "ctr")), coredns()]


if __name__ == "__main__":
    print(*[kubernetes(), *of_a_node(), helm()], sep="\n")
