#!/usr/bin/env python3
"""Runs the e2e ring's scenarios inside the virtual machine (e2e.py starts it).
    run.py [--list] [--folder=bench] --cluster=FILE [NAME...]"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lab")]

from cluster import Cluster  # noqa: E402
from runner import main  # noqa: E402

if __name__ == "__main__":
    options = dict(word.removeprefix("--").partition("=")[::2] for word in sys.argv if word.startswith("--"))
    sys.exit(main("e2e", HERE / options.get("folder", "scenarios"), lambda: Cluster(options.get("cluster")), sys.argv[1:]))
