#!/usr/bin/env python3
"""A pod's program: answers HTTP and UDP on its port with its name and the client's address. Its answers to
/healthz become 500 while the file SICK exists. A connection that begins with HOLD is kept, and all that comes is echoed; so
is a datagram that begins with ECHO.   pod.py NAME PORT SICK"""
import os
import selectors
import socket
import sys


def listen(port):
    """Sockets of both families, for TCP and for UDP, in the network namespace of the calling thread."""
    tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", port))
    return tcp, udp


class Pod:
    def __init__(self, name, sick, tcp, udp):
        self.name, self.sick, self.tcp, self.udp = name, sick, tcp, udp
        self.selector = selectors.DefaultSelector()
        self.selector.register(tcp, selectors.EVENT_READ)
        self.selector.register(udp, selectors.EVENT_READ)

    def serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.tcp:
                    self.answer_http(*self.tcp.accept())
                elif key.fileobj is self.udp:
                    data, client = self.udp.recvfrom(65536)
                    self.udp.sendto(data if data.startswith(b"ECHO") else self.answer_to(client), client)
                else:
                    self.echo(key.fileobj)

    def answer_to(self, client):
        return f"{self.name} {client[0].removeprefix('::ffff:')}\n".encode()

    def answer_http(self, connection, client):
        try:
            connection.settimeout(2)
            request = connection.recv(4096).decode(errors="replace")
            if request.startswith("HOLD"):
                connection.sendall(f"{self.name}\n".encode())
                self.selector.register(connection, selectors.EVENT_READ)
                return
            bad = " /healthz" in request and os.path.exists(self.sick)
            body = self.answer_to(client)
            connection.sendall(f"HTTP/1.1 {'500 Sick' if bad else '200 OK'}\r\nContent-Length: {len(body)}\r\n"
                               f"Connection: close\r\n\r\n".encode() + body)
        except OSError:
            pass
        connection.close()

    def echo(self, connection):
        try:
            data = connection.recv(4096)
            connection.sendall(data)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(connection)
            connection.close()


if __name__ == "__main__":
    Pod(sys.argv[1], sys.argv[3], *listen(int(sys.argv[2]))).serve()
