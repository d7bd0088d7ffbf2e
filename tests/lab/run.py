#!/usr/bin/env python3
"""Runs the lab's scenarios: all, or those whose names are given. Inside the virtual machine, or as root on a machine
whose kernel has IPVS.    run.py [--list] [NAME...]"""
import importlib
import pathlib
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lab import Lab, TooSlow  # noqa: E402

ATTEMPTS = 3  # when the machine is too busy


def scenarios():
    """Functions that begin with "it_", of all files of scenarios/, in the order in which they stand."""
    found = []
    for path in sorted((HERE / "scenarios").glob("*.py")):
        module = importlib.import_module(f"scenarios.{path.stem}")
        names = [name for name in vars(module) if name.startswith("it_")]
        found += [(f"{path.stem}.{name[3:]}", getattr(module, name)) for name in names]
    return found


def run(name, scenario, attempt=1):
    start = time.monotonic()
    again = False
    with Lab() as lab:
        try:
            scenario(lab)
        except TooSlow as error:
            print(f"      {name}, attempt {attempt}: {error}", flush=True)
            if attempt == ATTEMPTS:
                print(f"FAIL  {name}  {time.monotonic() - start:.1f} s: the machine is too slow", flush=True)
                return False
            again = True
        except Exception as error:  # the state is worth more than the trace
            print(f"FAIL  {name}  {time.monotonic() - start:.1f} s: {error}")
            traceback.print_exc(limit=-2, file=sys.stdout)
            print(lab.describe(), flush=True)
            return False
    if again:
        return run(name, scenario, attempt + 1)
    print(f"ok    {name}  {time.monotonic() - start:.1f} s", flush=True)
    return True


def main():
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    chosen = [(name, scenario) for name, scenario in scenarios() if not wanted or any(name.startswith(w) or "." + w in name for w in wanted)]
    if "--list" in sys.argv:
        print("\n".join(f"{name}: {(scenario.__doc__ or '').strip()}" for name, scenario in chosen))
        return 0
    if not chosen:
        sys.exit(f"no scenario is called {' or '.join(wanted)}; run.py --list shows them")
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=False)
    results = [run(name, scenario) for name, scenario in chosen]
    print(f"lab: {results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
