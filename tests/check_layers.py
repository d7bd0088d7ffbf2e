#!/usr/bin/env python3
"""Holds the rooms apart: who may include whom (docs/architecture.md), which libraries stay where, how long files are, and that no
two headers of a room define the same type (the linker takes one's functions for the other's without a word)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MAY_INCLUDE = {"api": {"api"}, "netlink": {"netlink"}, "health": {"health"}, "proxy": {"api", "netlink", "health", "proxy"}}
# Heavy or replaceable libraries, and the only files that know them.
CONFINED = {
    r"netlink/|linux/netfilter|linux/rtnetlink|linux/ip_vs": r"netlink/.*",
    r"yaml\.h>": r"api/yaml_events\.cpp",
    r"boost/beast/http": r"(api/http|health/http_check|proxy/admin)\.cpp",
    r"boost/asio/ssl|boost/beast/ssl": r"(api/http\.cpp|api/tls\.[ch]pp|health/http_check\.cpp)",
    r"boost/process": r"api/run_program\.cpp",
    r"libkmod": r"netlink/kernel_modules\.cpp",
    r"openssl/": r"api/secrets\.cpp",
    r"zlib\.h": r"api/gunzip\.cpp",
    r"spdlog/": r"proxy/log\.cpp",
    r"CLI/": r"proxy/main\.cpp",
    r"prometheus/": r"proxy/metrics\.(hpp|cpp)",
}
MAX_LINES = 400
# Boost's what() holds the path of a source file: what people read of a caught error is made here. (netlink/ throws the
# standard library's.)
MAKES_WORDS = r"(proxy/error_words|api/yaml_document|api/wire_protobuf)\.cpp"


def mistakes():
    for room, allowed in MAY_INCLUDE.items():
        for path in sorted((ROOT / room).glob("*.[ch]pp")):
            name = str(path.relative_to(ROOT))
            lines = path.read_text().splitlines()
            if len(lines) > MAX_LINES:
                yield f"{name}: {len(lines)} lines, more than {MAX_LINES}"
            for number, line in enumerate(lines, 1):
                ours = re.match(r'#include "(\w+)/', line)
                if ours and ours[1] in MAY_INCLUDE and ours[1] not in allowed:
                    yield f"{name}:{number}: {room} must not include {ours[1]}"
                if ".what()" in line and room != "netlink" and not re.fullmatch(MAKES_WORDS, name):
                    yield f"{name}:{number}: what() belongs in proxy/error_words.cpp: words_of(error)"
                theirs = re.match(r"#include <(.*)>", line)
                for library, files in CONFINED.items():
                    if theirs and re.match(library, theirs[1]) and not re.fullmatch(files, name):
                        yield f"{name}:{number}: <{theirs[1]}> belongs in {files}"


def types_of_two_headers():
    for room in MAY_INCLUDE:
        owners = {}
        for path in sorted((ROOT / room).glob("*.hpp")):
            for name in re.findall(r"^(?:struct|class) (\w+)[^;\n]*\{", path.read_text(), re.MULTILINE):
                if name in owners:
                    yield f"{path.relative_to(ROOT)}: {name} is defined in {owners[name]} too"
                owners[name] = path.relative_to(ROOT)


found = [*mistakes(), *types_of_two_headers()]
print("\n".join(found) if found else "layers: as they should be")
sys.exit(1 if found else 0)
