#!/usr/bin/env python3
"""Holds the manual pages and the completion against what the program itself says: every command and option of `--help`, every
setting of `--check-config`.    check_manual.py PODFERRY COMMAND_PAGE SETTINGS_PAGE COMPLETION"""
import re
import shutil
import subprocess
import sys
import tempfile

COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_podferry
printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=120)


def help_of(podferry, *command):
    """Names of the commands and options that it says."""
    said = run(podferry, *command, "--help").stdout
    options, _, commands = said.partition("Subcommands:")
    return (set(re.findall(r"(?<!\S)--?[a-z][\w-]*", "\n".join(re.findall(r"^  (-\S+)", options, re.M)).replace(",", "\n"))),
            re.findall(r"^  (\w+) ", commands, re.M))


def offered(completion, *words):
    return set(run("bash", "-c", COMPLETE, "-", completion, *words).stdout.split("\n")) - {""}


def sections(page):
    """The text of each `.SS podferry COMMAND`, and of OPTIONS by the empty name."""
    text = page.replace("\\-", "-")
    found = {name: part for name, part in re.findall(r"^\.SS podferry (\w+)\n(.*?)(?=^\.S[SH]|\Z)", text, re.M | re.S)}
    found[""] = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH", text, re.M | re.S)[1]
    return found


def mistakes_in_commands(podferry, page, completion):
    options, commands = help_of(podferry)
    parts = sections(page)
    for command in ["", *commands]:
        words = [command] if command else []
        if command:
            options, _ = help_of(podferry, command)
        if command not in parts:
            yield f"the page lacks {command}"
            continue
        written = set(re.findall(r"\\fB(-[^\\]*)\\fR", parts[command]))
        if written != options or len(options) < 2:
            yield f"`podferry {command}`: the page has {sorted(written)}, --help {sorted(options)}"
        proposed = offered(completion, "podferry", *words, "-")
        if proposed != options:
            yield f"`podferry {command}`: bash is offered {sorted(proposed)}, --help has {sorted(options)}"
    if offered(completion, "podferry", "") != {*commands, *help_of(podferry)[0]}:
        yield "bash is not offered the commands"


def mistakes_in_settings(podferry, page):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write("{}\n")
        config.flush()
        said = run(podferry, "node", "--check-config", "--config", config.name, check=False).stdout
    names = set(re.findall(r"^(\w+):", said, re.M))
    written = set(re.findall(r"^\\fB(\w+):\\fR", page.replace("\\-", "-"), re.M))
    if names != written or len(names) < 30:
        yield f"settings: the page has {sorted(written ^ names)} and the program has not, or the other way round"


def mistakes_in_values(completion):
    for words, wanted in ((("status", "-o", ""), {"table", "json"}), (("status", "--output", "=", "j"), {"json"}),
                          (("status", "--output", "="), {"table", "json"}), (("node", "--proc-sys", "/proc/sys/ke"), {"/proc/sys/kernel"}),
                          (("no",), {"node"}), (("node", "--init-only", "m"), {"modules"})):
        found = offered(completion, "podferry", *words)
        if found != wanted:
            yield f"behind {' '.join(words)} bash is offered {sorted(found)}, not {sorted(wanted)}"


def mistakes_of_man(path):
    if not shutil.which("man"):
        return
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path], capture_output=True, text=True, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    if done.returncode != 0 or done.stderr:
        yield f"{path}: man says {done.stderr}"


def main(podferry, command_page, settings_page, completion):
    with open(command_page) as one, open(settings_page) as other:
        found = [*mistakes_in_commands(podferry, one.read(), completion), *mistakes_in_settings(podferry, other.read())]
    found += [*mistakes_in_values(completion), *mistakes_of_man(command_page), *mistakes_of_man(settings_page)]
    print("\n".join(found) if found else "manual pages and completion: as the program says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
