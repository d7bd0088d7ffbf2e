"""What a world has left in the kernel when everything else of it has ended, and how many connections a second it carries."""
import pathlib
import subprocess

from lab import run


def inside(space, *command):
    return ["ip", "netns", "exec", space, *command]


class KeptWorld:
    """The network namespaces `spaces` of `lab`, by a second name, "pod1-NAME", by which they live on; in pod1 something takes
    connections at each (address, port) of `listens`."""

    def __init__(self, lab, name, spaces, listens):
        self.name, self.spaces = name, spaces
        for space in spaces:
            path = pathlib.Path("/run/netns") / self.of(space)
            path.touch()
            run(["mount", "--bind", f"/run/netns/{space}", str(path)])
        self.listeners = [subprocess.Popen(inside(self.of("pod1"), "bench-connect", "listen", address, str(port)))
                          for address, port in listens]

    def of(self, space):
        return f"{space}-{self.name}"

    def connect(self, space, address, port, seconds, check=True):
        """What bench-connect says: connections a second."""
        return run(inside(self.of(space), "bench-connect", address, str(port), str(seconds)), check)

    def answers(self, space, address, port):
        return "bench-connect" not in self.connect(space, address, port, 0.05, check=False)

    def end(self):
        for listener in self.listeners:
            listener.kill()
            listener.wait()
        for space in self.spaces:
            run(["ip", "netns", "del", self.of(space)], check=False)


def rates_in_turns(worlds, turns, connect):
    """Connections a second of each turn, by the world's name: a machine that grows slower or quicker favours none. Of several
    turns the best counts: what disturbs one can only make it slower. `connect` is given a world."""
    rates = {world.name: [] for world in worlds}
    for _turn in range(turns):
        for world in worlds:
            rates[world.name].append(float(connect(world)))
    return rates
