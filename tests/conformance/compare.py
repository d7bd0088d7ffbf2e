"""Compares what the proxies did, cell by cell, with the table of explained differences in docs/conformance.md."""
import collections
import dataclasses
import fnmatch
import pathlib

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/conformance.md"
HEADING = "## Explained differences"
BY_CHANCE = "By chance:"  # so begins the reason of a difference that is not there in every run
COLUMNS = ["scenario", "front end", "client", "kube-proxy", "podferry", "reason"]


@dataclasses.dataclass
class Explanation:
    """A row of the table; all but the reason are patterns with * and ?."""
    patterns: list
    reason: str
    line: int
    used: int = 0

    def covers(self, words):
        return all(fnmatch.fnmatchcase(word, pattern) for word, pattern in zip(words, self.patterns))


def explanations(text):
    """The rows under the heading; ValueError names a line that is none."""
    lines = text.splitlines()
    if HEADING not in lines:
        raise ValueError(f"there is no heading '{HEADING}'")
    found, titles = [], None
    for number, line in enumerate(lines[lines.index(HEADING) + 1:], lines.index(HEADING) + 2):
        if line.startswith("## "):
            break
        if not line.startswith("|"):
            continue
        words = [word.strip().strip("`") for word in line.strip().strip("|").split("|")]
        if titles is None:
            titles = words
            if titles != COLUMNS:
                raise ValueError(f"line {number}: the columns are to be {' | '.join(COLUMNS)}")
        elif set(line) <= set("|-: "):
            continue
        elif len(words) != len(COLUMNS) or not all(words):
            raise ValueError(f"line {number}: each of the {len(COLUMNS)} columns has to say something; * is anything")
        else:
            found.append(Explanation(words[:-1], words[-1], number))
    return found


class Comparison:
    """`reference` and `ours`: outcome by cell; `third`: a column that is only shown."""

    def __init__(self, reference, ours, known, third=None):
        self.reference, self.ours, self.third = reference, ours, third or {}
        self.known = known
        self.equal, self.explained, self.unexplained = [], [], []
        for cell in ours:
            self.sort(cell)

    def sort(self, cell):
        theirs, ours = self.reference.get(cell, "not tried"), self.ours[cell]
        if theirs == ours:
            self.equal.append(cell)
            return
        words = [*cell.split(" | "), theirs, ours]
        covering = [row for row in self.known if row.covers(words)]
        for row in covering:
            row.used += 1
        (self.explained if covering else self.unexplained).append(cell)

    def stale(self):
        """Rows that no cell needed. Only of a full run can it be said that nothing needs them."""
        return [row for row in self.known if not row.used and not row.reason.startswith(BY_CHANCE)]

    # ---- what is printed --------------------------------------------------------------------------------------------
    def table(self, wanted):
        """A table for each scenario; cells of one front end whose outcomes are alike share a line."""
        lines = []
        for scenario, mine in grouped(wanted, lambda cell: cell.split(" | ")[0]).items():
            lines.append(f"{scenario}")
            rows = grouped(mine, lambda cell: (cell.split(" | ")[1], self.outcomes(cell)))
            width = [max(len(text) for text in column) for column in zip(*(
                (front, ",".join(clients(same)), *outcomes) for (front, outcomes), same in rows.items()))]
            for (front, outcomes), same in rows.items():
                words = (front, ",".join(clients(same)), *outcomes)
                titles = ("", "", "kube-proxy: ", "podferry: ", "ipvs: ")
                lines.append("    " + "   ".join(title + word.ljust(size) for title, word, size in zip(titles, words, width)).rstrip())
        return "\n".join(lines)

    def outcomes(self, cell):
        return (self.reference.get(cell, "not tried"), self.ours[cell], *([self.third.get(cell, "not tried")] if self.third else []))

    def counts(self):
        return {"cells": len(self.ours), "explained": len(self.explained), "unexplained": len(self.unexplained)}


def grouped(items, key):
    groups = collections.defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def clients(same):
    return [cell.split(" | ")[2] for cell in same]
