"""What the load of a while says: how much was asked for, and what was lost."""
import collections
import time

import network
from cluster import wait_until
from lab import Failure
from pace import stretched
from traffic import PATIENCE

COUNTS = ("requests", "failed", "slow", "ended", "questions", "unanswered")
Lost = collections.namedtuple("Lost", "requests connections datagrams")
LOADS = [(300, 90, 15), (120, 90, 9), (60, 90, 6), (21, 30, 3)]  # requests a second, held connections, datagrams a second
LEAST_IDLE = 0.4  # of a node's processor: it has containers to start too, under the same load
LEAST = 0.5  # of the rate that was wanted; less shows too little


def calm_load(cluster):
    """Starts the largest load of which the nodes lose nothing while nothing is done, with time left, or the smallest; returns its requests
    a second. A busy machine shows the same with less, and says so."""
    for rate, held, questions in LOADS:
        cluster.start_load(rate, held, questions)
        try:
            watch = Watch(cluster, rate)
            if sum(watch.end(f"{rate} a second, nothing is done")) == 0 and (watch.idle >= LEAST_IDLE or rate == LOADS[-1][0]):
                return rate
        except Failure as error:
            print(f"      {error}", flush=True)
        cluster.stop_load()
    raise Failure("this machine loses requests while nothing is done")


class Watch:
    """Of the clients of `Cluster.start_load`, from now on. `idle`, once it has ended: what the busiest node had left of its processor, 0 to 1."""

    def __init__(self, cluster, rate):
        self.cluster, self.rate, self.idle = cluster, rate, None
        self.begin = self.settled()
        self.clocks = self.processors()

    def processors(self):
        """Of each node: time until now, and idle time of it, in ticks (/proc/stat)."""
        ticks = [[int(word) for word in self.cluster.on(node, "head -n 1 /proc/stat").split()[1:]] for node in network.NODES]
        return [(sum(of), of[3]) for of in ticks]

    def settled(self):
        """The totals, once all that has been asked until now has ended."""
        enough = time.monotonic() + stretched(PATIENCE) + 2
        wait_until("what was asked has ended", lambda: time.monotonic() > enough, PATIENCE + 10)
        return self.cluster.load()

    def end(self, what):
        """Prints a line for people; returns what was lost."""
        end = self.settled()
        self.idle = min((idle - idle_before) / max(1, total - before) for (total, idle), (before, idle_before) in zip(self.processors(), self.clocks))
        totals = {count: sum(end[name][count] - self.begin[name][count] for name in end) for count in COUNTS}
        seconds = max(end[name]["seconds"] - self.begin[name]["seconds"] for name in end)
        held = sum(end[name]["held"] for name in end)
        reached = totals["requests"] / seconds
        lost = Lost(totals["failed"], totals["ended"], totals["unanswered"])
        print(f"      {what}: {seconds:.0f} s, {totals['requests']} requests ({reached:.0f} a second): {totals['failed']} failed, {totals['slow']} with a packet sent "
              f"anew; of {held} held connections {totals['ended']} ended; of {totals['questions']} datagrams {totals['unanswered']} unanswered; nodes {self.idle:.0%} idle", flush=True)
        for name in end:
            for failure in end[name]["failures"]:
                if failure not in self.begin[name]["failures"]:
                    print(f"        {name} {failure}", flush=True)
        if reached < LEAST * self.rate:
            raise Failure(f"{what}: only {reached:.0f} of {self.rate} requests a second could be made: nothing has been shown")
        return lost
