"""What `podferry services -o json` says, held against `ipvsadm-save -n`."""
import re


def place(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def in_ipvs(saved):
    """{("tcp", "10.96.0.5:80") or ("mark", "1346764801/IPv4"): {"10.1.0.11:8080": 1}}; a mark may be of both families."""
    kinds = {"-t": "tcp", "-u": "udp", "--sctp-service": "sctp", "-f": "mark"}
    servers = {}
    for line in saved.splitlines():
        found = re.match(r"-(A|a) (-t|-u|-f|--sctp-service) (\S+)(?: -6)?(?: -r (\S+) -m -w (\d+))?", line)
        if found and kinds[found[2]] != "mark":
            servers.setdefault((kinds[found[2]], found[3]), {})
        if found and found[1] == "a":
            family = f"/IPv{6 if found[4].startswith('[') else 4}" if kinds[found[2]] == "mark" else ""
            servers.setdefault((kinds[found[2]], found[3] + family), {})[found[4]] = int(found[5])
    return servers


def weights(backends):
    return {place(one["address"], one["port"]): one["weight"] for one in backends}


def differences(page, saved):
    """Sentences: a virtual server that the page does not show, endpoints or weights that no virtual server has."""
    servers = in_ipvs(saved)
    marked = [reals for (kind, _), reals in servers.items() if kind == "mark"]
    shown, all_backends = set(), []
    for service in page["services"]:
        all_backends.append(weights(service["leftover"]))
        for front_end in service["frontEnds"]:
            name = (front_end["protocol"], place(front_end["address"], front_end["port"]))
            mine = front_end["outside"]["fate"] in ("carried", "refused", "dropped")
            if mine:
                shown.add(name)
            for client in ("outside", "inside"):
                reach = front_end[client]
                found = weights(reach["backends"])
                all_backends.append(found)
                if reach["fate"] == "carried" and found not in [servers.get(name), *marked]:
                    yield f"{name[1]}/{name[0]} from {client}: the page says {found}, IPVS has {servers.get(name)}"
                if mine and name not in servers:
                    yield f"{name[1]}/{name[0]} is shown, and IPVS has it not"
    for name in sorted(set(servers) - shown):
        if name[0] != "mark":
            yield f"{name[1]}/{name[0]} is in IPVS, and the page does not show it"
    for name, reals in servers.items():
        for real, weight in reals.items():
            if not any(found.get(real) == weight for found in all_backends):
                yield f"{name[1]}: {real} with weight {weight} is in IPVS, and the page does not show it"


def self_test():
    saved = ("-A -t 10.96.0.5:80 -s rr\n-a -t 10.96.0.5:80 -r 10.1.0.11:8080 -m -w 1\n-A -t [fd00::5]:80 -s rr\n"
             "-A -f 7 -6 -s rr\n-a -f 7 -6 -r [fd00:1::11]:8080 -m -w 0\n")

    def front_end(address, backends, fate="carried"):
        reach = {"fate": fate, "backends": backends}
        return {"address": address, "port": 80, "protocol": "tcp", "outside": reach, "inside": reach}

    def page(*front_ends, leftover=()):
        return {"services": [{"frontEnds": front_ends, "leftover": list(leftover)}]}

    one = {"address": "10.1.0.11", "port": 8080, "weight": 1}
    drains = {"address": "fd00:1::11", "port": 8080, "weight": 0}
    empty = front_end("fd00::5", [], "refused")
    for told, wanted in ((page(front_end("10.96.0.5", [one]), empty, leftover=[drains]), 0),
                         (page(front_end("10.96.0.5", [one | {"weight": 2}]), empty, leftover=[drains]), 3),
                         (page(front_end("10.96.0.5", [one]), empty), 1), (page(empty, leftover=[drains]), 2),
                         (page(front_end("10.96.0.5", [one]), empty, front_end("10.96.0.9", [], "dropped"), leftover=[drains]), 2)):
        found = list(differences(told, saved))
        assert len(found) == wanted, (told, found)


if __name__ == "__main__":
    self_test()
    print("services_page: as it should be")
