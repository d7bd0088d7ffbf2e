#!/usr/bin/env python3
"""The SCTP side of pods: in each network namespace that is named, answers a message on the port with the pod's name and
the client's address, as pods.cpp does for TCP and UDP.    sctp_pods.py PORT NAME=NAMESPACE..."""
import pathlib
import selectors
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from netns import network_namespace  # noqa: E402

SCTP = 132

selector = selectors.DefaultSelector()
for name, _, space in (word.partition("=") for word in sys.argv[2:]):
    with network_namespace(space):
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, SCTP)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", int(sys.argv[1])))
    listener.listen(64)
    selector.register(listener, selectors.EVENT_READ, name)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        if not isinstance(key.data, tuple):
            connection, client = key.fileobj.accept()
            selector.register(connection, selectors.EVENT_READ, (key.data, client[0].removeprefix("::ffff:")))
            continue
        selector.unregister(key.fileobj)
        with key.fileobj as connection:
            try:
                if connection.recv(4096):
                    connection.send("{} {}\n".format(*key.data).encode())
            except OSError:
                pass  # the client is gone
