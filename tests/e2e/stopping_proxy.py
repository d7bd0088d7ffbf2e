"""A proxy in front of the API server that stops at a chosen request: before it is forwarded, or before its answer is. What it holds back
may still be forwarded later, as a network does that delays a packet.

    proxy = StoppingProxy(upstream_port, ca_file, cert_file, key_file)
    proxy.stop_at(lambda method, path, body: path.endswith("/status"), before=True)
    proxy.stopped.wait(...)        a request is held
    proxy.forward_held()           it arrives now, though nobody waits for the answer; returns the status
    proxy.close()
"""
import http.client
import socket
import ssl
import threading


class StoppingProxy:
    def __init__(self, upstream_port, ca_file, cert_file, key_file):
        self.upstream_port = upstream_port
        self.trust = ssl.create_default_context(cafile=ca_file)
        self.identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.identity.load_cert_chain(cert_file, key_file)
        self.identity.set_alpn_protocols(["http/1.1"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.matches, self.before, self.held = None, True, None
        self.stopped = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def stop_at(self, matches, before):
        """Of the next request that `matches(method, path, body)`."""
        with self.lock:
            self.stopped.clear()
            self.matches, self.before, self.held = matches, before, None

    def forward_held(self):
        method, path, headers, body = self.held
        connection = http.client.HTTPSConnection("127.0.0.1", self.upstream_port, timeout=60, context=self.trust)
        connection.request(method, path, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def close(self):
        self.listener.close()

    # ---- connections: one request each --------------------------------------------------------------------------
    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            with self.identity.wrap_socket(client, server_side=True) as secure:
                self.serve_request(secure)
        except (OSError, ValueError):
            """The client is gone."""

    def serve_request(self, client):
        text = client.makefile("rb")
        line = text.readline().decode()
        if not line:
            return
        method, path, _ = line.split(" ", 2)
        headers = {}
        while (header := text.readline().decode().strip()):
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = text.read(int(headers.get("content-length", 0)))
        if self.take(method, path, body, True, headers):
            return self.hang(client)
        with socket.create_connection(("127.0.0.1", self.upstream_port)) as plain, self.trust.wrap_socket(
                plain, server_hostname="127.0.0.1") as upstream:
            headers["connection"] = "close"
            upstream.sendall((line + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode() + body)
            first = upstream.recv(65536)  # it has been done by now
            if self.take(method, path, body, False, headers):
                return self.hang(client)
            while first:
                client.sendall(first)
                first = upstream.recv(65536)

    def take(self, method, path, body, before, headers):
        with self.lock:
            if self.matches is None or self.before != before or not self.matches(method, path, body.decode()):
                return False
            self.matches = None
            self.held = (method, path, {name: value for name, value in headers.items() if name in ("authorization", "content-type", "accept")}, body)
            self.stopped.set()
            return True

    @staticmethod
    def hang(client):
        """Until the client gives up, or is no more."""
        client.settimeout(120)
        client.recv(1)
