#!/usr/bin/env python3
"""Proves the judging part of the ring, without a machine: that a difference is seen, named alike whatever order or chance
made of it, and only explained by a row that says so. Runs before each measurement."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from client import Cell as Tried  # noqa: E402
from compare import DOCUMENT, HEADING, Comparison, explanations  # noqa: E402
from model import endpoint  # noqa: E402
from scenarios import SCENARIOS, cells  # noqa: E402

HEAD = f"{HEADING}\n\n| scenario | front end | client | kube-proxy | podferry | reason |\n|---|---|---|---|---|---|\n"
CELL = "ping | LB/v4:ping | pod"


def told(*answers, slow=0, **errors):
    return {"answers": list(answers), "errors": errors, "slow": slow}


def it_names_an_outcome_without_addresses_order_or_chance():
    row = next(row for row in SCENARIOS if row.name == "cluster.both")
    cell = cells([row])["cluster.both | ClusterIP/v4 | pod"]
    vip = row.address("cluster", 4)
    for wanted, given in (
            ("p1,r1 from own", told(["r1", "10.1.0.14", 3], ["p1", "10.1.0.14", 9])),
            ("p1 from node,own", told(["p1", "10.1.0.1", 1], ["p1", "10.1.0.14", 1])),
            ("p1 from vip", told(["p1", vip, 1])), ("p1 from 10.9.9.9", told(["p1", "10.9.9.9", 1])),
            ("refused", told(refused=6)), ("refused + late", told(refused=6, slow=6)), ("timeout", told(timeout=6)),
            ("p1 from own + timeout", told(["p1", "10.1.0.14", 3], timeout=3)), ("nothing", told())):
        assert cell.outcome(given) == wanted, (cell.outcome(given), wanted)


def it_counts_pods_where_names_are_chance():
    row = next(row for row in SCENARIOS if row.name == "affinity.cluster-ip")
    cell = next(iter(cells([row]).values()))
    assert cell.outcome(told(["p1", "10.1.0.14", 9])) == "one pod from own"
    assert cell.outcome(told(["p1", "10.1.0.14", 9], ["r1", "10.1.0.14", 9])) == "several pods from own"


def it_tries_until_nothing_else_can_be_expected():
    for possible, outcomes, wanted in ((2, [("p1", "a")] * 99, 20), (2, [("p1", "a"), ("r1", "a")] * 10, 6), (2, ["timeout"] * 99, 6),
                                       (1, [("p1", "a")] * 99, 6), (2, ["timeout", ("p1", "a")] * 50, 20)):
        cell = Tried({"id": "x", "targets": [], "tries": 20, "possible": possible})
        while not cell.is_done():
            cell.begun += 1
            cell.take(outcomes[cell.ended], 0.01)
        assert cell.ended == wanted, (possible, outcomes[:3], cell.ended)


def it_explains_only_what_a_row_says():
    known = explanations(HEAD + "| ping* | LB/* | * | refused | echo* | people ping |\n")
    for theirs, ours, wanted in (("refused", "echo reply", (0, 1, 0)), ("timeout", "echo reply", (0, 0, 1)), ("timeout", "timeout", (1, 0, 0)),
                                 ("refused", "timeout", (0, 0, 1))):
        found = Comparison({CELL: theirs}, {CELL: ours}, known)
        assert (len(found.equal), len(found.explained), len(found.unexplained)) == wanted, (theirs, ours)
    assert Comparison({}, {CELL: "refused"}, []).unexplained == [CELL], "what the reference has not tried is a difference"


def it_reports_rows_that_nothing_needs():
    known = explanations(HEAD + "| ping | * | * | refused | echo reply | a |\n| pong | * | * | * | * | b |\n"
                                "| pang | * | * | * | * | By chance: c |\n")
    found = Comparison({CELL: "refused"}, {CELL: "echo reply"}, known)
    assert [row.reason for row in found.stale()] == ["b"]


def it_refuses_a_table_that_it_cannot_read():
    for text, wanted in (("# no table", "no heading"), (HEADING + "\n\n| a | b |\n", "columns"), (HEAD + "| a | b | c | d | e |\n", "6 columns"),
                         (HEAD + "| a | b | c | d | e |  |\n", "6 columns")):
        try:
            explanations(text)
        except ValueError as error:
            assert wanted in str(error), (text, error)
        else:
            raise AssertionError(f"was taken: {text}")


def it_reads_endpoints_as_they_are_written():
    made = endpoint("r1/terminating/zone=zone-b/node=node2", 6)
    assert made["nodeName"] == "node2" and made["addresses"] == ["fd00:1::1:11"]
    assert made["conditions"] == {"ready": False, "serving": True, "terminating": True}
    assert made["hints"] == {"forZones": [{"name": "zone-b"}], "forNodes": [{"name": "node2"}]}


def it_has_what_issues_ask_of_it():
    assert len(cells(SCENARIOS)) >= 400
    assert {row.shows for row in SCENARIOS} >= {f"D{number}" for number in range(1, 9)}, "each known deviation has a scenario"
    explanations(DOCUMENT.read_text())


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("it_"):
            check()
