"""What nothing else would notice when it is lost."""
import re
import stat

from lab import NODE_IP, Failure, wait_until
from manifests import pods, service

EXTERNAL = "203.0.113.7"
MARKED = "meta mark & 0xffff0000 == 0x50460000"
WATCH = f"""\
add table inet watch
add chain inet watch leaving {{ type filter hook postrouting priority 300; policy accept; }}
add rule inet watch leaving tcp dport 8080 {MARKED} counter comment "marked"
add rule inet watch leaving tcp dport 8080 counter comment "all"
"""


def it_keeps_its_socket_and_its_files_to_itself(lab):
    """Whoever reaches the socket learns of every Service and pod; the state folder decides on addresses."""
    lab.start_pods(1)
    lab.write("web.yaml", service() + pods(1, probe=None))
    lab.start_podferry()
    for name, others in (("podferry.sock", 0o077), ("state/lock", 0o007)):  # the lock is its group's too, see give_folder()
        mode = stat.S_IMODE((lab.folder / name).stat().st_mode)
        if mode & others:
            raise Failure(f"{name} has mode {mode:o}")


def counted(lab, comment):
    return int(re.search(rf'counter packets (\d+) bytes \d+ comment "{comment}"', lab.nft())[1])


def it_leaves_no_mark_on_what_it_sends_on(lab):
    """Marks lead packets to IPVS and choose its virtual server; a network plugin behind it must not see them."""
    lab.start_pods(1, 2)
    extra = f"  type: NodePort\n  externalIPs: [{EXTERNAL}]\n  externalTrafficPolicy: Local\n"
    elsewhere = pods(2, probe=None).replace("nodeName: node", "nodeName: elsewhere")
    lab.write("web.yaml", service(extra=extra, ports=[("http", "TCP", 80, 30080)]) + pods(1, probe=None) + elsewhere)
    lab.start_podferry()
    lab.on("node", "nft", WATCH)
    for space in ("outside", "pod4", "node"):
        for address, port in ((EXTERNAL, 80), (NODE_IP[4], 30080), ("10.96.0.5", 80)):
            wait_until(f"{space} is answered at {address}",
                       lambda where=(space, address, port): lab.ask(where[0], "tcp", *where[1:], 1)[0][0].startswith("pod"), 20)
            lab.ask(space, "tcp", address, port, 4)
    marked, total = counted(lab, "marked"), counted(lab, "all")
    if marked or total < 30:
        raise Failure(f"{marked} of {total} packets to pods carry a mark of ours")
