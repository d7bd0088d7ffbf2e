#!/usr/bin/env python3
"""The conformance ring: the same objects served by the real kube-proxy (nftables mode, the reference) and by podferry; what
clients see of it is compared, cell by cell. docs/conformance.md describes it and explains the differences that there are.

    conformance.py [--list] [--ci] [--with-ipvs | --without-ipvs] [--reference FILE | --judge FILE] [--prepare COMMAND] [NAME...]

Runs all scenarios or those whose names begin with NAME. kube-proxy's ipvs mode is measured too when all of them run.
What was measured is kept in build/conformance.json: such a file, given as --reference, spares measuring kube-proxy again; --judge only compares what is in it.
"""
import argparse
import concurrent.futures
import http.client
import json
import pathlib
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import build  # noqa: E402
from api import Api  # noqa: E402
from chart import apply_rights  # noqa: E402
from compare import DOCUMENT, Comparison, explanations  # noqa: E402
from control_plane import ControlPlane  # noqa: E402
from control_server import ControlServer  # noqa: E402
from e2e import describe  # noqa: E402
from model import NAMESPACE  # noqa: E402
from scenarios import CANARY, CLEAN_UP, SCENARIOS, cells, chosen  # noqa: E402

VM = HERE.parent / "lab/vm.py"
KEPT = HERE.parents[1] / "build/conformance.json"
LIMITS = {"full": 3600, "part": 1200}  # seconds for the virtual machine
WRITERS = 6


def populate(plane, rows):
    """Writes all objects; each scenario's Service before its slices and its status."""
    trust = ssl.create_default_context(cafile=plane.certificates.ca)

    def connect(timeout):
        return http.client.HTTPSConnection("127.0.0.1", plane.api_port, timeout=timeout, context=trust)

    api = Api(connect, plane.admin_token)
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})

    def write(row):
        api.create(*row.objects())
        if row.status():
            api.patch("Service", row.service_name(), row.status(), NAMESPACE, part="status")

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as threads:
        for row, result in [(row, threads.submit(write, row)) for row in rows]:
            try:
                result.result()
            except Exception as error:
                sys.exit(f"the objects of scenario {row.name} cannot be written: {error}")


def measure(args, proxies, rows, given):
    """Outcomes by proxy, of those that could be measured; kept as each comes in, beside those that were given."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="podferry-conformance-"))
    results = dict(given)

    def keep(title, outcomes):
        results[title] = outcomes
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(results, indent=1, sort_keys=True))

    try:
        with ControlPlane(folder, build.control_plane()) as plane:
            server = ControlServer(plane)
            server.verbs["keep"] = keep
            with server:
                apply_rights(plane)
                populate(plane, [*rows, CANARY])
                options = [f"--cluster={describe(plane, server)}", f"--proxies={','.join(proxies)}", *(["--ci"] if args.ci else [])]
                run_in_guest([*args.prepare, shlex.join([sys.executable, f"{HERE}/run.py", *options, *args.names])],
                             LIMITS["full" if len(rows) == len(SCENARIOS) else "part"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def run_in_guest(commands, limit):
    machine = subprocess.Popen([sys.executable, str(VM), "--network", f"--timeout={limit}", "--memory=3072", " && ".join(commands)])
    try:
        return machine.wait()
    finally:
        if machine.poll() is None:
            machine.terminate()
            machine.wait()


def report(comparison, is_full, show_explained):
    """Prints it; the exit status."""
    if show_explained and comparison.explained:
        print("\n==== explained differences\n" + comparison.table(comparison.explained))
    if comparison.unexplained:
        print("\n==== unexplained differences\n" + comparison.table(comparison.unexplained))
    for row in comparison.stale() if is_full else []:
        print(f"stale: {DOCUMENT.name}:{row.line} explains a difference that is not there: {' | '.join(row.patterns)}")
    print()
    for name, count in comparison.counts().items():
        print(f"figure conformance_{name} {count}")
    failed = len(comparison.unexplained)
    print(f"conformance: {len(comparison.ours) - failed} passed, {failed} failed")
    return 1 if failed else 0


def show_list(rows):
    for row in rows:
        told = row.endpoints if isinstance(row.endpoints, str) else "; ".join(words for words, _ in row.endpoints)
        print(f"{row.name:45} {len(row.cells()):4} cells  {row.shows:3} {'ci' if row.ci else '  '}  {' '.join(row.fronts)}: {told or 'no endpoints'}")
    print(f"{len(rows)} scenarios, {len(cells(rows))} cells, and whether each proxy's clean-up leaves nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--ci", action="store_true", help="the subset that CI runs, without ipvs mode")
    parser.add_argument("--with-ipvs", action="store_true", help="kube-proxy's ipvs mode too, although not all scenarios run")
    parser.add_argument("--without-ipvs", action="store_true")
    parser.add_argument("--reference", type=pathlib.Path, help="kube-proxy's results from this file")
    parser.add_argument("--judge", type=pathlib.Path, help="measure nothing: all results from this file")
    parser.add_argument("--explained", action="store_true", help="show the explained differences too")
    parser.add_argument("--prepare", action="append", default=[])
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows = chosen(args.names, args.ci)
    if not rows:
        sys.exit(f"no scenario is called {' or '.join(args.names)}; --list shows them")
    if args.list:
        return show_list(rows)
    return compare(args, rows)


def compare(args, rows):
    is_full = len(rows) == len(SCENARIOS)
    known = explanations(DOCUMENT.read_text())  # a mistake in it shows before anything is measured
    results = recorded(args.judge, ["nftables", "podferry"], rows) if args.judge else measured(args, rows, is_full)
    ours = {cell: results["podferry"][cell] for cell in [*cells(rows), CLEAN_UP]}
    return report(Comparison(results["nftables"], ours, known, results.get("ipvs")), is_full, args.explained)


def recorded(path, titles, rows):
    """Results of an earlier run, which must have all cells."""
    found = json.loads(path.read_text())
    for title in titles:
        missing = [row.name for row in rows if not found.get(title, {}).keys() >= cells([row]).keys()]
        if missing:
            sys.exit(f"{path} has not all cells of {title} for {' '.join(missing)}: measure them anew")
    return found


def measured(args, rows, is_full):
    """Fresh results, kept for later; of kube-proxy the given ones, if so."""
    given = recorded(args.reference, ["nftables"], rows) if args.reference else {}
    with_ipvs = (is_full or args.with_ipvs) and not args.without_ipvs
    titles = ["podferry"] if given else ["nftables", "podferry", *(["ipvs"] if with_ipvs else [])]
    given = {title: given[title] for title in ("nftables", "ipvs") if title in given}
    results = measure(args, titles, rows, given)
    lacking = [title for title in titles if title not in results]
    if lacking:
        sys.exit(f"there are no results of {' and '.join(lacking)}: see above")
    return results


if __name__ == "__main__":
    sys.exit(main())
