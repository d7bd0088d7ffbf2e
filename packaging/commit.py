#!/usr/bin/env python3
"""Says of which commit a source tree is: as `podferry --version` shows it, or one fact of it.

    commit.py [--revision | --epoch] TREE

A tree that `git archive` has made (a release's tarball) has it in packaging/commit.txt. A clone asks git; a tree that only lies
somewhere in another repository does not. What is neither is unknown.
"""
import pathlib
import subprocess
import sys
import time


def of_archive(tree):
    """(hash, seconds since 1970), or None for a tree that git has not archived."""
    try:
        words = (tree / "packaging/commit.txt").read_text().split()
    except OSError:
        return None
    return (words[0], int(words[1])) if len(words) == 2 and not words[0].startswith("$") else None


def git(tree, *words):
    """What git says; None when there is no git, or it refuses."""
    # The owner of a tree in a container's build is another user than the one who builds.
    command = ["git", "-c", f"safe.directory={tree}", "-C", str(tree), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def of_clone(tree):
    top = git(tree, "rev-parse", "--show-toplevel")
    said = git(tree, "log", "-1", "--format=%H %ct")
    if not top or not said or pathlib.Path(top).resolve() != tree:
        return None
    revision, epoch = said.split()
    changed = git(tree, "status", "--porcelain", "--untracked-files=no")
    return revision + ("-changed" if changed else ""), int(epoch)


def commit_of(tree):
    tree = pathlib.Path(tree).resolve()
    return of_archive(tree) or of_clone(tree)


def text_of(commit):
    if not commit:
        return "commit unknown"
    revision, _, changed = commit[0].partition("-")
    words = f"commit {revision[:12]} of {time.strftime('%Y-%m-%d', time.gmtime(commit[1]))}"
    return words + (", with changes" if changed else "")


if __name__ == "__main__":
    found = commit_of(sys.argv[-1])
    if "--revision" in sys.argv:
        print(found[0] if found else "unknown")
    elif "--epoch" in sys.argv:
        print(found[1] if found else 0)
    else:
        print(text_of(found))
