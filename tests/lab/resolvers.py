"""UDP clients that keep their port, as resolvers do."""
import re

from lab import HERE, PYTHON, wait_until


class Resolver:
    """Asks over UDP from one port again and again; what came back is in rows."""

    def __init__(self, lab, space, address, port, source_port, period=0.2):
        self.path = lab.folder / f"resolver-{space}-{source_port}"
        self.lab, self.name = lab, f"resolver-{space}-{source_port}"
        lab.spawn(self.name, space, [PYTHON, str(HERE / "resolver.py"), address, str(port), str(source_port),
                                     str(period)], stdout=open(self.path, "w"))

    def rows(self):
        """[("10.001", "pod1", "10.1.0.14"), ("10.201", "-", "")]: when, who (- nobody), the client's address as it saw it."""
        return [tuple((line.split(" ") + [""])[:3]) for line in self.path.read_text().splitlines()]

    def wait_for(self, who, seconds=10):
        wait_until(f"{self.name} is answered by {' or '.join(who)}",
                   lambda: self.rows() and self.rows()[-1][1] in who, seconds)

    def stop(self):
        self.lab.processes[self.name].kill()
        self.lab.processes[self.name].wait()
        return self.rows()


def longest_silence(rows):
    """The most questions in a row that nobody answered."""
    return max((len(run) for run in re.findall("-+", "".join("-" if who == "-" else "a" for _, who, _ in rows))), default=0)
