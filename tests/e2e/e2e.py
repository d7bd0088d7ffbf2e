#!/usr/bin/env python3
"""The e2e ring: podferry on a real control plane. The control plane runs here, on loopback; podferry runs in the lab's
virtual machine, with the rights of its Helm chart.

    e2e.py --scale SIZE --prepare COMMAND [NAME...]   measures instead (bench/)
    e2e.py [--list] [--prepare COMMAND] [--podferry PROGRAM] [NAME...]

Runs the checks of the Helm chart (`chart`, check_chart.py), those of the role controller (`controller`, check_controller.py) and all
scenarios, or those whose names are given. COMMAND is
run in the virtual machine first, and puts podferry in its place; PROGRAM is podferry on this machine, which judges the
chart's configuration files.
"""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

import build
import check_chart
import check_controller
from chart import NAMESPACE, SERVICE_ACCOUNT, apply_rights
from control_plane import ControlPlane
from control_server import ControlServer

HERE = pathlib.Path(__file__).resolve().parent
VM = HERE.parent / "lab/vm.py"
ON_THE_HOST = {"chart": check_chart, "controller": check_controller}  # what needs no node
LIMIT = 3600  # seconds for all scenarios


def describe(plane, server):
    """What the guest has to know of the host, in a file that it reads."""
    path = plane.folder / "cluster.json"
    path.write_text(json.dumps({"api_port": plane.api_port, "control_port": server.port, "ca": str(plane.certificates.ca),
                                "admin_token": plane.admin_token, "programs": str(plane.programs), "namespace": NAMESPACE, "service_account": SERVICE_ACCOUNT}))
    return path


def run_in_guest(prepare, options, counted=False):
    """Settings of the scenarios (E2E_...) go with it."""
    settings = [shlex.quote(f"{name}={value}") for name, value in os.environ.items() if name.startswith("E2E_")]
    command = " && ".join([*prepare, " ".join(["env", *settings, sys.executable, f"{HERE}/run.py", *options])])
    how = ["--network", f"--timeout={LIMIT}", "--memory=3072", *(["--counted"] if counted else [])]
    machine = subprocess.Popen([sys.executable, str(VM), *how, command])
    try:
        return machine.wait()
    finally:
        if machine.poll() is None:
            machine.terminate()
            machine.wait()


def run(args):
    asked = {what: [name.removeprefix(what).strip(".") for name in args.names if name.startswith(what)] for what in ON_THE_HOST}
    scenarios = [name for name in args.names if not name.startswith(tuple(ON_THE_HOST))]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="podferry-e2e-"))
    good = True
    try:
        with ControlPlane(folder, build.control_plane()) as plane, ControlServer(plane) as server:
            apply_rights(plane)
            if args.scale:
                os.environ["E2E_SCALE"] = str(args.scale)
                return run_in_guest(args.prepare, ["--folder=bench", f"--cluster={describe(plane, server)}", *args.names],
                                    args.counted)
            for what, checks in ON_THE_HOST.items():
                if asked[what] or not args.names:
                    good = checks.run_all(plane, args.podferry, [name for name in asked[what] if name]) and good
            if scenarios or not args.names:
                good = run_in_guest(args.prepare, [f"--cluster={describe(plane, server)}", *scenarios]) == 0 and good
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


def list_all(names):
    checks = [f"{what}.{name[3:]}" for what, module in ON_THE_HOST.items() for name in vars(module.Checks) if name.startswith("it_")]
    if not names:
        print("\n".join(checks), flush=True)
    return subprocess.run([sys.executable, str(HERE / "run.py"), "--list", *names]).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--prepare", action="append", default=[])
    parser.add_argument("--podferry")
    parser.add_argument("--scale", type=int, help="measure with so many Services, beside kube-proxy, instead of the scenarios")
    parser.add_argument("--counted", action="store_true", help="by a clock that counts the virtual machine's instructions")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    return list_all(args.names) if args.list else run(args)


if __name__ == "__main__":
    sys.exit(main())
