#!/usr/bin/env python3
"""Asks ADDRESS PORT over tcp or udp, COUNT times, each time on a new connection; prints a line for each answer:
"pod1 10.1.0.13", or "error: Connection refused". With a RATE (a second), keeps to it and prints times too:
"0.105 0.004 pod1 10.1.0.13" (when it was sent, how long it took).    client.py tcp|udp ADDRESS PORT COUNT [RATE]"""
import socket
import sys
import time

protocol, address, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rate = float(sys.argv[5]) if len(sys.argv) > 5 else 0
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
timeout = 2.0


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


start = time.monotonic()
for i in range(count):
    if rate:
        time.sleep(max(0, start + i / rate - time.monotonic()))
    began = time.monotonic()
    try:
        line = ask()
    except OSError as error:
        line = f"error: {error.strerror or error}"
    if rate:
        line = f"{began - start:.3f} {time.monotonic() - began:.3f} {line}"
    print(line, flush=True)
