#!/usr/bin/env python3
"""Holds docs/acceptance.md and docs/conformance.md against the tests that they name: a name that is none is a mistake."""
import fnmatch
import importlib.util
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
TOKEN = re.compile(r"\b(lab|e2e|unit|conformance)\b|`([^`]+)`|\"([^\"]+)\"|([;|()])")
FILE = re.compile(r"[\w/.-]+/[\w.-]+\.(?:cpp|py|hpp)")


def functions(folder):
    """Scenarios as `./dev lab --list` names them; read, not run."""
    return {f"{path.stem}.{name}" for path in folder.glob("*.py")
            for name in re.findall(r"^def it_(\w+)\(", path.read_text(), re.M)}


def cells():
    sys.path[:0] = [str(TESTS / "conformance")]
    spec = importlib.util.spec_from_file_location("scenarios", TESTS / "conformance/scenarios.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["scenarios"] = module
    spec.loader.exec_module(module)
    return {row.name for row in module.SCENARIOS} | {module.CLEAN_UP.split(" ")[0]}


def words_of(file):
    """Of the file's TEST_CASEs, literals in several pieces joined; None: there is no such file."""
    path = TESTS / "unit" / file
    if not path.exists():
        return None
    cases = re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', path.read_text())
    return {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', case)).replace('\\"', '"') for case in cases}


class Known:
    def __init__(self):
        self.names = {"lab": functions(TESTS / "lab/scenarios"), "e2e": functions(TESTS / "e2e/scenarios"), "conformance": cells()}
        self.cases = {}

    def has(self, ring, name):
        """Of conformance also a pattern, and the beginning of names."""
        names = self.names[ring]
        return name in names or (ring == "conformance" and any(
            fnmatch.fnmatchcase(known, name) or known.startswith(name + ".") for known in names))

    def words(self, file):
        if file not in self.cases:
            self.cases[file] = words_of(file)
        return self.cases[file]


def mistakes_in_cell(text, known):
    """What `lab`, `e2e`, `unit` and `conformance` name up to the next semicolon; what stands in brackets explains."""
    ring, file, depth = None, None, 0
    for found in TOKEN.finditer(text):
        word, name, quoted, mark = found.groups()
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if mark in (";", "|") and depth == 0:
            ring = file = None
        elif word and depth == 0:
            ring, file = word, None
        elif name and FILE.fullmatch(name) and ring == "unit":
            file = name
            if known.words(file) is None:
                yield f"tests/unit has no {file}"
        elif name and FILE.fullmatch(name):
            if not (ROOT / name).exists():
                yield f"there is no file {name}"
        elif name and depth == 0 and ring in known.names and " " not in name and not known.has(ring, name):
            yield f"{ring} has no scenario {name}"
        elif quoted and depth == 0 and file and known.words(file) is not None and quoted not in known.words(file):
            yield f'tests/unit/{file} has no TEST_CASE "{quoted}"'


def mistakes_in_acceptance(text, known):
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|"):
            for what in mistakes_in_cell(line.strip().strip("|").split("|")[-1], known):
                yield number, what


def mistakes_in_conformance(text, known):
    """Every `group.name` of a group that there is, and the patterns of the explained differences."""
    groups = {name.split(".")[0] for name in known.names["conformance"]}
    explained = False
    for number, line in enumerate(text.splitlines(), 1):
        explained = line.startswith("## Explained") or (explained and not line.startswith("## "))
        names = [name for name in re.findall(r"`([^`]+)`", line) if re.fullmatch(r"[\w-]+(\.[\w*-]+)+", name)
                 and name.split(".")[0] in groups]
        if explained and line.startswith("|") and not re.match(r"\| (scenario|---)|\|---", line):
            names.append(line.split("|")[1].strip().strip("`"))
        yield from ((number, f"conformance has no scenario {name}") for name in names if not known.has("conformance", name))


def self_test(known):
    """Each kind of wrong name is found, and what is right is not."""
    some = sorted(known.names["lab"])[0]
    for cell, wanted in ((f"lab `{some}`", 0), ("lab `a_reach.flies`", 1), ("e2e `a_life.flies`", 1), (f"e2e `{some}x`", 1),
                         ("conformance `cluster.*`, `cluster.both`", 0), ("conformance `cluster.flies`", 1),
                         ('unit `proxy/plan_test.cpp` "external addresses" (`x.y`)', 0), ('unit `proxy/plan_test.cpp` "flies"', 1),
                         ("unit `proxy/flies_test.cpp`", 1), ("not yet: unit `proxy/plan_test.cpp` decides it", 0),
                         (f"lab `{some}`, `a_reach.flies`; unit as above", 1), ("does not apply (`tests/flies.py`, x)", 1)):
        found = list(mistakes_in_cell(cell, known))
        assert len(found) == wanted, (cell, found)
    assert list(mistakes_in_conformance("`cluster.flies`\n## Explained differences\n| clusters.* | x |", known)) == [
        (1, "conformance has no scenario cluster.flies"), (3, "conformance has no scenario clusters.*")]


def main():
    known = Known()
    self_test(known)
    found = [f"docs/{name}:{number}: {what}" for name, mistakes in (
        ("acceptance.md", mistakes_in_acceptance), ("conformance.md", mistakes_in_conformance))
        for number, what in mistakes((ROOT / "docs" / name).read_text(), known)]
    print("\n".join(found) if found else "test names in docs: as they should be")
    return 1 if found else 0


sys.exit(main())
