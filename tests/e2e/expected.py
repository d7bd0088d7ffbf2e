"""What the kernel must hold, computed from the objects of the API: by the rules of Kubernetes' reference, not by podferry's
code. Knows what scenario d_chaos uses of them: no traffic policies, no topology."""
import ipaddress
import re

from lab import NODE_IP, front_end

LETTER = {"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service"}
PROXY_NAME = "service.kubernetes.io/service-proxy-name"
SERVICE_NAME = "kubernetes.io/service-name"


def expected(services, slices):
    """Lines of `ipvsadm-save -n`, and addresses with a local route, each as a set."""
    lines, addresses = set(), set()
    for item in services:
        if is_served(item):
            addresses |= set(item["spec"]["clusterIPs"]) | set(item["spec"].get("externalIPs", []))
            mine = [part for part in slices if owner(part) == (item["metadata"]["namespace"], item["metadata"]["name"])]
            for port in item["spec"]["ports"]:
                lines |= lines_of(item["spec"], port, mine)
    return lines, addresses


def is_served(item):
    return (item["spec"]["type"] != "ExternalName" and item["spec"].get("clusterIP", "None") != "None"
            and PROXY_NAME not in item["metadata"].get("labels", {}))


def owner(part):
    return part["metadata"]["namespace"], part["metadata"].get("labels", {}).get(SERVICE_NAME)


def lines_of(spec, port, slices):
    """Of all front ends of one port."""
    lines = set()
    for address, number in front_ends(spec, port):
        name = f"{LETTER[port['protocol']]} {front_end(address, number)}"
        affinity = spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds")
        lines.add(f"-A {name} -s rr" + (f" -p {affinity}" if affinity else ""))
        for place in real_servers(port, slices, "IPv6" if ":" in address else "IPv4"):
            lines.add(f"-a {name} -r {place} -m -w 1")
    return lines


def front_ends(spec, port):
    yield from ((address, port["port"]) for address in [*spec["clusterIPs"], *spec.get("externalIPs", [])])
    if "nodePort" in port:
        yield from ((NODE_IP[family_number(address)], port["nodePort"]) for address in spec["clusterIPs"])


def family_number(address):
    return ipaddress.ip_address(address).version


def real_servers(port, slices, family):
    """Those that are ready; when there is none, those that are terminating and still serve."""
    ready, draining = set(), set()
    for part in slices:
        for target in part["ports"] or []:
            if (target.get("name", ""), target["protocol"]) != (port.get("name", ""), port["protocol"]):
                continue
            for endpoint in (part["endpoints"] or []) if part["addressType"] == family else []:
                conditions = endpoint.get("conditions", {})
                place = front_end(endpoint["addresses"][0], target["port"])
                if conditions.get("ready", True):
                    ready.add(place)
                elif conditions.get("serving") and conditions.get("terminating"):
                    draining.add(place)
    return ready or draining


def in_the_kernel(cluster):
    """The same of the real kernel, without what drains."""
    lines = {line.strip() for line in cluster.ipvs().splitlines() if line.strip() and not line.strip().endswith(" -w 0")}
    return lines, set(re.findall(r"^local (\S+)", cluster.routes(), flags=re.MULTILINE))


def everything_in_the_kernel(cluster):
    """All that podferry owns there, in an order of its own: IPVS, routes, sets and rules of the table without counters."""
    lines, addresses = in_the_kernel(cluster)
    table = re.sub(r" counter packets \d+ bytes \d+", "", cluster.on("node", "nft", "list", "table", "inet", "podferry"))
    # Elements of a set stand in the order of their hashes.
    table = re.sub(r"elements = \{(.*?)\}", lambda found: " ".join(sorted(found[1].replace("\n", " ").split(","), key=str.strip)),
                   table, flags=re.DOTALL)
    return sorted(lines) + sorted(addresses) + [re.sub(r"\s+", " ", line).strip() for line in table.splitlines()]


def difference(wanted, found, most=20):
    """A few lines that tell what is missing and what is too much."""
    wanted, found = set(wanted), set(found)
    lines = [f"missing: {line}" for line in sorted(wanted - found)] + [f"too much: {line}" for line in sorted(found - wanted)]
    return "\n".join(lines[:most] + ([f"and {len(lines) - most} more"] if len(lines) > most else []))
