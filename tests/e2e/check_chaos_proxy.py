#!/usr/bin/env python3
"""Proves the proxy of chaos against a small HTTPS server: faithful when calm, else everything it promises to spoil."""
import collections
import concurrent.futures
import http.client
import http.server
import json
import os
import pathlib
import ssl
import sys
import tempfile
import threading
import time

from certificates import Certificates
from chaos_proxy import COUNTERS, ChaosProxy

LIST = json.dumps({"kind": "List", "items": [{"name": f"item-{n}"} for n in range(1000)]}).encode()
EVENT = json.dumps({"type": "MODIFIED", "object": {"name": "item", "text": "x" * 500}}).encode() + b"\n"


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Authorization", self.headers.get("Authorization", ""))
        if self.path == "/list":
            self.send_header("Content-Length", str(len(LIST)))
            self.end_headers()
            self.wfile.write(LIST)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        parts = [LIST[:100], LIST[100:]] if self.path == "/chunked" else [EVENT] * 600
        for part in [*parts, b""]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            if part == EVENT:
                time.sleep(0.1)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nobody reads it."""


def serve(certificate, key):
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            """Connections that the proxy has had enough of."""

    server = Server(("127.0.0.1", 0), Upstream)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def connect(port, trust):
    return http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=40)


def is_faithful(port, trust):
    connection = connect(port, trust)  # one for all: kept alive
    for path in ("/list", "/chunked", "/list"):
        connection.request("GET", path, headers={"Authorization": "Bearer secret"})
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read() == LIST, path
        assert answer.headers["X-Authorization"] == "Bearer secret", "the Authorization header is lost"
    connection.request("POST", "/events", b'{"kind": "Event"}')
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (201, b'{"kind": "Event"}'), "a POST is not forwarded"
    connection.request("GET", "/watch")
    answer = connection.getresponse()
    start = time.monotonic()
    assert all(answer.readline() == EVENT for _ in range(3)), "an event is spoiled"
    assert time.monotonic() - start < 2, "events are held back"


def ask(port, trust, path):
    """What a client makes of one request."""
    connection = connect(port, trust)
    connection.connect()
    raw = os.dup(connection.sock.fileno())
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200:
            assert json.load(answer)["code"] == answer.status
            assert answer.status != 429 or answer.headers["Retry-After"] == "1"
            return str(answer.status)
        return judge(answer.read(), path)
    except (http.client.HTTPException, OSError):
        return "reset" if is_reset(raw) else "cut"
    finally:
        os.close(raw)
        connection.close()


def is_reset(raw):
    """Python's TLS reports a reset as an end like any other. After an end one may write; after a reset no more."""
    try:
        os.write(raw, b"-")
        return False
    except OSError:
        return True


def judge(body, path):
    try:
        for line in body.splitlines() if path == "/watch" else [body]:
            json.loads(line)
        return "right"
    except ValueError:
        return "wrong JSON, right framing"


def main():
    with tempfile.TemporaryDirectory() as name:
        certificates = Certificates(pathlib.Path(name))
        certificate, key = certificates.serving()
        server = serve(certificate, key)
        trust = ssl.create_default_context(cafile=certificates.ca)
        chaos = ChaosProxy(server.server_port, str(certificates.ca), str(certificate), str(key), seed=1)
        twin = ChaosProxy(server.server_port, str(certificates.ca), str(certificate), str(key), seed=1)
        assert [chaos.draw() for _ in range(52)] == [twin.draw() for _ in range(52)], "a seed is not repeatable"
        port = chaos.start()
        chaos.calm = True
        is_faithful(port, trust)
        chaos.calm = False
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            seen = collections.Counter(pool.map(lambda n: ask(port, trust, ("/list", "/chunked", "/watch")[n % 3]), range(156)))
        chaos.calm = True
        is_faithful(port, trust)
        chaos.stop()
        print("seen:", dict(seen))
        print("done:", chaos.counters)
        missing = [counter for counter in COUNTERS if chaos.counters[counter] == 0]
        missing += [what for what in ("429", "500", "503", "reset", "cut", "wrong JSON, right framing", "right")
                    if what not in seen]
        print(f"chaos proxy: {'as it should be' if not missing else 'never happened: ' + ', '.join(missing)}")
        return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
