#!/usr/bin/env python3
"""Makes a Debian package of what meson has installed into a folder, by debhelper: packaging/debian says how.

    deb.py --stage FOLDER --version VERSION --out FOLDER

Prints the package's path. The same commit and the same tools make the same bytes. DEBFULLNAME and DEBEMAIL are its maintainer, as
for all of Debian's tools.
"""
import argparse
import email.utils
import os
import pathlib
import shutil
import subprocess
import sys

import commit

ROOT = pathlib.Path(__file__).resolve().parents[1]
NOBODY = ("podferry", "podferry@localhost")


def maintainer():
    return f"{os.environ.get('DEBFULLNAME') or NOBODY[0]} <{os.environ.get('DEBEMAIL') or NOBODY[1]}>"


def changelog(version, who, epoch):
    """The one entry that a package of a commit has; what changed stands in CHANGELOG.md."""
    return (f"podferry ({version}) unstable; urgency=medium\n\n  * {commit.text_of(commit.commit_of(ROOT)).capitalize()}; "
            f"see CHANGELOG.md.\n\n -- {who}  {email.utils.formatdate(epoch)}\n")


def make_tree(tree, stage, version, epoch):
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT / "packaging/debian", tree / "debian")
    shutil.copytree(stage, tree / "stage", symlinks=True)
    for name in ("docs", "examples"):
        shutil.copytree(ROOT / name, tree / name)
    shutil.copy(ROOT / "CHANGELOG.md", tree)
    control = tree / "debian/control"
    control.write_text(control.read_text().replace("@MAINTAINER@", maintainer()))
    (tree / "debian/changelog").write_text(changelog(version, maintainer(), epoch))


def build(out, tree, epoch):
    log = out / "build.log"
    with open(log, "w") as said:
        done = subprocess.run(["dpkg-buildpackage", "--build=binary", "--no-sign", "--no-pre-clean"], cwd=tree, stdout=said,
                              stderr=subprocess.STDOUT, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "LC_ALL": "C.UTF-8"})
    if done.returncode != 0:
        sys.exit(f"{log.read_text()[-4000:]}\ndpkg-buildpackage: exit status {done.returncode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    found = commit.commit_of(ROOT)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or (found[1] if found else 0))
    args.out.mkdir(parents=True, exist_ok=True)
    tree = args.out / "podferry"
    make_tree(tree, args.stage, args.version, epoch)
    build(args.out, tree, epoch)
    package, = args.out.glob(f"podferry_{args.version}_*.deb")
    print(package)


if __name__ == "__main__":
    main()
