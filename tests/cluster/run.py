#!/usr/bin/env python3
"""Runs the cluster ring's scenarios: all, or those whose names are given.    run.py [--list] [--image ARCHIVE] [NAME...]

Builds what is missing in the cache first; then everything runs in namespaces of its own (network, processes, mounts): what it starts
ends with it, whatever happens."""
import argparse
import functools
import os
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "lab")]

import programs  # noqa: E402
import root  # noqa: E402
from runner import run_safely, scenarios  # noqa: E402

LIMIT = 5400  # seconds for all scenarios
INSIDE = "PODFERRY_CLUSTER_NAMESPACE"


def chosen(names):
    found = [(name, scenario) for name, scenario in scenarios(HERE / "scenarios")
             if not names or any(name.startswith(wanted) or "." + wanted in name for wanted in names)]
    return found or sys.exit(f"no scenario is called {' or '.join(names)}; --list shows them")


def in_namespaces():
    """Runs this program again, as process 1 of its namespaces; its exit status."""
    machine = subprocess.Popen(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv],
                               env=os.environ | {INSIDE: "yes"})
    try:
        return machine.wait(LIMIT)
    except subprocess.TimeoutExpired:
        print(f"FAIL  cluster: not done after {LIMIT} s", flush=True)
        return 1
    finally:
        machine.kill()
        machine.wait()


def run_all(names, archive):
    from cluster import Cluster
    results = [run_safely(name, scenario, functools.partial(Cluster, archive)) for name, scenario in chosen(names)]
    print(f"cluster: {results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--image", type=pathlib.Path, help="an archive of `./dev image`")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if args.list:
        print("\n".join(f"{name}: {(scenario.__doc__ or '').strip()}" for name, scenario in chosen(args.names)))
        return 0
    if INSIDE in os.environ:
        return run_all(args.names, args.image)
    if os.geteuid() != 0:
        sys.exit("the cluster's namespaces and virtual machines need root")
    chosen(args.names)
    for build in (programs.control_plane, programs.kubernetes, programs.containerd, programs.coredns, programs.helm, root.disk):
        build()
    return in_namespaces()


if __name__ == "__main__":
    sys.exit(main())
