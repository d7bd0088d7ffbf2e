#!/usr/bin/env python3
"""Holds functions, classes and rows of tables to their sizes: CONTRIBUTING.md says them. How long files are, check_layers.py says.
Functions and classes are found by their indentation, which clang-format has made; self_test() shows what that finds."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROOMS = ("base", "api", "netlink", "health", "proxy")
MAX_FUNCTION = 50  # lines, with the one that names it and the one that closes it
MAX_DATA = 15
MAX_METHODS = 25
MAX_ROW = 200  # characters of a row of a table in a document
# Functions that are a table: a row is a setting, a field, a metric.
TABLES = {"make_settings", "make_fields", "Metrics::Metrics"}
# Records that are a table too, of the same settings and metrics, and one of the fields of an object of Kubernetes.
RECORDS = {"Config", "Metrics", "Service"}
# An interface of the kernel, whose every kind of object has its step: what could be a class of its own is one (its members).
MANY_METHODS = {"LinuxKernel"}

NOT_A_FUNCTION = re.compile(r"(namespace|class|struct|enum|union|extern|template|using|else|if|for|while|switch|do|try|public|private|protected"
                            r"|case|default|return|constexpr|const|static)\b|[#})/]")


def functions(lines):
    """Names, first lines and lengths of functions and lambdas: a body is closed at the indentation of its first line."""
    for end, line in enumerate(lines):
        closing = re.match(r"( *)\}[);,]*$", line)
        if not closing:
            continue
        indent = closing[1]
        for begin in range(end - 1, -1, -1):
            text = lines[begin]
            if text.strip() and len(text) - len(text.lstrip()) < len(indent):
                break
            if not re.match(indent + r"[^\s#})/:]", text) or re.match(indent + r"(public|private|protected):", text):
                continue
            head = " ".join(part.strip() for part in lines[begin:end + 1])
            lambda_head = re.search(r"\[[^\]]*\](\(.*?\))?[^;{]*\{", head.split("{")[0] + "{") if "[" in head.split("{")[0] else None
            named = re.match(r"[^{;=]*?([\w:~]+)\(", head.split("{")[0])
            plain = text.strip()
            if (named and not NOT_A_FUNCTION.match(re.sub(r"^(template<[^>]*>|static|constexpr|const|inline|virtual) ", "", plain))) or lambda_head:
                yield (named[1] if named else "a lambda"), begin + 1, end - begin + 1
            break


def plain_code(text):
    text = re.sub(r'R"\((.*?)\)"', '""', text, flags=re.S)
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    return re.sub(r"//[^\n]*", "", re.sub(r"'(?:[^'\\\n]|\\.)'", "' '", text))


def body_at(text, begin):
    depth = 1
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin:at]
    return text[begin:]


def statements(body):
    """Those of a class itself, each with {} for what is between braces."""
    depth, current = 0, ""
    for at, c in enumerate(body):
        if c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                current += "{}"
                if re.search(r"\)[^;=]*\{\}$", current, re.S) and not re.match(r"\s*[;,)(]", body[at + 1:]):
                    yield current  # a function with its body
                    current = ""
        elif depth == 0 and c == ";":
            yield current
            current = ""
        elif depth == 0:
            current += c


def without_templates(text):
    while re.search(r"<[^<>]*>", text):
        text = re.sub(r"<[^<>]*>", "", text)
    return text


def classes(text):
    """Names of classes, with the numbers of their data members and of their functions; how they come, are copied and go is none."""
    text = plain_code(text)
    for found in re.finditer(r"^ *(?:class|struct) ([\w:]+)(?: final)?(?: : [^{};()]*)?\s*\{", text, re.M):
        data = methods = 0
        for statement in statements(body_at(text, found.end())):
            statement = re.sub(r"\b(public|private|protected):", "", statement).strip()
            statement = re.sub(r"^template ", "", without_templates(statement)).strip()
            if not statement or re.match(r"(using|friend|static_assert|enum|class|struct|union|static constexpr|inline static)\b", statement):
                continue
            if "(" in re.split(r"\{\}|=(?!=)", statement)[0] or "operator" in statement:
                methods += not re.search(rf"(?<!\w){found[1]}\(|operator=", statement)
            else:
                data += 1
        yield found[1], data, methods


def mistakes_in_code(name, text):
    for function, line, length in functions(text.splitlines()):
        if length > MAX_FUNCTION and function not in TABLES:
            yield f"{name}:{line}: {function} has {length} lines, more than {MAX_FUNCTION}"
    for kind, data, methods in classes(text):
        if data > MAX_DATA and kind not in RECORDS:
            yield f"{name}: {kind} has {data} data members, more than {MAX_DATA}"
        if methods > MAX_METHODS and kind not in MANY_METHODS:
            yield f"{name}: {kind} has {methods} functions, more than {MAX_METHODS}"


def mistakes_in_document(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|") and len(line) > MAX_ROW:
            yield f"{name}:{number}: a row of {len(line)} characters, more than {MAX_ROW}: make it two, or say it below the table"


def self_test():
    body = "    a();\n" * 50
    for code, wanted in (
            ("int f() {\n" + body + "}\n", ["f has 52 lines"]),
            ("int f(int a,\n      int b) {\n" + body[9:] + "}\n", ["f has 52 lines"]),
            ("struct X {\n    bool f() const {\n" + body.replace("    ", "        ") + "    }\n};\n", ["f has 52 lines"]),
            ("int f() {\n    go([&](int a) {\n" + body.replace("    ", "        ") + "    });\n}\n", ["f has 54 lines", "go has 52 lines"]),
            ("namespace a {\n" + body + "}\n", []),
            ("int f() {\n    if (a) {\n" + body[18:] + "    }\n}\n", ["f has 52 lines"]),
            ("struct X {\n" + "    std::map<int, std::function<void(int)>> a{1, 2};\n" * 16 + "};\n", ["X has 16 data members"]),
            ("class X : public Y {\npublic:\n" + "    int f() const { return a; }\n    int g(int b = 3);\n" * 13 + "private:\n    int a = f();\n};\n",
             ["X has 26 functions"]),
            ("struct X {\n    enum class E { a, b };\n    struct Y { int a; int b; };\n    static constexpr int c = 3;\n};\n", [])):
        found = [mistake.split(": ", 1)[1].split(", more")[0] for mistake in mistakes_in_code("x", code)]
        assert sorted(found) == sorted(wanted), (code[:60], found)
    assert list(mistakes_in_document("x", "| " + "a" * 200 + " |\n")) and not list(mistakes_in_document("x", "a" * 300 + "\n"))


def main():
    self_test()
    found = [mistake for room in ROOMS for path in sorted((ROOT / room).rglob("*.[ch]pp"))
             for mistake in mistakes_in_code(path.relative_to(ROOT), path.read_text())]
    documents = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    found += [mistake for name in documents if (ROOT / name).is_file() for mistake in mistakes_in_document(name, (ROOT / name).read_text())]
    print("\n".join(found) if found else "sizes of functions, classes and rows: as they should be")
    return 1 if found else 0


sys.exit(main())
