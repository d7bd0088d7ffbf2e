#!/usr/bin/env python3
"""A client of the conformance ring, in one network namespace. Reads cells as JSON from its standard input:
    [{"id": ..., "targets": [[PROTOCOL, ADDRESS, PORT], ...], "from": ADDRESS or null, "tries": N, "possible": N}, ...]
tries each on ever new connections, its targets in turn, and writes what happened:
    {ID: {"answers": [[WHO, SOURCE, COUNT], ...], "errors": {"refused": COUNT}, "slow": COUNT}}
PROTOCOL is tcp, udp, sctp, icmp, or health (the whole HTTP answer counts). A cell ends when all of its `possible`
answerers were seen, when nothing else can be expected, or after `tries`.
    client.py [--young N]      at most so many attempts that are younger than a moment (6)
    client.py --watch          instead: tries all targets again and again until the standard input ends"""
import argparse
import errno
import json
import pathlib
import selectors
import socket
import sys
import time

TIMEOUT = 2.2  # seconds; a lost SYN is sent again after 1 s
SLOW = 0.9
MOMENT = 0.3  # an attempt that is older is waiting, not working
CERTAIN = 6  # so many attempts without any answer, all alike, are enough
WAVE = 4
KINDS = {"tcp": (socket.SOCK_STREAM, 0), "health": (socket.SOCK_STREAM, 0), "udp": (socket.SOCK_DGRAM, 0),
         "sctp": (socket.SOCK_STREAM, 132), "icmp": (socket.SOCK_DGRAM, socket.IPPROTO_ICMP)}
REQUEST = b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
ERRORS = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPERM: "refused", errno.ETIMEDOUT: "timeout",
          errno.EAGAIN: "timeout"}
HEADERS = ("content-type", "x-content-type-options", "x-load-balancing-endpoint-weight")


class Cell:
    def __init__(self, told):
        self.id, self.targets, self.source = told["id"], told["targets"], told.get("from")
        self.tries, self.possible = told["tries"], told["possible"]
        self.begun = self.ended = self.slow = 0
        self.answers, self.errors = {}, {}

    def wants_more(self):
        """Another attempt now; in waves, so that what has come is looked at before more is asked."""
        if self.begun - self.ended >= WAVE or self.begun >= self.tries:
            return False
        return not self.is_complete()

    def is_complete(self):
        if self.ended < min(CERTAIN, self.tries):
            return False
        if not self.answers:
            return len(self.errors) == 1
        return not self.errors and len({who for who, _ in self.answers}) >= self.possible > 0

    def is_done(self):
        return self.begun == self.ended and not self.wants_more()

    def take(self, outcome, seconds):
        self.ended += 1
        kept = self.answers if isinstance(outcome, tuple) else self.errors
        kept[outcome] = kept.get(outcome, 0) + 1
        if outcome != "timeout" and seconds > SLOW:
            self.slow += 1

    def told(self):
        return {"answers": sorted([*key, count] for key, count in self.answers.items()), "errors": self.errors,
                "slow": self.slow}


class Attempt:
    def __init__(self, cell, selector):
        self.cell, self.selector, self.data = cell, selector, b""
        self.protocol, self.address, port = cell.targets[cell.begun % len(cell.targets)]
        cell.begun += 1
        self.began = time.monotonic()
        self.outcome = None
        self.is_v6 = ":" in self.address
        kind, protocol = KINDS[self.protocol]
        if self.protocol == "icmp" and self.is_v6:
            protocol = socket.IPPROTO_ICMPV6
        self.socket = socket.socket(socket.AF_INET6 if self.is_v6 else socket.AF_INET, kind, protocol)
        self.socket.setblocking(False)
        self.begin(port)

    def begin(self, port):
        try:
            if self.cell.source:
                self.socket.bind((self.cell.source, 0))
            error = self.socket.connect_ex((self.address, port))
            if error not in (0, errno.EINPROGRESS):
                raise OSError(error, "connect")
            if self.protocol in ("udp", "icmp"):
                self.socket.send(self.request())
        except OSError as error:
            self.end(name_of(error))
            return
        is_stream = self.protocol not in ("udp", "icmp")
        self.selector.register(self.socket, selectors.EVENT_WRITE if is_stream else selectors.EVENT_READ, self)

    def request(self):
        if self.protocol == "icmp":  # the kernel writes checksum and identifier
            return bytes([128 if self.is_v6 else 8, 0, 0, 0, 0, 0, 0, 1]) + b"podferry"
        return REQUEST

    def proceed(self, events):
        try:
            if events & selectors.EVENT_WRITE:
                error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, "connect")
                self.socket.send(self.request())
                self.selector.modify(self.socket, selectors.EVENT_READ, self)
                return
            part = self.socket.recv(4096)
            self.data += part
            if not part or self.protocol in ("udp", "icmp", "sctp"):
                self.end(self.answer())
        except BlockingIOError:
            return
        except OSError as error:
            self.end(name_of(error))

    def answer(self):
        if self.protocol == "icmp":
            return "echo reply", ""
        text = self.data.decode(errors="replace")
        if not text.strip():
            return "closed without an answer"
        if self.protocol == "health":
            return health_answer(text), ""
        who, _, source = text.strip().splitlines()[-1].partition(" ")
        return who, source

    def end(self, outcome):
        self.outcome = outcome
        if self.socket.fileno() in self.selector.get_map():
            self.selector.unregister(self.socket)
        self.socket.close()
        self.cell.take(outcome, time.monotonic() - self.began)


def name_of(error):
    return ERRORS.get(error.errno) or f"unreachable ({errno.errorcode.get(error.errno, error)})"


def health_answer(text):
    """Status, headers that load balancers read, and body, on one line."""
    head, _, body = text.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = sorted(line.strip() for line in lines if line.split(":")[0].lower() in HEADERS)
    return " ".join([status.split()[1], *headers, " ".join(body.split())])


class Client:
    def __init__(self, young):
        self.selector = selectors.DefaultSelector()
        self.under_way = []
        self.young = young

    def run(self, cells):
        """Until every cell is done."""
        waiting = list(cells)
        while waiting or self.under_way:
            self.begin_some(waiting)
            for key, events in self.selector.select(0.02):
                key.data.proceed(events)
            self.reap()
            waiting = [cell for cell in waiting if not cell.is_done()]

    def begin_some(self, waiting):
        moment = time.monotonic() - MOMENT
        room = self.young - sum(attempt.began > moment for attempt in self.under_way)
        for cell in waiting:
            while room > 0 and cell.wants_more():
                attempt = Attempt(cell, self.selector)
                if attempt.outcome is None:
                    self.under_way.append(attempt)
                room -= 1
            if room <= 0:
                break

    def reap(self):
        limit = time.monotonic() - TIMEOUT
        for attempt in self.under_way:
            if attempt.outcome is None and attempt.began < limit:
                attempt.end("timeout")
        self.under_way = [attempt for attempt in self.under_way if attempt.outcome is None]

    def watch(self, cells):
        """The same again and again, one attempt for each cell in a round, until the standard input ends."""
        with selectors.DefaultSelector() as told:
            told.register(sys.stdin, selectors.EVENT_READ)
            while not told.select(0):
                for cell in cells:
                    if cell.begun - cell.ended < WAVE:
                        attempt = Attempt(cell, self.selector)
                        self.under_way += [attempt] if attempt.outcome is None else []
                for key, events in self.selector.select(0.05):
                    key.data.proceed(events)
                self.reap()
                time.sleep(0.02)  # a steady rate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--young", type=int, default=6)
    parser.add_argument("--watch", action="store_true")
    args = parser.parse_args()
    pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 0\n")
    cells = [Cell(told) for told in json.loads(sys.stdin.readline())]
    client = Client(args.young)
    client.watch(cells) if args.watch else client.run(cells)
    print(json.dumps({cell.id: cell.told() for cell in cells}))


if __name__ == "__main__":
    main()
