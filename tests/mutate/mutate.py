#!/usr/bin/env python3
"""Breaks promised behaviour on purpose, one mutation at a time, and looks whether the ring that must notice it does.

    mutate.py [--list] [--check] [--turn COUNT] [--share I/N] [NAME...]

Mutations stand in mutations.toml: a file, a text in it, and the text that takes its place. A copy of the tree in the cache is
mutated, never the tree itself. --check only looks whether each text is there exactly once. --turn takes COUNT of those of the
unit ring, others with each commit; --share the I-th of N parts. A mutation that does not compile proves nothing, and counts as
failed. What noticed one is said: the assertion of a unit program, which stops at its first, or that the ring hung.
"""
import argparse
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = pathlib.Path(os.environ.get("PODFERRY_CACHE", pathlib.Path.home() / ".cache/podferry")) / "mutate"
WORKERS = os.cpu_count() or 1
# What a mutation leaves unused is no reason not to compile.
UNUSED = "".join(f'#pragma clang diagnostic ignored "-Wunused{what}"\n' for what in ("", "-parameter", "-const-variable"))
RING_LIMIT = {"unit": 300, "lab": 900, "e2e": 1800}  # seconds; a ring that hangs has noticed


def mutations():
    rows = tomllib.loads((HERE / "mutations.toml").read_text())["mutation"]
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names), "names are unique"
    for row in rows:
        ring, _, what = row["ring"].partition(" ")
        assert ring in RING_LIMIT and what, f"{row['name']}: ring is `unit PROGRAM`, `lab SCENARIO` or `e2e SCENARIO`"
    return rows


def mistakes(rows):
    for row in rows:
        path = ROOT / row["file"]
        count = path.read_text().count(row["old"]) if path.exists() else 0
        if count != 1:
            yield f"tests/mutate/mutations.toml: {row['name']}: its text stands {count} times in {row['file']}, not once"
        elif row["old"] == row["new"]:
            yield f"tests/mutate/mutations.toml: {row['name']}: changes nothing"


class Copy:
    """A copy of the tree with a build of its own; ccache knows most of it."""

    def __init__(self, number):
        self.folder = CACHE / str(number)
        self.refresh()

    def refresh(self):
        """The tracked files as they are in the tree; only what differs is written, so that little is compiled."""
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                                capture_output=True, text=True).stdout.split("\0")
        wanted = {name for name in listed if name and (ROOT / name).is_file()}
        for path in self.folder.rglob("*"):
            name = str(path.relative_to(self.folder))
            if path.is_file() and not name.startswith("build/") and name not in wanted:
                path.unlink()
        for name in wanted:
            source, target = ROOT / name, self.folder / name
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def build(self, *targets):
        return subprocess.run([self.folder / "dev", "targets", *targets], capture_output=True, text=True, errors="replace")

    def ring(self, ring, what):
        """What makes the ring fail; empty when it passes."""
        command = [self.folder / "build/tests/unit" / what.split(" ")[0], *what.split(" ")[1:], "--abort", "--reporter", "compact"
                   ] if ring == "unit" else [self.folder / "dev", ring, *what.split(" ")]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=self.folder, timeout=RING_LIMIT[ring])
        except subprocess.TimeoutExpired:
            return f"hung for {RING_LIMIT[ring]} s"
        if ran.returncode == 0:
            return ""
        failed = re.search(r"([\w.]+:\d+): failed|(SIG[A-Z]+|FAIL .*)", ran.stdout)
        return next(filter(None, failed.groups())) if failed else f"exit {ran.returncode}"


def program(row):
    """The unit program to build, or everything."""
    ring, _, what = row["ring"].partition(" ")
    return ["tests/unit/" + what.split(" ")[0]] if ring == "unit" else []


def judge(copy, row):
    """Whether the mutation is noticed, and by what, or what is wrong."""
    path = copy.folder / row["file"]
    whole = path.read_text()
    path.write_text((UNUSED if path.suffix in (".cpp", ".hpp") else "") + whole.replace(row["old"], row["new"]))
    try:
        built = copy.build(*program(row))
        if built.returncode != 0:
            return False, "does not compile:\n" + "\n".join((built.stdout + built.stderr).splitlines()[-12:])
        ring, _, what = row["ring"].partition(" ")
        failed = copy.ring(ring, what)
        return bool(failed), failed or f"not noticed by {row['ring']}"
    finally:
        path.write_text(whole)


def is_sound(copy, rows):
    """Unchanged, every unit program that is asked passes; else all would seem to be noticed."""
    for target in sorted({target for row in rows for target in program(row)}):
        built = copy.build(target)
        failed = built.returncode != 0 or copy.ring("unit", target.removeprefix("tests/unit/"))
        if failed:
            print(f"{target} fails without any mutation: {failed}\n{built.stdout[-2000:]}{built.stderr[-2000:]}")
            return False
    return True


def run(rows):
    results = {}
    waiting = queue.Queue()
    for row in rows:
        waiting.put(row)

    def work(copy):
        while True:
            try:
                row = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            results[row["name"]], by = judge(copy, row)
            print(f"{'ok   ' if results[row['name']] else 'FAIL '} {row['name']}  {time.monotonic() - began:.0f} s  "
                  f"{row['promise']}: {by}", flush=True)

    copies = [Copy(number) for number in range(min(WORKERS, len(rows)))]
    if not is_sound(copies[0], rows):
        return 1
    threads = [threading.Thread(target=work, args=(copy,)) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    noticed = sum(results.values())
    print(f"figure mutations_noticed {noticed}\nfigure mutations_total {len(rows)}")
    print(f"mutate: {noticed} passed, {len(rows) - noticed} failed")
    return 0 if noticed == len(rows) else 1


def turn(rows, count):
    """Others with each commit, the same for the same commit."""
    unit = [row for row in rows if row["ring"].startswith("unit ")]
    commits = int(subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    first = commits * count % len(unit)
    return (unit[first:] + unit[:first])[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--turn", type=int)
    parser.add_argument("--share")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    rows = mutations()
    found = list(mistakes(rows))
    if found or args.check:
        print("\n".join(found) if found else "mutations: as they should be")
        return 1 if found else 0
    if args.names:
        rows = [row for row in rows if any(row["name"].startswith(name) for name in args.names)]
    if args.turn:
        rows = turn(rows, args.turn)
    if args.share:
        share, shares = map(int, args.share.split("/"))
        rows = rows[share - 1::shares]
    if args.list or not rows:
        print("\n".join(f"{row['name']}: {row['promise']} ({row['ring']})" for row in rows) or "no mutation is called so")
        return 0 if rows else 1
    return run(rows)


if __name__ == "__main__":
    sys.exit(main())
