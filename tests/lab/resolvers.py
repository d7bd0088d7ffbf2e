"""UDP clients that keep their port, as resolvers do."""
import re
import socket
import time

from lab import wait_until


def ask_again_and_again(address, port, source_port, period):
    """For ever; prints a line for each question: "10.001 pod1 10.1.0.14" (when, who answered, our address as it saw it), or
    "10.201 -" when nobody has answered by the next one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    start = time.monotonic()
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", source_port))
        while True:
            asked = time.monotonic()
            answer = "-"
            try:  # not connected: a refusal is no reason to stop
                client.sendto(b"?", (address, port))
                client.settimeout(period)
                answer = client.recv(4096).decode().strip()
            except OSError:
                pass
            print(f"{asked - start:.3f} {answer}", flush=True)
            time.sleep(max(0.0, asked + period - time.monotonic()))


class Resolver:
    """Asks over UDP from one port again and again; what came back is in rows."""

    def __init__(self, lab, space, address, port, source_port, period=0.2):
        self.path = lab.folder / f"resolver-{space}-{source_port}"
        self.lab, self.name = lab, f"resolver-{space}-{source_port}"
        lab.fork(self.name, space, lambda: ask_again_and_again(address, port, source_port, period), self.path)

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
