"""What the load of a while says: how much was asked for, and what was lost."""
import collections
import time

from cluster import wait_until
from lab import Failure
from pace import stretched
from traffic import PATIENCE

COUNTS = ("requests", "failed", "slow", "ended", "questions", "unanswered")
Lost = collections.namedtuple("Lost", "requests connections datagrams")
LOADS = [(300, 90, 15), (60, 60, 9), (21, 30, 3)]  # requests a second, held connections, datagrams a second
LEAST = 0.5  # of the rate that was wanted; less shows too little


def calm_load(cluster):
    """Starts the largest load of which this machine loses nothing while nothing is done; returns its requests a second. A busy machine shows the
    same with less, and says so."""
    for rate, held, questions in LOADS:
        cluster.start_load(rate, held, questions)
        try:
            if sum(Watch(cluster, rate).end(f"{rate} a second, nothing is done")) == 0:
                return rate
        except Failure as error:
            print(f"      {error}", flush=True)
        cluster.stop_load()
    raise Failure("this machine loses requests while nothing is done")


class Watch:
    """Of the clients of `Cluster.start_load`, from now on."""

    def __init__(self, cluster, rate):
        self.cluster, self.rate = cluster, rate
        self.begin = self.settled()

    def settled(self):
        """The totals, once all that has been asked until now has ended."""
        enough = time.monotonic() + stretched(PATIENCE) + 2
        wait_until("what was asked has ended", lambda: time.monotonic() > enough, PATIENCE + 10)
        return self.cluster.load()

    def end(self, what):
        """Prints a line for people; returns what was lost."""
        end = self.settled()
        totals = {count: sum(end[name][count] - self.begin[name][count] for name in end) for count in COUNTS}
        seconds = max(end[name]["seconds"] - self.begin[name]["seconds"] for name in end)
        held = sum(end[name]["held"] for name in end)
        reached = totals["requests"] / seconds
        lost = Lost(totals["failed"], totals["ended"], totals["unanswered"])
        print(f"      {what}: {seconds:.0f} s, {totals['requests']} requests ({reached:.0f} a second): {totals['failed']} failed, {totals['slow']} with a packet sent "
              f"anew; of {held} held connections {totals['ended']} ended; of {totals['questions']} datagrams {totals['unanswered']} unanswered", flush=True)
        for name in end:
            for failure in end[name]["failures"]:
                if failure not in self.begin[name]["failures"]:
                    print(f"        {name} {failure}", flush=True)
        if reached < LEAST * self.rate:
            raise Failure(f"{what}: only {reached:.0f} of {self.rate} requests a second could be made: nothing has been shown")
        return lost
