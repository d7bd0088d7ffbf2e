"""What lives beside podferry on the host is neither read nor touched, and cannot stop it."""
import re

import neighbours
from lab import Failure, wait_until
from manifests import pods, service
from netns import network_namespace

NETWORKS = ["10.1.0.0/16", "fd00:1::/64"]  # of the lab's pods
RANGES = ["--services", "10.96.0.0/16", "--services", "fd00:96::/112"]  # of its Services


def table_is_in_place(lab):
    return lab.on("node", "lab-table", "check", *RANGES, *NETWORKS) == "in place\n"


def start(lab):
    lab.start_pods(1)
    lab.write("web.yaml", service() + pods(1, probe=None))
    lab.start_podferry()


def it_lives_beside_what_nft_cannot_read(lab):
    """Tables of a newer or a careless program: podferry starts, serves, repairs and is removed beside them."""
    with network_namespace("node"):
        neighbours.make_odd_table("other")
        neighbours.make_odd_table("podferry2")
        before = [neighbours.everything_of(name) for name in ("other", "podferry2")]
    start(lab)
    if not lab.is_answered_by("pod1"):
        raise Failure("it does not serve")
    wait_until("all rules are there", lambda: table_is_in_place(lab), 10)
    with network_namespace("node"):
        neighbours.remove_rules("podferry", "prerouting")
    wait_until("the rules are back", lambda: table_is_in_place(lab), 10)
    with network_namespace("node"):
        neighbours.make_odd_table("later")  # is told of by notifications
        neighbours.remove_rules("podferry", "postrouting")
    wait_until("the rules are back", lambda: table_is_in_place(lab), 10)
    if not lab.is_answered_by("pod1"):
        raise Failure("it does not serve after the repair")
    if lab.stop_podferry() != 0:
        raise Failure("podferry did not end well")
    lab.podferry("cleanup", "--config", str(lab.folder / "config.yaml"))
    with network_namespace("node"):
        if neighbours.tables() != ["later", "other", "podferry2"]:
            raise Failure(f"cleanup has left {neighbours.tables()}")
        if before != [neighbours.everything_of(name) for name in ("other", "podferry2")]:
            raise Failure("a neighbour's table has changed")


def listed(lab, space):
    """As nft lists our table and the code of its rules. The kernel's order of what is in a set is its own; nft notes at an interval
    without an end that it has none."""
    text = re.sub(r"(\telement .*)  userdata = .*", r"\1", lab.on(space, "nft", "--debug=netlink", "list", "table", "inet", "podferry"))
    return sorted(re.sub(r"\{ [^{}]* \}", lambda found: " ".join(sorted(re.split(r"[ ,]+", found[0]))), line)
                  for line in text.splitlines())


def it_makes_the_table_that_nft_makes_of_its_text(lab):
    """The same listing and the same code, for several networks of pods."""
    lab.spaces += ["by_nft", "by_us"]
    lab.ip("netns add by_nft\nnetns add by_us\n")
    for options in ([], NETWORKS, ["--masquerade-all", *NETWORKS], ["10.0.0.0/12", "fd00:1::/63"],
                    ["10.1.0.0/16", "10.2.0.0/16", "10.9.0.0/20", "fd00:1::/64", "fd00:9::/64"], ["0.0.0.0/0", "10.1.2.3/32"],
                    [*RANGES, *NETWORKS], ["--interface", "cni0"], [*RANGES, "--interface", "veth*", "--note", "pods 10.1.0.0/16"]):
        path = lab.folder / "table.nft"
        path.write_text(lab.on("by_nft", "lab-table", "text", *options))
        lab.on("by_nft", "nft", "-f", str(path))
        lab.on("by_us", "lab-table", "install", *options)
        ours, wanted = listed(lab, "by_us"), listed(lab, "by_nft")
        if ours != wanted or len(wanted) < 1000:
            different = [line for line in wanted if line not in ours] + [line for line in ours if line not in wanted]
            raise Failure(f"{options}: {len(different)} lines differ:\n" + "\n".join(different[:20]))
        if lab.on("by_nft", "lab-table", "check", *options) != "in place\n":
            raise Failure("what nft has made is not taken for our table")


def it_replaces_its_table_and_keeps_its_elements(lab):
    """Elements stay when rules change; a table of another shape, or with a chain of another version, is replaced."""
    lab.spaces.append("by_us")
    lab.ip("netns add by_us\n")

    def in_place_after(nft):
        lab.on("by_us", "nft", nft)
        lab.on("by_us", "lab-table", "install", *NETWORKS)
        return lab.on("by_us", "lab-table", "check", *NETWORKS) == "in place\n"

    def element_is_there():
        return "10.96.0.5 . tcp . 80" in lab.on("by_us", "nft", "list", "table", "inet", "podferry")

    lab.on("by_us", "lab-table", "install")
    if not in_place_after("add element inet podferry served4 { 10.96.0.5 . tcp . 80 }") or not element_is_there():
        raise Failure("new rules have cost an element")
    if not in_place_after("add chain inet podferry old; add rule inet podferry old drop") or not element_is_there():
        raise Failure("a chain of another version is not emptied")
    for shape in ("add set inet podferry served4 { type ipv4_addr; }", "add chain inet podferry prerouting",
                  "add chain inet podferry input { type filter hook forward priority 5; }"):
        if not in_place_after("delete table inet podferry; add table inet podferry; " + shape):
            raise Failure(f"not replaced: {shape}")
    for _ in range(2):
        lab.on("by_us", "lab-table", "remove")
    if "podferry" in lab.on("by_us", "nft", "list", "tables"):
        raise Failure("it is not removed")
