"""A Deployment whose pods are exchanged under load, and its clients."""
import collections
import time

from lab import HERE, PATIENCE, PYTHON, Failure, check_rate, failures, wait_until
from manifests import pod
from pod_servers import PodServers
from resolvers import Resolver, longest_silence

GRACE = 2  # seconds for which a terminating pod goes on serving; it ends then, whatever the proxy has done
CLIENTS = 4  # pod1 to pod4 of the lab
SPARE = 4  # addresses more than pods: one that has ended is used again only after some others


class Rollout:
    """`size` pods; `step` at a time are replaced as with maxSurge: the new ones are ready first, then the old ones are deleted.
    `services`: the manifests of the Services that select them (app: web)."""

    def __init__(self, lab, services, size, step):
        self.lab, self.services, self.size, self.step = lab, services, size, step
        self.servers = lab.processes["servers"] = PodServers()
        numbers = range(CLIENTS + 1, CLIENTS + 1 + size + step + SPARE)
        lab.make_pods(numbers)
        self.free = collections.deque(numbers)
        self.running = {}  # by the pod's name: its number
        self.ended = {}  # by the pod's name: when its program ended
        self.made = 0
        self.start(size)
        self.write([])

    def start(self, count):
        for _ in range(count):
            name, number = f"{self.made:02}", self.free.popleft()
            self.servers.open(name, f"pod{number}")
            self.running[name] = number
            self.made += 1

    def write(self, terminating):
        """The cluster's objects."""
        self.lab.write("web.yaml", self.services + "".join(
            pod(number, probe=None, terminating=name in terminating).replace(f"name: web-{number},", f"name: web-{name},")
            for name, number in self.running.items()))

    def roll(self):
        """Exchanges all pods. Nothing waits for podferry, as nothing in a cluster does."""
        for _ in range(0, self.size, self.step):
            old = list(self.running)[:self.step]
            self.start(self.step)
            self.write(old)
            deleted = time.monotonic()
            wait_until("the grace period is over", lambda: time.monotonic() - deleted > GRACE, GRACE + 1)
            for name in old:
                self.servers.close(name)
                self.ended[name] = time.monotonic()
                self.free.append(self.running.pop(name))
        self.write([])

    def wait_until_all_serve(self, address, port, protocol="t"):
        places = {f"pod{number}" for number in self.running.values()}
        wait_until(f"all pods are behind {address}", lambda: {
            name for name, weight in self.lab.weights(address, port, protocol).items() if weight} == places, 20)


class Keepers:
    """Long-lived connections, on which something is said twice a second (keepers.py)."""

    def __init__(self, lab, space, address, port, count):
        self.path, self.count = lab.folder / "keepers", count
        lab.spawn("keepers", space, [PYTHON, str(HERE / "keepers.py"), address, str(port), str(count)], stdout=open(self.path, "w"))
        wait_until("all connections are open", lambda: len(self.open()) == count, 60)

    def lines(self):
        return [line.split(" ", 2) for line in self.path.read_text().splitlines()]

    def open(self):
        return [who for who, *rest in self.lines() if rest == ["open"]]

    def ends(self):
        """[("07", 12345.678, "closed")]: pod, when, how."""
        return [(who, float(rest[0]), rest[1]) for who, *rest in self.lines() if rest != ["open"]]

    def judge(self, ended):
        """Each has lived until its pod ended, and has heard of that. `ended`: by pod, when."""
        wait_until("the connections to ended pods have ended", lambda: len(self.ends()) == self.count, 10)
        wrong = [end for end in self.ends() if end[0] not in ended or end[1] < ended[end[0]] - 0.1 or "no answer" in end[2]]
        if wrong:
            raise Failure(f"{len(wrong)} of {self.count} connections ended before their pods: {wrong[:3]}, {ended}")
        return max(when - ended[who] for who, when, _ in self.ends())


def start_load(rollout, space, address, port, rate, name="load"):
    """Returns when all pods have answered."""
    lab, pods = rollout.lab, set(rollout.running)
    lab.load(space, address, port, rate, 120, name)
    wait_until("all pods have answered", lambda: {row["who"] for row in lab.load_rows(name)} >= pods, 20)


def stop_load(lab, name="load"):
    """Ends it when what was asked until now has been answered or given up: what is open then says nothing."""
    def last():  # load_rows reads too much to be asked again and again
        return float((lab.folder / name).read_text().rstrip().rsplit("\n", 1)[-1].split(" ")[0])

    asked = last()
    wait_until("all requests have ended", lambda: last() > asked + PATIENCE + 0.5, 20)
    return lab.stop_load(name)


def judge_load(rows, rate, pods):
    """None fails, at nearly the rate on a quiet machine and at half of it on any, and all pods have answered. Returns a
    line for people: it says which rate was shown."""
    failed = failures(rows)
    reached = check_rate(rows, rate, at_least=0.5)
    if failed:
        raise Failure(f"{len(failed)} of {len(rows)} requests failed: {failed[:3]}")
    if {row["who"] for row in rows} != pods:
        raise Failure(f"not all pods have answered: {sorted({row['who'] for row in rows})}, not {sorted(pods)}")
    return f"{len(rows)} requests at {reached:.0f} a second, none failed"


def start_resolvers(lab, targets):
    """One client for each (space, address, port, its own port), at half a second; returns when all are answered."""
    resolvers = [Resolver(lab, *target, period=0.5) for target in targets]
    for resolver in resolvers:
        wait_until(f"{resolver.name} is answered", lambda: resolver.rows() and resolver.rows()[-1][1] != "-", 20)
    return resolvers


def judge_resolvers(resolvers, running):
    """No one has waited for more than a retry; all have come to pods that run. Returns the longest silence, in questions."""
    rows = {resolver.name: resolver.stop() for resolver in resolvers}
    for name, its in rows.items():
        if longest_silence(its) > 1 or its[-1][1] not in running or len({who for _, who, _ in its} - {"-"}) < 2:
            raise Failure(f"{name}: {its}")
    return max(longest_silence(its) for its in rows.values())
