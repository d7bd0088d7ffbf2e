#!/usr/bin/env python3
"""Connects to ADDRESS PORT until the pod WHO answers, and keeps that connection: prints "ok" for each answer, ten times a
second, and how it ended.    hold.py ADDRESS PORT WHO"""
import socket
import struct
import sys
import time

address, port, who = sys.argv[1], int(sys.argv[2]), sys.argv[3]
SECONDS = 120  # at most


def connect():
    for _ in range(20):
        connection = socket.create_connection((address, port), timeout=10)
        # Ended by a reset: IPVS then forgets the connection after 10 s, not after 2 minutes.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"HOLD")
        if connection.recv(100).decode().strip() == who:
            return connection
        connection.close()
    sys.exit(f"{who} never answered")


try:
    held = connect()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        held.sendall(b"ping")
        if not held.recv(100):
            print("closed", flush=True)
            break
        print("ok", flush=True)
        time.sleep(0.1)
except OSError as error:
    print(f"error: {error.strerror or error}", flush=True)
