#!/usr/bin/env python3
"""Runs the lab's scenarios: all, or those whose names are given. Inside the virtual machine, or as root on a machine
whose kernel has IPVS.    run.py [--list] [NAME...]"""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lab import Lab  # noqa: E402
from runner import main  # noqa: E402

if __name__ == "__main__":
    if "--list" not in sys.argv:
        print(f"lab: Linux {os.uname().release}", flush=True)
    sys.exit(main("lab", HERE / "scenarios", Lab, sys.argv[1:]))
