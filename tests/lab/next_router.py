"""Where the node's default route leads: somebody who answers on addresses that the node has let go."""
from lab import Failure
from netns import network_namespace
from pod import Pod, listen

PORT = 80


def start_next_router(lab, addresses):
    lab.ip("".join(f"addr add {address}/{128 if ':' in address else 32} dev lo\n" for address in addresses), "outside")
    with network_namespace("outside"):
        sockets = listen(PORT)
    lab.fork("router", "outside", lambda: Pod("router", lab.folder / "router.sick", *sockets).serve(), keep=sockets)
    for socket in sockets:
        socket.close()


def answerer(lab, space, address):
    """By TCP: an answer of UDP would leave the router with another of its addresses."""
    return lab.ask(space, "tcp", address, PORT, 1)[0][0]


def expect(lab, wanted, address, spaces=("pod4", "node")):
    for space in spaces:
        got = answerer(lab, space, address)
        if got != wanted:
            raise Failure(f"{space} to {address}: {got}, not {wanted}")
