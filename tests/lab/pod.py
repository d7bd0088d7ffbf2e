#!/usr/bin/env python3
"""A pod's program: answers HTTP and UDP on its port with its name and the client's address. Its answers to
/healthz become 500 while the file SICK exists. A connection that begins with HOLD is kept, and all that comes is echoed; so
is a datagram that begins with ECHO.   pod.py NAME PORT SICK"""
import os
import selectors
import socket
import sys

name, port, sick = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def plain(address):
    return address.removeprefix("::ffff:")


def answer_http(connection, client):
    try:
        connection.settimeout(2)
        request = connection.recv(4096).decode(errors="replace")
        if request.startswith("HOLD"):
            connection.sendall(f"{name}\n".encode())
            selector.register(connection, selectors.EVENT_READ)
            return
        bad = " /healthz" in request and os.path.exists(sick)
        body = f"{name} {plain(client[0])}\n"
        connection.sendall((f"HTTP/1.1 {'500 Sick' if bad else '200 OK'}\r\nContent-Length: {len(body)}\r\n"
                            f"Connection: close\r\n\r\n{body}").encode())
    except OSError:
        pass
    connection.close()


def echo(connection):
    try:
        data = connection.recv(4096)
        connection.sendall(data)
    except OSError:
        data = b""
    if not data:
        selector.unregister(connection)
        connection.close()


tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind(("::", port))
selector = selectors.DefaultSelector()
selector.register(tcp, selectors.EVENT_READ)
selector.register(udp, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        if key.fileobj is tcp:
            answer_http(*tcp.accept())
        elif key.fileobj is not udp:
            echo(key.fileobj)
        else:
            data, client = udp.recvfrom(65536)
            udp.sendto(data if data.startswith(b"ECHO") else f"{name} {plain(client[0])}\n".encode(), client)
