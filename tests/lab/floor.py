"""The kernel's floor (tests/bench/floor.cpp): what programming podferry's objects costs at least, in a network namespace that has
only what they need. Nobody may listen to nftables' notifications meanwhile, in whatever namespace."""
import contextlib

from lab import run

SETS = "".join(f"add set inet podferry {name} {{ type {kind}; }}\n" for name, kind in (
    ("served4", "ipv4_addr . inet_proto . inet_service"), ("cluster4", "ipv4_addr . inet_proto . inet_service"),
    ("virtual_address4", "ipv4_addr")))


def seconds_of(line):
    """"elements 0.1 total 0.2": name by name."""
    words = line.split()
    return dict(zip(words[::2], map(float, words[1::2])))


@contextlib.contextmanager
def bare_namespace(lab):
    """Network namespace "bare" with podferry's device and sets and the routes' source address, made by ip and nft."""
    lab.ip("netns add bare\n")
    try:
        lab.ip("link set lo up\naddr add 192.168.50.10/32 dev lo\nlink add podferry0 type dummy\nlink set podferry0 up\n", "bare")
        lab.on("bare", "nft", "add table inet podferry\n" + SETS)
        yield
    finally:
        run(["ip", "netns", "del", "bare"], check=False)


def floor(lab, services, pods):
    """Seconds, by what was programmed, and in total."""
    with bare_namespace(lab):
        return seconds_of(lab.on("bare", "bench-floor", str(services), str(pods)))
