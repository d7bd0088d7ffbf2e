#!/usr/bin/env python3
"""Asks ADDRESS PORT over UDP from SOURCE_PORT every PERIOD seconds, for ever; prints a line for each question:
"10.001 pod1 10.1.0.14" (when, who answered, our address as it saw it), or "10.201 -" when nobody has answered by the
next one.    resolver.py ADDRESS PORT SOURCE_PORT PERIOD"""
import socket
import sys
import time

address, port, source_port, period = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
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
