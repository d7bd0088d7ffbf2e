#!/usr/bin/env python3
"""Holds podferry's reading of manifests and kubeconfigs against Kubernetes' own (oracle/), object by object:
    compare.py READING [--mutations N] [--seed N] [--show N]
READING is the program build/tests/manifests/manifests-reading. The files are tests/bad_input, the corpus beside this file,
examples/, and mutations of their documents. A difference is explained by a row of the table in docs/manifests.md, or it is one
too many: then the exit status is 1, as when, with seed 1, a row explains nothing any more."""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import mutate

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import build  # noqa: E402

Difference = collections.namedtuple("Difference", "file kind side texts detail")
Row = collections.namedtuple("Row", "kind side pattern")


def rows():
    """The table: | kind | podferry | where | reason |, where is a pattern that each message, or each field that is read otherwise,
    must match from its beginning."""
    found = []
    for line in (ROOT / "docs/manifests.md").read_text().splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 6 and cells[2] in ("accepts", "refuses", "reads"):
            found.append(Row(re.compile(cells[1].strip("`")), cells[2], re.compile(cells[3].strip("`"))))
    return found


def ask(program, names):
    """One answer for each file."""
    said = subprocess.run([program], input="".join(f"{name}\n" for name in names), capture_output=True, text=True)
    answers = [json.loads(line) for line in said.stdout.splitlines()]
    if said.returncode != 0 or len(answers) != len(names):
        at = names[len(answers)] if len(answers) < len(names) else "the end"
        sys.exit(f"{program} ended with status {said.returncode} at {at}:\n{said.stderr[-2000:]}")
    return answers


def key(thing):
    return thing["kind"], "/".join(part for part in (thing["namespace"], thing["name"]) if part)


def differing(one, other, path=""):
    """Paths of what is not the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            yield from differing(one.get(name), other.get(name), f"{path}.{name}" if path else name)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (a, b) in enumerate(zip(one, other)):
            yield from differing(a, b, f"{path}[{index}]")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield path, f"{path}: Kubernetes {json.dumps(one)}, podferry {json.dumps(other)}"


def cut(others):
    return {kind[:50]: count for kind, count in others.items()}


def words(problem):
    return f"{problem['field']}: {problem['detail']}"


def compare_object(name, theirs, ours, messages):
    if theirs["accepted"] and ours["accepted"]:
        found = list(differing(theirs["facts"], ours["facts"]))
        if found:
            yield Difference(name, ours["kind"], "reads", [path for path, _ in found], "; ".join(what for _, what in found))
    elif ours["accepted"]:
        texts = [words(problem) for problem in theirs["problems"]]
        yield Difference(name, ours["kind"], "accepts", texts, "Kubernetes: " + "; ".join(texts))
    elif theirs["accepted"]:
        texts = messages.get(key(ours)) or ["(no message)"]
        yield Difference(name, ours["kind"], "refuses", texts, "podferry: " + "; ".join(texts))


def compare_manifest(name, theirs, ours):
    """The differences of one file."""
    errors = [problem for problem in ours["problems"] if not problem["warning"]]
    messages = collections.defaultdict(list)
    for problem in errors:
        if "kind" in problem:
            messages[key(problem)].append(problem["message"])
    known = {key(entry) for entry in ours["objects"]}
    outside = [problem["message"] for problem in errors if "kind" not in problem or key(problem) not in known]
    # Of equal names the first one is compared with the first one, or with the first that is judged alike.
    left = collections.defaultdict(list)
    for entry in ours["objects"]:
        left[key(entry)].append(entry)
    for entry in theirs["objects"]:
        if left[key(entry)]:
            own = next((own for own in left[key(entry)] if own["accepted"] == entry["accepted"]), left[key(entry)][0])
            left[key(entry)].remove(own)
            yield from compare_object(name, entry, own, messages)
        elif entry["kind"] == "Endpoints" and entry["accepted"] and not entry["facts"]["slices"]:
            continue  # it becomes no slice, so podferry has nothing of it
        elif entry["accepted"] or not outside:
            yield Difference(name, entry["kind"], "refuses", outside or ["(nothing said)"], f"{key(entry)} is not there: {outside}")
    for entries in left.values():
        for entry in entries:
            if entry["accepted"] or not theirs["errors"]:
                texts = theirs["errors"] or ["(no error)"]
                yield Difference(name, entry["kind"], "accepts", texts, f"{key(entry)} is not there for Kubernetes: {texts}")
    if bool(theirs["errors"]) != bool(outside) and len(theirs["objects"]) == len(ours["objects"]):
        side, texts = ("refuses", outside) if outside else ("accepts", theirs["errors"])
        yield Difference(name, "document", side, texts, f"Kubernetes: {theirs['errors']}, podferry: {outside}")
    if not outside and not theirs["errors"] and cut(theirs["others"]) != cut(ours["others"]):
        yield Difference(name, "others", "reads", sorted({*theirs["others"], *ours["others"]}),
                         f"others: Kubernetes {theirs['others']}, podferry {ours['others']}")


def compare_kubeconfig(name, theirs, ours):
    if "error" not in theirs and "error" not in ours:
        if found := list(differing(theirs, ours)):
            yield Difference(name, "kubeconfig", "reads", [path for path, _ in found], "; ".join(what for _, what in found))
    elif "error" not in ours:
        yield Difference(name, "kubeconfig", "accepts", [theirs["error"]], theirs["error"])
    elif "error" not in theirs:
        texts = [re.sub(r"^.*?:\d+: ", "", line) for line in ours["error"].splitlines()]
        yield Difference(name, "kubeconfig", "refuses", texts, ours["error"])


def explains(row, difference, text):
    return row.side == difference.side and row.kind.fullmatch(difference.kind) and row.pattern.match(text)


def sources():
    found = [path for folder in ("tests/bad_input", "tests/manifests/corpus", "examples") for path in sorted((ROOT / folder).iterdir())]
    return [path for path in found if path.suffix in (".yaml", ".yml", ".json", ".kubeconfig") and path.name != "config.yaml"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reading")
    parser.add_argument("--mutations", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=20)
    options = parser.parse_args()
    oracle = build.manifests_oracle()
    table = rows()
    used = set()
    compared = 0
    unexplained = []
    with tempfile.TemporaryDirectory() as folder:
        files = [*sources(), *mutate.mutations(sources(), pathlib.Path(folder), options.mutations, options.seed)]
        names = [str(path) for path in files]
        for name, theirs, ours in zip(names, ask(oracle, names), ask(options.reading, names)):
            is_config = name.endswith(".kubeconfig")
            compared += 1 if is_config else max(1, len(theirs["objects"]) + len(theirs["errors"]))
            for difference in (compare_kubeconfig if is_config else compare_manifest)(name, theirs, ours):
                reasons = [[i for i, row in enumerate(table) if explains(row, difference, text)] for text in difference.texts]
                used.update(i for found in reasons for i in found)
                if not all(reasons):
                    unexplained.append(difference)
        for difference in unexplained[: options.show]:
            print(f"{difference.file}: {difference.kind}: podferry {difference.side}: {difference.detail}")
            if difference.file.startswith(folder):
                print("    " + pathlib.Path(difference.file).read_text(errors="replace").replace("\n", "\n    ")[:1500])
    idle = [table[i] for i in range(len(table)) if i not in used] if options.seed == 1 else []
    for row in idle:
        print(f"docs/manifests.md: this row explains nothing any more: {row.kind.pattern} {row.side} {row.pattern.pattern}")
    print(f"figure manifests_compared {compared}")
    print(f"figure manifests_unexplained {len(unexplained)}")
    print(f"manifests: {compared - len(unexplained)} passed, {len(unexplained)} failed")
    return 1 if unexplained or idle else 0


if __name__ == "__main__":
    sys.exit(main())
