#!/usr/bin/env python3
"""What systemd says of the units in packaging/: that it understands them, and how exposed the services are."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

UNITS = [pathlib.Path(__file__).resolve().parents[2] / "packaging" / name for name in ("podferry.service", "podferry-edge.service")]
MOST_EXPOSED = 4.0  # of 10
WANTED = {"StartLimitIntervalSec": "0", "Type": "notify", "OOMScoreAdjust": "-999", "WatchdogSec": "60s", "KillMode": "process"}
SKIPPED = 77  # what meson takes for it


def ask(*words):
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def judge(unit_file):
    """What is wrong with a unit."""
    text = unit_file.read_text()
    problems = [f"{name}={value} is missing" for name, value in WANTED.items() if f"\n{name}={value}\n" not in text]
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder) / unit_file.name
        # What it starts need not be installed here.
        unit.write_text(text.replace("/usr/sbin/podferry", "/bin/true"))
        status, said = ask("verify", "--man=no", str(unit))
        if status or "Unknown" in said or str(unit) in said:
            problems.append(f"verify: {said}")
        status, said = ask("security", "--offline=yes", f"--threshold={int(MOST_EXPOSED * 10)}", str(unit))
    level = re.search(r"Overall exposure level .*: ([0-9.]+)", said)
    print(level[0] if level else said)
    if not level or float(level[1]) > MOST_EXPOSED:
        problems.append(f"it is more exposed than {MOST_EXPOSED}")
    return [f"{unit_file.name}: {problem}" for problem in problems]


def main():
    if not shutil.which("systemd-analyze"):
        print("no systemd-analyze here: the units are not judged")
        return SKIPPED
    problems = [problem for unit in UNITS for problem in judge(unit)]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
