#!/usr/bin/env python3
"""The ring's part inside the virtual machine: each proxy in turn serves the same objects, and every cell is tried.
    run.py --cluster=FILE --proxies=nftables,podferry [--ci] [NAME...]"""
import argparse
import collections
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lab"), str(HERE.parent / "e2e")]

from model import CLIENT_SPACE, LATE_IP  # noqa: E402
from proxies import PROXIES  # noqa: E402
from scenarios import CLEAN_UP, SCENARIOS, cells, chosen  # noqa: E402
from world import World  # noqa: E402

LATE_WITHIN = 8  # seconds for a new address of the node to be served
SEEN_WITHIN = 4  # seconds: longer than an attempt that began too early
NOISY = 3  # young attempts of each client; six or so clients run at once


def by_space(wanted):
    spaces = collections.defaultdict(list)
    for cell in wanted:
        spaces[CLIENT_SPACE[cell.client]].append(cell)
    return spaces


class Trial:
    """One proxy."""

    def __init__(self, world, proxy, all_cells):
        self.world, self.proxy = world, proxy
        self.cells = {when: [cell for cell in all_cells if cell.ask.when == when] for when in ("start", "main", "late")}
        self.found = {}

    def run(self):
        watchers = {space: self.world.start_client(space, mine, "--watch") for space, mine in by_space(self.cells["start"]).items()}
        took = self.proxy.start_and_wait()
        print(f"      {self.proxy.title}: complete after {took:.1f} s", flush=True)
        if watchers:
            time.sleep(SEEN_WITHIN)  # what they see of the complete proxy belongs to it
        for watcher in watchers.values():
            self.found |= self.world.finish_client(watcher)  # closing its input ends it
        began = time.monotonic()
        self.try_all(self.cells["main"])
        again = [cell for cell in self.cells["main"] if cell.is_doubtful(self.found[cell.id])]
        print(f"      {self.proxy.title}: {len(self.cells['main'])} cells tried in {time.monotonic() - began:.1f} s, "
              f"{len(again)} are looked at again", flush=True)
        self.try_all(again, "--young=1")
        tried = time.monotonic() - began
        self.proxy.check_words()
        self.try_late()
        results = {cell.id: cell.outcome(self.found[cell.id]) for when in self.cells.values() for cell in when}
        for cell in self.cells["start"]:  # what comes before the first answer depends on the machine
            results[cell.id] = cell.outcome(self.found[cell.id] | {"errors": {}, "slow": 0})
        results[CLEAN_UP] = self.proxy.stop_and_clean()
        attempts = sum(count for told in self.found.values() for *_, count in told["answers"])
        print(f"ok    {self.proxy.title}: {len(results)} cells, {attempts} answers in {tried:.1f} s", flush=True)
        return results

    def try_all(self, wanted, *options):
        """Every client at once."""
        clients = [self.world.start_client(space, mine, *(options or (f"--young={NOISY}",)))
                   for space, mine in by_space(wanted).items()]
        for client in clients:
            self.found |= self.world.finish_client(client)

    def try_late(self):
        """After the node got one more address: until it is served, or the time is up."""
        if not self.cells["late"]:
            return
        self.world.change_address("add", LATE_IP)
        deadline = time.monotonic() + LATE_WITHIN
        while True:
            self.try_all(self.cells["late"])
            if time.monotonic() > deadline or all(self.found[cell.id]["answers"] for cell in self.cells["late"]):
                break
        self.world.change_address("del", LATE_IP)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--proxies", required=True)
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    rows = chosen(args.names, args.ci)
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy", "sctp"], check=False)
    began = time.monotonic()
    with World(args.cluster) as world:
        world.give_to_balancer(row.address("lb", family) for row in SCENARIOS if row.ip_mode == "Proxy" for family in row.families)
        print(f"      the network is there after {time.monotonic() - began:.1f} s", flush=True)
        try:
            for title in args.proxies.split(","):
                proxy = PROXIES[title](world, world.host["programs"])
                world.keep(title=title, outcomes=Trial(world, proxy, list(cells(rows).values())).run())
        except Exception:
            print(world.describe(), flush=True)
            for path in world.folder.glob("*.log"):
                print(f"---- {path.name}\n{path.read_text()[-3000:]}", flush=True)
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
