#!/usr/bin/env python3
"""clang-tidy over what a build folder compiles, in parallel; a file whose preprocessed text was clean before is not looked
at again (the record is kept outside the tree).    tidy.py BUILD FOLDER..."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLEAN = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "podferry" / "tidy"


def look_at(build, entry):
    """What clang-tidy says of one file; empty when it is clean."""
    words = shlex.split(entry["command"])
    words = words[words.index("clang++-19"):words.index("-MD")] + ["-E", "-P", "-w", entry["file"]]
    text = subprocess.run(words, cwd=entry["directory"], capture_output=True, check=True).stdout
    record = CLEAN / hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + entry["command"].encode() + text).hexdigest()
    if record.exists():
        return ""
    done = subprocess.run(["clang-tidy-19", "-p", build, "--quiet", "--warnings-as-errors=*", entry["file"]],
                          cwd=entry["directory"], capture_output=True, text=True)
    if done.returncode == 0:
        record.touch()
        return ""
    return done.stdout + done.stderr


def main():
    build, folders = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    CLEAN.mkdir(parents=True, exist_ok=True)
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text())
               if os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT).split("/")[0] in folders]
    if not entries:
        sys.exit(f"{build} compiles nothing of {' '.join(folders)}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [text for text in pool.map(lambda entry: look_at(str(build), entry), entries) if text]
    print("\n".join(findings) + f"tidy: {len(entries)} files, {len(findings)} with findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
