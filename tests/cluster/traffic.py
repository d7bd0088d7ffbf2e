#!/usr/bin/env python3
"""Servers and clients of the scenarios, in pods and outside.

    traffic.py serve                                               TCP and UDP port 8080: answers with its host's name
    traffic.py load RATE HELD QUESTIONS HOST:PORT[,HOST:PORT...]   RATE requests and QUESTIONS datagrams a second, and HELD connections that
                                                                   say something each second; without an end

A client prints what became of all, each second, as JSON: totals since it began. A request has 5 s, an answer on a held connection too; a
datagram is asked anew after 1 s, three times in all, as a resolver does."""
import asyncio
import collections
import json
import socket
import sys
import time

PORT = 8080
PATIENCE = 5
SLOW = 0.9  # seconds; longer: a packet was lost, and sent anew
TRIES = 3
KEPT = 20  # failures that are told one by one


class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.held = False

    def data_received(self, data):
        if self.held:
            self.transport.write(data)
            return
        self.transport.write(NAME)
        self.held = data.startswith(b"HOLD")
        if not self.held:
            self.transport.close()


class DatagramServer(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, _, client):
        self.transport.sendto(NAME, client)


class Totals:
    """Of all that was asked for and has ended."""

    def __init__(self):
        self.counts = collections.Counter(requests=0, failed=0, slow=0, held=0, ended=0, questions=0, unanswered=0)
        self.began = time.time()
        self.failures = []
        self.servers = collections.Counter()

    def lost(self, what, target, error):
        self.counts[what] += 1
        if len(self.failures) < KEPT:
            self.failures.append(f"{time.time():.3f} {what}: {target[0]}:{target[1]}: {type(error).__name__} {error}")

    def line(self):
        return json.dumps({"seconds": round(time.time() - self.began, 3), **self.counts, "failures": self.failures, "servers": self.servers})


async def request(totals, target):
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*target)
            writer.write(b"GET")
            answer = await reader.read(200)
        writer.close()
        if not answer:
            raise ConnectionError("closed without an answer")
        totals.servers[answer.decode()] += 1
        totals.counts["slow"] += time.monotonic() - began > SLOW
    except (OSError, asyncio.TimeoutError) as error:
        totals.lost("failed", target, error)
    totals.counts["requests"] += 1


async def hold(totals, target):
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*target)
            writer.write(b"HOLD")
            await reader.read(200)
        totals.counts["held"] += 1
        while True:
            writer.write(b"ping")
            async with asyncio.timeout(PATIENCE):
                if not await reader.read(200):
                    raise ConnectionError("closed")
            await asyncio.sleep(1)
    except (OSError, asyncio.TimeoutError) as error:
        totals.lost("ended", target, error)


class Question(asyncio.DatagramProtocol):
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, _):
        if not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, _):
        """Port unreachable: it is asked anew all the same."""


async def question(totals, target):
    try:
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Question, remote_addr=target)
        try:
            for _ in range(TRIES):
                transport.sendto(b"who")
                if (await asyncio.wait([protocol.answer], timeout=1))[0]:
                    break
            else:
                raise TimeoutError(f"no answer to {TRIES}")
        finally:
            transport.close()
    except OSError as error:
        totals.lost("unanswered", target, error)
    totals.counts["questions"] += 1


async def at_a_rate(work, totals, rate, targets):
    """All of them at their time, whatever became of those before."""
    began, running = time.monotonic(), set()
    number = 0
    while rate > 0:
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        task = asyncio.create_task(work(totals, targets[number % len(targets)]))
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1


async def load(rate, held, questions, targets):
    totals = Totals()
    tasks = [asyncio.create_task(hold(totals, targets[number % len(targets)])) for number in range(held)]
    tasks += [asyncio.create_task(at_a_rate(request, totals, rate, targets)), asyncio.create_task(at_a_rate(question, totals, questions, targets))]
    while True:
        await asyncio.sleep(1)
        print(totals.line(), flush=True)


async def serve():
    loop = asyncio.get_running_loop()
    await loop.create_server(Server, "0.0.0.0", PORT, backlog=1024)
    await loop.create_datagram_endpoint(DatagramServer, local_addr=("0.0.0.0", PORT))
    print("serving", flush=True)
    await asyncio.Event().wait()


def main():
    if sys.argv[1] == "serve":
        return serve()
    rate, held, questions = float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    targets = [(host, int(port)) for host, _, port in (each.rpartition(":") for each in sys.argv[5].split(","))]
    return load(rate, held, questions, targets)


NAME = socket.gethostname().encode()
if __name__ == "__main__":
    asyncio.run(main())
