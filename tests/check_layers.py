#!/usr/bin/env python3
"""Holds the rooms apart: who may include whom (docs/architecture.md), which libraries stay where, how long files are, and that no
two headers of a room define the same type (the linker takes one's functions for the other's without a word).
With --graph: how many wings include each other, and the longest chain of includes."""
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Wings, lowest first: a file of a wing may include its own wing and those that its row names. meson.build has the same order.
WINGS = {
    "base": (),
    "api/wire": ("base",),
    "api/objects": ("base", "api/wire"),
    "api/cluster": ("base", "api/wire", "api/objects"),
    "api/folder": ("base", "api/wire", "api/objects"),
    "netlink": ("base",),
    "health/h2": ("base",),
    "health/checks": ("base", "health/h2"),
    "health/guard": ("base",),
    "health": ("base", "health/h2", "health/checks", "health/guard"),
}
# Those of proxy/ include all rooms, and of the wings of proxy/ only those above them.
STORIES = ("log", "config", "plan", "engine", "host", "serve", "sync", "migrate", "node", "edge", "controller", "cli")
for story in STORIES:
    WINGS["proxy/" + story] = tuple(WINGS)
# What only a part of proxy/ may know.
NOT_FOR = {
    "proxy/log": ("api", "netlink", "health"),
    "proxy/config": ("health", "api/folder"),
    "proxy/plan": ("health", "api/cluster", "api/folder"),
    "proxy/engine": ("api/cluster", "api/folder"),
}
# Heavy or replaceable libraries, and the only files that know them.
CONFINED = {
    r"libnl3|netlink/|linux/netfilter|linux/rtnetlink|linux/ip_vs": r"netlink/.*",
    r"yaml\.h>?": r"api/wire/yaml_events\.cpp",
    r"protozero/": r"(api/(wire/value|cluster/wire_protobuf)\.[ch]pp|health/checks/(grpc_health|cri)\.cpp)",
    r"nghttp2/": r"health/h2/exchange\.cpp",
    r"boost/json": r"(api/.*|proxy/(log/log|engine/view|serve/(tables|node_health)|sync/choices_json|migrate/move_objects|edge/edge_view|controller/(api_texts|reservations))\.cpp)",
    r"boost/beast/http": r"(base/http_reader|api/cluster/http|health/checks/http_check|proxy/serve/admin)\.cpp",
    r"boost/asio/ssl|boost/beast/ssl": r"(api/cluster/http\.cpp|api/cluster/tls\.[ch]pp|health/checks/tls\.[ch]pp)",
    r"boost/process": r"api/cluster/run_program\.cpp",
    r"libkmod": r"netlink/kernel_modules\.cpp",
    r"openssl/": r"api/cluster/secrets\.cpp",
    r"zlib\.h": r"api/cluster/gunzip\.cpp",
    r"spdlog/": r"proxy/log/log\.cpp",
    r"CLI/": r"proxy/cli/(main|command_line|print_manual)\.cpp",
    r"prometheus/": r"proxy/(serve/(edge_)?metrics|controller/controller_metrics)\.(hpp|cpp)",
}
MAX_LINES = 400
# Boost's what() holds the path of a source file: what people read of a caught error is made here. (netlink/ throws the
# standard library's.)
MAKES_WORDS = r"(base/error_words|api/wire/yaml_document|api/cluster/wire_protobuf)\.cpp"


def sources():
    """All of our source files, by their names from the top."""
    for room in sorted({name.split("/")[0] for name in WINGS}):
        for path in sorted((ROOT / room).rglob("*.[ch]pp")):
            yield str(path.relative_to(ROOT))


def wing_of(name):
    return name.rpartition("/")[0]


def may_include(wing, other):
    barred = any(other == closed or other.startswith(closed + "/") for closed in NOT_FOR.get(wing, ()))
    return other == wing or (other in WINGS[wing] and not barred)


def mistakes_in(name):
    wing = wing_of(name)
    if wing not in WINGS:
        yield f"{name}: {wing} is no wing; WINGS in tests/check_layers.py says which there are"
        return
    lines = (ROOT / name).read_text().splitlines()
    if len(lines) > MAX_LINES:
        yield f"{name}: {len(lines)} lines, more than {MAX_LINES}"
    for number, line in enumerate(lines, 1):
        ours = re.match(r'#include "([^"]*)"', line)
        if ours and wing_of(ours[1]) not in WINGS:
            yield f"{name}:{number}: \"{ours[1]}\" is in no wing; write the path from the top"
        elif ours and not may_include(wing, wing_of(ours[1])):
            yield f"{name}:{number}: {wing} must not include {wing_of(ours[1])}"
        if ".what()" in line and wing != "netlink" and not re.fullmatch(MAKES_WORDS, name):
            yield f"{name}:{number}: what() belongs in base/error_words.cpp: words_of(error)"
        theirs = re.match(r"#include <(.*)>", line)
        for library, files in CONFINED.items():
            if theirs and re.match(library, theirs[1]) and not re.fullmatch(files, name):
                yield f"{name}:{number}: <{theirs[1]}> belongs in {files}"


def types_of_two_headers():
    """A namespace is a room."""
    owners = {}
    for name in sources():
        if not name.endswith(".hpp"):
            continue
        room = name.split("/")[0]
        for kind in re.findall(r"^(?:struct|class) (\w+)[^;\n]*\{", (ROOT / name).read_text(), re.MULTILINE):
            if (room, kind) in owners:
                yield f"{name}: {kind} is defined in {owners[room, kind]} too"
            owners[room, kind] = name


def order_of_meson():
    """Libraries are built in the order of the wings, so that meson refuses what the table does."""
    built = []
    for path in ("meson.build", "api/meson.build", "health/meson.build", "proxy/meson.build"):
        folder = path.rpartition("/")[0]
        for name in re.findall(r"^subdir\('(\w+)'\)", (ROOT / path).read_text(), re.MULTILINE):
            built.append(f"{folder}/{name}" if folder else name)
    for room in ("", "api/", "proxy/"):
        ours = [wing for wing in built if wing in WINGS and wing.startswith(room) and ("/" in wing) == bool(room)]
        if ours != sorted(ours, key=list(WINGS).index):
            yield f"{room}meson.build: {ours} are not in the order of WINGS"


def fields_without_a_row():
    """Whoever decodes what a server sends may ask only for what the protobuf table has: elsewhere Value throws, and that may be
    where no test comes by."""
    rows = set(re.findall(r'"(\w+)"', (ROOT / "api/wire/protobuf_schema.cpp").read_text()))
    manifests_only = {"apiVersion", "subsets", "notReadyAddresses"}  # the last two are of kind Endpoints, which is not watched
    for name in ("decode", "decode_service", "decode_slice"):
        asked = set(re.findall(r'\["(\w+)"\]', (ROOT / f"api/objects/{name}.cpp").read_text()))
        for field in sorted(asked - rows - manifests_only):
            yield f"api/objects/{name}.cpp: asks for {field}, which has no row in api/wire/protobuf_schema.cpp"


def includes(name):
    """Our own headers that a file includes."""
    return re.findall(r'^#include "([^"]*)"', (ROOT / name).read_text(), re.MULTILINE)


@functools.cache
def chain_from(name):
    """The longest one that begins with this file; there is no circle: its headers would not compile."""
    return (name, *max((chain_from(header) for header in includes(name)), key=len, default=()))


def graph():
    arrows = {(wing_of(name), wing_of(header)) for name in sources() for header in includes(name)}
    arrows = {(wing, other) for wing, other in arrows if wing != other}
    order = list(WINGS)
    back = [arrow for arrow in arrows if order.index(arrow[0]) < order.index(arrow[1])]
    longest = max((chain_from(name) for name in sources()), key=len)
    print(f"{len(WINGS)} wings, {len(arrows)} arrows between them, {len(back)} of them back")
    print(f"the longest chain of includes has {len(longest)} files:", *longest, sep="\n  ")


if "--graph" in sys.argv:
    graph()
    sys.exit(0)
found = [*[mistake for name in sources() for mistake in mistakes_in(name)], *types_of_two_headers(), *order_of_meson(), *fields_without_a_row()]
print("\n".join(found) if found else "layers: as they should be")
sys.exit(1 if found else 0)
