#!/usr/bin/env python3
"""Sends SIZE bytes to a pod at ADDRESS PORT over tcp or udp and reads them back: prints "same", or what went wrong. A datagram
is sent up to five times, because the first after a path's smaller MTU was learnt may be lost.
    bulk.py tcp|udp ADDRESS PORT SIZE"""
import contextlib
import socket
import sys
import threading

protocol, address, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
TIMEOUT = 5


def pattern(count):
    """No two places of it look alike."""
    return b"".join(number.to_bytes(4, "big") for number in range(count // 4 + 1))[:count]


def read(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(65536)
        if not part:
            raise OSError(f"closed after {len(data)} of {count} bytes")
        data += part
    return data


def send(connection, data):
    """What fails is told by the one who reads; a thread that ends with an error beside the end of the program can make Python abort."""
    with contextlib.suppress(OSError):
        connection.sendall(data)


def over_tcp():
    with socket.create_connection((address, port), TIMEOUT) as connection:
        connection.sendall(b"HOLD")
        while not connection.recv(1) == b"\n":  # the pod's name
            pass
        sent = pattern(size)
        writer = threading.Thread(target=send, args=(connection, sent), daemon=True)
        writer.start()
        got = read(connection, size)
        writer.join(TIMEOUT)
        return sent, got


def over_udp():
    sent = b"ECHO" + pattern(size - 4)
    for attempt in range(5):
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            connection.settimeout(TIMEOUT / 5)
            connection.connect((address, port))
            try:
                connection.sendall(sent)
                return sent, connection.recv(65536)
            except OSError:
                if attempt == 4:
                    raise


try:
    sent, got = over_tcp() if protocol == "tcp" else over_udp()
    print("same" if got == sent else f"{len(got)} bytes, which are not those that were sent")
except OSError as error:
    print(f"error: {error.strerror or error}")
