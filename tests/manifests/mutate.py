"""Documents that are nearly right: one or two changes of a document of the corpus, the same ones for the same seed."""
import random
import re

VALUES = ["0", "-1", "1", "80", "80.0", "8e1", "8_0", "080", "0x50", "65535", "65536", "4294967296", "1e400", "'80'", '"80"', "true", "yes",
          "Off", "'true'", "null", "~", "", "''", "[]", "{}", "[a]", "{a: b}", "text", "Text", "with.dot", "under_score", "-x", "x-",
          "10.0.0.1", "010.0.0.1", "10.0.0.256", "127.0.0.1", "169.254.1.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "'::1'",
          "'fd00::1'", "'fe80::1'", "'::ffff:10.0.0.1'", "10.0.0.0/8", "10.0.0.1/8", "'::/0'", "None", "ClusterIP", "NodePort",
          "LoadBalancer", "ExternalName", "Local", "Cluster", "TCP", "UDP", "sctp", "IPv4", "IPv6", "FQDN", "a" * 64, "a" * 254, "é", "*x", "&x y",
          "!!str 1", "!!int '1'", "2024-01-01", "2024-01-01T00:00:00Z", "|", ">", "@x", "%x", "`x`", "a: b", "- a", "\t"]
KEYS = ["port", "name", "nodePort", "targetPort", "protocol", "type", "clusterIP", "clusterIPs", "externalIPs", "selector", "labels",
        "addresses", "ready", "ip", "ipFamilies", "sessionAffinity", "externalName", "unknown", "kind", "apiVersion", "<<", "spec"]
CHARACTERS = " \t\n:-,[]{}'\"#&*!|>%@`~\\/.\r\x07é"


def documents(paths):
    for path in paths:
        text = path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
        if len(text) > 100_000 or "\0" in text or path.suffix == ".kubeconfig":
            continue
        for document in [text] if path.suffix == ".json" else re.split(r"^---.*\n", text, flags=re.MULTILINE):
            if "kind" in document and len(document) < 5000:
                yield document, path.suffix


def change_value(chance, text):
    places = list(re.finditer(r"(?<=[:\-] )[^\s,\[\]{}][^,\n\[\]{}]*|(?<=\":)[^,\[\]{}]+", text))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + chance.choice(VALUES) + text[place.end():]


def change_key(chance, text):
    places = list(re.finditer(r"[A-Za-z]+(?=\"?:)", text))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + chance.choice(KEYS) + text[place.end():]


def drop_member(chance, text):
    places = list(re.finditer(r"[\w.\-/]+: ?[^,\n\[\]{}]+(, )?", text))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + text[place.end():]


def repeat_member(chance, text):
    places = list(re.finditer(r"(?<=[{ ])\w+: ?[^,\n\[\]{}]+, ", text))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + place[0] + text[place.start():]


def change_line(chance, text):
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    kind = chance.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[at])
    elif kind == 2:
        lines[at] = " " + lines[at]
    else:
        lines[at] = lines[at].removeprefix(" ")
    return "\n".join(lines)


def change_character(chance, text):
    at = chance.randrange(len(text) + 1)
    kind = chance.randrange(3)
    return text[:at] + (chance.choice(CHARACTERS) if kind else "") + text[at + (kind != 1):]


def mutations(paths, folder, number, seed):
    """The files that it has written."""
    chance = random.Random(seed)
    originals = list(documents(paths))
    files = []
    for i in range(number):
        text, suffix = chance.choice(originals)
        for _ in range(chance.choice((1, 1, 1, 2))):
            change = chance.choice((change_value, change_value, change_value, change_key, drop_member, repeat_member, change_line, change_character))
            text = change(chance, text)
        files.append(folder / f"{i}{suffix}")
        files[-1].write_bytes(text.encode())
    return files
