"""A proxy in front of the API server that spoils what passes, at random but repeatably: the outages of a bad week in
five minutes. Requests are forwarded with their Authorization header; answers, endless watches too, as they come.

    chaos = ChaosProxy(upstream_port, ca_file, cert_file, key_file, seed)
    port = chaos.start()      on 127.0.0.1, TLS with the given certificate
    chaos.calm = True         from now on it forwards faithfully, and what it holds back it lets go
    chaos.counters            what it has done
    chaos.stop()
"""
import asyncio
import contextlib
import json
import random
import socket
import ssl
import struct
import threading
import time

# What becomes of a request, and how often in each shuffled deck: nothing is left to chance but the order.
DECK = {"forward": 5, "delay": 4, "cut": 4, "reset": 3, "truncate": 3, "429": 2, "500": 2, "503": 2, "black_hole": 1}
REASONS = {"429": "TooManyRequests", "500": "InternalError", "503": "ServiceUnavailable"}
ENDINGS = {"cut": "cuts", "reset": "resets", "black_hole": "black_holes"}
COUNTERS = ["connections", "requests", "delays", "truncations", *ENDINGS.values(), *(f"answered_{code}" for code in REASONS)]
MEAN_LIFE_S = 8.0          # of an answer that does not end by itself: then it is cut
BLACK_HOLE_S = (5.0, 20.0)
LARGEST_HEAD = 1 << 16
OWN_HEADERS = {"connection", "keep-alive", "content-length", "transfer-encoding", "expect"}  # of one connection or one body
FAILURES = (OSError, EOFError, asyncio.LimitOverrunError, ValueError)


class Ended(Exception):
    """The client's connection ends here."""


class ChaosProxy:
    def __init__(self, upstream_port, ca_file, cert_file, key_file, seed):
        self.upstream_port = upstream_port
        self.random = random.Random(seed)
        self.calm = False
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.deck = []
        self.trust = ssl.create_default_context(cafile=ca_file)
        self.identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.identity.load_cert_chain(cert_file, key_file)
        for context in (self.trust, self.identity):
            context.set_alpn_protocols(["http/1.1"])

    def start(self):
        """Returns the port."""
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)  # broken connections are its trade
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result(10)

    def stop(self):
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self.identity, limit=LARGEST_HEAD)
        return self.server.sockets[0].getsockname()[1]

    async def end(self):
        self.server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def count(self, what):
        self.counters[what] += 1

    def draw(self):
        """The fate of the next request."""
        if self.calm:
            return "forward"
        if not self.deck:
            self.deck = [fate for fate, times in DECK.items() for _ in range(times)]
            self.random.shuffle(self.deck)
        return self.deck.pop()

    # ---- one connection of a client -----------------------------------------------------------------------------
    async def serve(self, reader, writer):
        self.count("connections")
        with contextlib.suppress(Ended, *FAILURES):
            while True:
                await self.serve_request(reader, writer)
        writer.close()

    async def serve_request(self, reader, writer):
        line, headers = await read_head(reader)
        body = b"".join([piece async for piece in pieces(reader, headers, empty_by_default=True)])
        self.count("requests")
        fate = self.draw()
        if fate in REASONS:
            self.count(f"answered_{fate}")
            writer.write(refusal(fate))
            await writer.drain()
            return
        upstream, sender = await asyncio.open_connection("127.0.0.1", self.upstream_port, ssl=self.trust,
                                                         server_hostname="127.0.0.1", limit=LARGEST_HEAD)
        try:
            sender.write(head(line, headers, ("connection", "close"), ("content-length", str(len(body)))) + body)
            await sender.drain()
            await self.answer(upstream, Channel(self, writer, fate), line.startswith("HEAD "))
        finally:
            sender.transport.abort()

    async def answer(self, upstream, channel, has_no_body):
        line, headers = await channel.patiently(read_head(upstream))
        status = int(line.split()[1])
        length = headers.get("content-length")
        if has_no_body or status in (204, 304):
            await channel.send(head(line, headers, *([("content-length", length)] if length else [])))
            return
        source = pieces(upstream, headers)
        if channel.fate == "truncate" and status == 200 and length:
            whole = b"".join([piece async for piece in source])
            part = torn(whole, self.random.randrange(len(whole))) if len(whole) > 1 else whole
            self.count("truncations")
            await channel.send(head(line, headers, ("content-length", str(len(part)))) + part)
        elif length:
            await channel.send(head(line, headers, ("content-length", length)))
            while piece := await channel.patiently(next_of(source)):
                await channel.send(piece)
        else:
            await channel.send(head(line, headers, ("transfer-encoding", "chunked")))
            await self.stream(source, channel, status)

    async def stream(self, source, channel, status):
        """A chunked body. A truncated one ends within an object, in perfect framing."""
        left = self.some_size() if channel.fate == "truncate" and status == 200 else None
        while piece := await channel.patiently(next_of(source)):
            if left is not None and not self.calm and len(piece) > left:
                self.count("truncations")
                await channel.send(chunk(torn(piece, left)) + chunk(b""))
                return
            left = left and max(left - len(piece), 1)
            await channel.send(chunk(piece))
        await channel.send(chunk(b""))

    def some_size(self):
        """A few bytes as often as a hundred thousand."""
        return int(10 ** self.random.uniform(0, 5))


class Channel:
    """The way back to the client, with what is to happen to it: after `budget` bytes, or when its life is over."""

    def __init__(self, chaos, writer, fate):
        self.chaos = chaos
        self.writer = writer
        self.fate = fate
        self.budget = chaos.some_size() if fate in ENDINGS else None
        self.dies_at = time.monotonic() + chaos.random.expovariate(1 / MEAN_LIFE_S)

    async def patiently(self, coming):
        """What comes from the API server, unless the channel's life is over before."""
        task = asyncio.ensure_future(coming)
        try:
            while self.chaos.calm or time.monotonic() < self.dies_at:
                done, _ = await asyncio.wait([task], timeout=0.1)
                if done:
                    return task.result()
            await self.finish()
        finally:
            task.cancel()

    async def send(self, data):
        if self.chaos.calm:
            self.budget = None
        elif self.fate == "delay":
            data = await self.send_slowly(data)
        if self.budget is not None and len(data) > self.budget:
            await self.write(data[:self.budget])
            await self.finish()
        if self.budget is not None:
            self.budget -= len(data)
        await self.write(data)

    async def send_slowly(self, data):
        """Sends a part of it and waits; returns the rest."""
        self.chaos.count("delays")
        cut = self.chaos.random.randrange(len(data) + 1)
        await self.write(data[:cut])
        await asyncio.sleep(self.chaos.random.uniform(0, 1.5))
        return data[cut:]

    async def write(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def finish(self):
        """Ends the connection as its fate is: without a word, with a reset, or after a silence and then with a reset."""
        ending = self.fate if self.fate in ENDINGS else "cut"
        self.chaos.count(ENDINGS[ending])
        await asyncio.sleep(0.05)  # so that what was sent before arrives
        if ending == "black_hole":
            until = time.monotonic() + self.chaos.random.uniform(*BLACK_HOLE_S)
            while time.monotonic() < until and not self.chaos.calm:
                await asyncio.sleep(0.1)
        if ending != "cut":
            # With a linger time of 0, closing sends RST instead of FIN.
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise Ended


# ---- HTTP/1.1 ---------------------------------------------------------------------------------------------------
async def read_head(reader):
    """The first line, and the headers by their names in lower case."""
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    return line, {name.lower(): value.strip() for name, _, value in (header.partition(":") for header in rest)}


def head(line, headers, *own):
    kept = [(name, value) for name, value in headers.items() if name not in OWN_HEADERS]
    return "".join([line, "\r\n", *(f"{name}: {value}\r\n" for name, value in [*kept, *own]), "\r\n"]).encode("latin-1")


async def pieces(reader, headers, empty_by_default=False):
    """The body as it comes, without its framing."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            async for piece in exactly(reader, size):
                yield piece
            await reader.readexactly(2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
    elif "content-length" in headers:
        async for piece in exactly(reader, int(headers["content-length"])):
            yield piece
    elif not empty_by_default:
        while piece := await reader.read(LARGEST_HEAD):
            yield piece


async def exactly(reader, size):
    while size:
        piece = await reader.read(min(size, LARGEST_HEAD))
        if not piece:
            raise EOFError("the body is shorter than announced")
        size -= len(piece)
        yield piece


async def next_of(source):
    """Its next piece; empty at its end."""
    async for piece in source:
        return piece
    return b""


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def torn(data, size):
    """The first `size` bytes, but never up to the end of a line: what is left is no JSON."""
    return data[:size].rstrip(b"\n} ") or data[:1]


def refusal(code):
    """An error as the API server words it."""
    body = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "chaos", "reason": REASONS[code],
                       "code": int(code)}).encode()
    fields = {"content-type": "application/json"} | ({"retry-after": "1"} if code == "429" else {})
    return head(f"HTTP/1.1 {code} {REASONS[code]}", fields, ("content-length", str(len(body)))) + body
