"""A connection that is kept, and says something ten times a second."""
import socket
import struct
import time

SECONDS = 120  # at most


def hold(address, port, who):
    """Connects until the pod `who` answers, and keeps that connection: prints "ok" for each answer, and how it ended."""
    try:
        held = connect(address, port, who)
        end = time.monotonic() + SECONDS
        while held and time.monotonic() < end:
            held.sendall(b"ping")
            if not held.recv(100):
                print("closed", flush=True)
                break
            print("ok", flush=True)
            time.sleep(0.1)
    except OSError as error:
        print(f"error: {error.strerror or error}", flush=True)


def connect(address, port, who):
    for _ in range(20):
        connection = socket.create_connection((address, port), timeout=10)
        # Ended by a reset: IPVS then forgets the connection after 10 s, not after 2 minutes.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"HOLD")
        if connection.recv(100).decode().strip() == who:
            return connection
        connection.close()
    print(f"{who} never answered", flush=True)
    return None
