#!/usr/bin/env python3
"""Asks ADDRESS PORT over tcp or udp, COUNT times, each time on a new connection; prints a line for each answer:
"pod1 10.1.0.13", or "error: Connection refused".    client.py tcp|udp ADDRESS PORT COUNT [SECONDS]
SECONDS: how long it waits for each (2)."""
import socket
import sys

protocol, address, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
timeout = float(sys.argv[5]) if len(sys.argv) > 5 else 2.0


def ask():
    with socket.socket(family, kind) as connection:
        connection.settimeout(timeout)
        connection.connect((address, port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
        data = b""
        while True:
            part = connection.recv(4096)
            data += part
            if not part or protocol == "udp":
                break
        text = data.decode().strip()
        if not text:
            raise OSError("closed without an answer")
        return text.splitlines()[-1]


for _ in range(count):
    try:
        print(ask(), flush=True)
    except OSError as error:
        print(f"error: {error.strerror or error}", flush=True)
