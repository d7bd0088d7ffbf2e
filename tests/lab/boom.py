#!/usr/bin/env python3
"""A pod's program that sends a segment far outside of the window as soon as it has been asked something (as the boom-server of
Kubernetes' tests, kubernetes/kubernetes#74839), and then echoes all that comes.    boom.py NAME PORT"""
import socket
import struct
import sys
import threading

name, port = sys.argv[1], int(sys.argv[2])
FAR = 100_000_000  # no window is so large
ACK = 0x10


def last_segment(sniffer, client):
    """What the client must get next, and what it has acknowledged: of its last segment with data."""
    found = None
    while True:
        try:
            packet = sniffer.recv(65536)
        except BlockingIOError:
            if found:
                return found
            continue
        header = (packet[0] & 15) * 4
        length, = struct.unpack("!H", packet[2:4])
        source, _, sequence, acknowledged, offset = struct.unpack("!HHIIB", packet[header:header + 13])
        data = length - header - (offset >> 4) * 4
        if packet[9] == socket.IPPROTO_TCP and (socket.inet_ntoa(packet[12:16]), source) == client and data > 0:
            found = acknowledged, (sequence + data) % 2**32


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def send_out_of_window(here, client, sequence, acknowledged):
    def segment(check):
        return struct.pack("!HHIIBBHHH", here[1], client[1], (sequence + FAR) % 2**32, acknowledged, 5 << 4, ACK, 1000, check, 0) + b"boom"

    pseudo = socket.inet_aton(here[0]) + socket.inet_aton(client[0]) + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(segment(0)))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.sendto(segment(checksum(pseudo + segment(0))), (client[0], 0))


def serve(connection, client):
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as sniffer:
            sniffer.setblocking(False)
            connection.recv(100)
            connection.sendall(f"{name}\n".encode())
            data = connection.recv(100)
            send_out_of_window(connection.getsockname(), client, *last_segment(sniffer, client))
        while data:
            connection.sendall(data)
            data = connection.recv(100)
    except OSError as error:
        print(f"{client}: {error}", flush=True)
    connection.close()


listener = socket.create_server(("0.0.0.0", port))
while True:
    threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
