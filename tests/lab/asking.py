"""Asks who serves, on a new connection."""
import socket


def ask(protocol, address, port, patience=2.0, came_from=None):
    """The last line of the answer in two words, ("pod1", "10.1.0.13"); or ("error:", "Connection refused"). From the network
    namespace of the calling thread; `patience`: seconds for each step; `came_from`: address and port of the client."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    try:
        with socket.socket(family, kind) as connection:
            connection.settimeout(patience)
            if came_from:
                connection.bind(came_from)
            connection.connect((address, port))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
            text = answer(connection, protocol)
    except OSError as error:
        return "error:", str(error.strerror or error)
    return tuple(text.splitlines()[-1].split(" ", 1)) if text else ("error:", "closed without an answer")


def answer(connection, protocol):
    if protocol == "udp":
        return connection.recv(4096).decode().strip()
    data = b""
    while part := connection.recv(4096):
        data += part
    return data.decode().strip()
