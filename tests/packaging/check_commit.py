#!/usr/bin/env python3
"""What packaging/commit.py says of a clone, a changed clone, a tarball, a tree in somebody else's repository, and one of nobody."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEN = ["packaging/commit.py", "packaging/commit.txt", ".gitattributes"]
DATE = "2026-10-28T23:30:00-02:00"  # the day after, where the sun comes first


def git(tree, *words):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *who, "-C", str(tree), *words], check=True, capture_output=True, text=True, env={
        **os.environ, "GIT_AUTHOR_DATE": DATE, "GIT_COMMITTER_DATE": DATE}).stdout.strip()


def tree(place):
    for name in SEEN:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    return place


def clone(place):
    tree(place)
    git(place, "init", "-q")
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", "first")
    return place


def said(place, *options):
    return subprocess.run([sys.executable, str(place / "packaging/commit.py"), *options, str(place)], check=True,
                          capture_output=True, text=True).stdout.strip()


def mistakes(folder):
    ours = clone(folder / "clone")
    revision = git(ours, "rev-parse", "HEAD")
    right = f"commit {revision[:12]} of 2026-10-29"
    yield "a clone", said(ours), right
    yield "its time", said(ours, "--epoch"), git(ours, "log", "-1", "--format=%ct")
    (folder / "tarball").mkdir()
    git(ours, "archive", "--output", str(folder / "tar"), "HEAD")
    subprocess.run(["tar", "-xf", folder / "tar", "-C", folder / "tarball"], check=True)
    yield "a tarball", said(folder / "tarball"), right
    yield "a tarball's revision", said(folder / "tarball", "--revision"), revision
    shutil.copytree(folder / "tarball", ours / "tarball")
    yield "a tarball in another repository", said(ours / "tarball"), right
    yield "a tree in another repository", said(tree(ours / "vendor")), "commit unknown"
    yield "an unknown file beside", said(ours), right
    (ours / ".gitattributes").write_text("# changed\n")
    yield "a changed clone", said(ours), right + ", with changes"
    yield "its revision", said(ours, "--revision"), revision + "-changed"
    yield "a tree alone", said(tree(folder / "alone")), "commit unknown"
    yield "its time", said(folder / "alone", "--epoch"), "0"


with tempfile.TemporaryDirectory() as temporary:
    wrong = [f"{what}: {is_}, expected {expected}" for what, is_, expected in mistakes(pathlib.Path(temporary)) if is_ != expected]
print("\n".join(wrong) if wrong else "commit: as it should be")
sys.exit(1 if wrong else 0)
