#!/usr/bin/env python3
"""Holds what comments, documents, help and messages name against what there is: files, functions, settings, metrics, `./dev` tasks,
podferry's commands and options. A sentence that a change has made false often names something that is gone."""
import fnmatch
import pathlib
import posixpath
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROOMS = ("base", "api", "netlink", "health", "proxy")
OURS = (*ROOMS, "tests", "docs", "charts", "examples", "packaging")
CODE = (".cpp", ".hpp")
TEXT = (".md", ".py", ".yaml", ".build", ".service", ".txt", ".tpl")
NOT_OURS = re.compile(r"tests/(bad_input|fuzz/lists)/|LICENSE")
# Functions of others, by their beginning: the kernel's, libc's, libraries', Go's.
THEIRS = re.compile(r"(_*(ip|ip6|nf|nft|tcp|udp|sctp|fib|inet|inet6|skb|sock|dev|rt|rtnl|netlink|genl|nl|nla|nfnl|kmem|xt|ipv4|ipv6|neigh|dst"
                    r"|addrconf|ct|register|unregister|sys|proc|module|request|do|mallopt|if|get|pthread|std|asio|boost)_|[a-z]+[A-Z]|[A-Z])")


def tracked():
    """Files of the repository that are text of ours."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return [name for name in names if not NOT_OURS.match(name) and (ROOT / name).is_file()
            and (name.endswith(CODE + TEXT) or name in ("dev", ".ci/run"))]


def prose(name, text):
    """Line by line what is not code: all of a document; of a program its comments and its texts in quotation marks."""
    if name.endswith(CODE):
        pattern = re.compile(r'//.*|"(?:[^"\\\n]|\\.)*"')
        for number, line in enumerate(text.splitlines(), 1):
            if not line.startswith("#include"):
                yield number, " ".join(pattern.findall(line)), "//" in line
    else:
        for number, line in enumerate(text.splitlines(), 1):
            yield number, line, name.endswith(".md") or "#" in line


class Known:
    def __init__(self):
        self.files = set(subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                                        capture_output=True, text=True).stdout.splitlines())
        self.base = {pathlib.PurePosixPath(file).name for file in self.files}
        code = "\n".join((ROOT / file).read_text() for file in self.files if file.endswith((*CODE, ".py")) and (ROOT / file).is_file())
        self.functions = set(re.findall(r"\b(\w+)\(", re.sub(r"//.*|#[^\n\"']*$", "", code, flags=re.M)))
        self.functions |= set(re.findall(r"^(?:class|struct|enum class) (\w+)", code, re.M))
        settings = (ROOT / "proxy/config/settings.cpp").read_text()
        self.settings = set(re.findall(r'"([a-z][a-z0-9_]+)"', settings))
        self.metrics = {name for path in (ROOT / "proxy").glob("*/*metrics.cpp")
                        for name in re.findall(r'"(podferry_\w+)"', path.read_text())}
        main = (ROOT / "proxy/cli/command_line.cpp").read_text()
        self.commands = set(re.findall(r'add_subcommand\(\s*"(\w+)"', main)) | {"help"}
        self.options = set(re.findall(r"--[a-z][a-z-]+", main)) | {"--help", "--version"}
        self.tasks = set(re.findall(r"\w+", re.search(r"^case \"\$task\" in\n(.*?)\)$", (ROOT / "dev").read_text(), re.S | re.M)[1]))

    def has_file(self, token, beside):
        """By its path from the top or from the folder of the file that names it, without its ending too; a bare name by itself."""
        if "/" not in token:
            return token in self.base
        for path in (token, posixpath.normpath(posixpath.join(posixpath.dirname(beside), token)), "tests/unit/" + token):
            if any(fnmatch.fnmatchcase(file, pattern) for pattern in (path, path + ".*", path.rstrip("/") + "/*") for file in self.files):
                return True
        return False


FILE = re.compile(r"(?<![\w/.@:$*{<-])((?:[\w.*-]+/)*[\w-][\w*-]*\.(?:md|hpp|cpp|py))\b(?!\.\w)")
ROOM = re.compile(r"(?<![\w/.@:$*{<-])((?:%s)/[\w*]+)(?![\w/.*(])" % "|".join(ROOMS))
FUNCTION = re.compile(r"(?<![\w:.>])([A-Za-z_]\w+)\(\)")
SETTING = re.compile(r"\bsettings? `?([a-z]+_[a-z_]+)\b(?!/)")
METRIC = re.compile(r"(?<![\w.])(?<!def )(podferry_[a-z0-9_]+)\b(\*?)")
TASK = re.compile(r"(?<![\w/])\./dev ([a-z]\w*)")
COMMAND = re.compile(r"`podferry ([a-z]\w*)((?: [^`]*)?)`")


def mistakes_in_line(name, line, is_comment, known):
    """`is_comment`: prose for people who change podferry."""
    for token in FILE.findall(line):
        top = token.split("/")[0]
        foreign = "/" in token and top not in OURS and not token.startswith(".") and not known.has_file(token, name)
        if not foreign and not known.has_file(token, name):
            yield f"there is no file {token}"
    if is_comment:
        for token in ROOM.findall(line):
            if not known.has_file(token, name):
                yield f"there is no {token}"
        for function in FUNCTION.findall(line):
            if function not in known.functions and not THEIRS.match(function):
                yield f"there is no function {function}()"
    for setting in SETTING.findall(line):
        if setting not in known.settings:
            yield f"there is no setting {setting}"
    for metric, star in METRIC.findall(line):
        plain = re.sub(r"_(bucket|sum|count)$", "", metric)
        begins = star or metric.endswith("_")
        if not ({metric, plain} & known.metrics or (begins and any(one.startswith(metric) for one in known.metrics))):
            yield f"there is no metric {metric}"
    for task in TASK.findall(line):
        if task not in known.tasks:
            yield f"./dev has no task {task}"
    for command, rest in COMMAND.findall(line):
        if command not in known.commands:
            yield f"podferry has no command {command}"
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", rest):
            if option not in known.options:
                yield f"podferry has no option {option}"


def mistakes_in(name, text, known):
    for number, line, is_comment in prose(name, text):
        for what in mistakes_in_line(name, line, is_comment, known):
            yield f"{name}:{number}: {what}"


def missing_in_operations(known):
    """Every metric is explained where operators look."""
    text = (ROOT / "docs/operations.md").read_text() + (ROOT / "docs/load-balancer.md").read_text()
    for metric in sorted(known.metrics):
        if not re.search(rf"\b{metric}\b", text):
            yield f"docs/operations.md, docs/load-balancer.md: metric {metric} is in neither"


def self_test(known):
    """Each kind of wrong name is found, and what is right is not."""
    metric = sorted(known.metrics)[0]
    for name, line, wanted in (
            ("docs/x.md", "`flying.md` and [that](operations.md)", ["there is no file flying.md"]),
            ("proxy/x.hpp", "// see plan.hpp, flies.hpp and pkg/proxy/types.go", ["there is no file flies.hpp"]),
            ("docs/x.md", "| `proxy/plan/plan`, `api/objects/decode*`, `api/flies` |", ["there is no api/flies"]),
            ("proxy/x.cpp", "// as plan_service() and flies_away() do, ip_vs_conn_in_get() too", ["there is no function flies_away()"]),
            ("proxy/x.cpp", 'log("setting drain_timeout, setting no_such")', ["there is no setting no_such"]),
            ("docs/x.md", f"`{metric}`, `podferry_flies_total`, `podferry_api_*`", ["there is no metric podferry_flies_total"]),
            ("docs/x.md", "`./dev unit` and `./dev fly`", ["./dev has no task fly"]),
            ("docs/x.md", "`podferry node --check-config`, `podferry status -o json`, `podferry fly`", ["podferry has no command fly"]),
            ("docs/x.md", "`podferry node --fly 3`", ["podferry has no option --fly"])):
        found = [what for _, prose_line, comment in prose(name, line) for what in mistakes_in_line(name, prose_line, comment, known)]
        assert found == wanted, (line, found)


def main():
    known = Known()
    self_test(known)
    found = [what for name in tracked() if name not in ("tests/check_words.py", "tests/check_names.py") and not name.startswith("tests/manifests/corpus/")
             for what in mistakes_in(name, (ROOT / name).read_text(errors="replace"), known)]
    found += missing_in_operations(known)
    print("\n".join(found) if found else "names in comments, documents and messages: as they should be")
    return 1 if found else 0


sys.exit(main())
