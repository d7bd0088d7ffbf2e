"""Objects that are wrong, as far as the real API server takes them: each is told of, none harms the rest."""
from api import Refused, path
from kernel import IpvsTable
from lab import Failure, pod_ip, wait_until
from objects import HTTP, endpoint, endpoint_slice, pod, port, service

FIVE, SIX = pod_ip(5), pod_ip(6)
TOLD = "told of in podferry status"
EXTERNAL_IP = "203.0.113.7"


def slices():
    """name: (slices of the Service of that name, addresses that get connections, whether a person must be told)."""
    return {
        "nil-port": ([endpoint_slice("nil-port", "nil-port", [FIVE], ports=[{"name": "http", "protocol": "TCP"}])], set(), None),
        "no-ports": ([endpoint_slice("no-ports", "no-ports", [FIVE], ports=[])], set(), None),
        "other-port": ([endpoint_slice("other-port", "other-port", [FIVE], ports=[HTTP | {"name": "else"}])], set(), None),
        "no-label": ([endpoint_slice("no-label", None, [FIVE], labels={})], set(), None),
        "fqdn": ([endpoint_slice("fqdn", "fqdn", [{"addresses": ["db.example.com"]}], "FQDN")], set(), TOLD),
        "twice": ([endpoint_slice("twice-1", "twice", [FIVE, FIVE]), endpoint_slice("twice-2", "twice", [FIVE, SIX])],
                  {FIVE, SIX}, None),
        "conflict": ([endpoint_slice("conflict-1", "conflict", [endpoint(FIVE, ready=False, serving=False)]),
                      endpoint_slice("conflict-2", "conflict", [endpoint(FIVE)])], {FIVE}, None),
        "odd": ([endpoint_slice("odd", "odd", [endpoint(FIVE, ready=True, serving=False, terminating=True), endpoint(SIX)])],
                None, None),
        "mapped": ([endpoint_slice("mapped", "mapped", ["::ffff:" + FIVE], "IPv6")], set(), TOLD),
        "loopback": ([endpoint_slice("loopback", "loopback", ["127.0.0.1"])], set(), TOLD),
        "link-local": ([endpoint_slice("link-local", "link-local", ["169.254.0.5"])], set(), TOLD),
        "zeros": ([endpoint_slice("zeros", "zeros", ["10.001.0.015"])], {FIVE}, None),
        "family": ([endpoint_slice("family", "family", [pod_ip(5, 6)], "IPv6")], set(), None),
        "nobody": ([endpoint_slice("nobody", "nobody", [{"addresses": [FIVE], "conditions": {}}])], {FIVE}, None),
    }


def taken(cluster, items):
    """Whether the API server takes them all; says why not."""
    try:
        cluster.api.create(*items)
        return True
    except Refused as refusal:
        print(f"      the API server refuses {items[0]['metadata']['name']}: {str(refusal)[:160]}")
        return False


def it_survives_wrong_slices(cluster):
    """Ports without a number, no label, FQDN, duplicates, conflicting conditions, IPv4 mapped into IPv6, loopback, ..."""
    cluster.api.create(service(), pod(1))
    cluster.start_podferry()
    addresses, rows = {}, {}
    for number, (name, row) in enumerate(slices().items(), 20):
        addresses[name] = f"10.96.0.{number}"
        cluster.api.create(service(name, addresses[name], selector=None))
        if taken(cluster, row[0]):
            rows[name] = row
    if len(rows) < 8:
        raise Failure(f"the API server takes only {sorted(rows)}: the test proves little")
    must_still_follow(cluster)
    table = IpvsTable("node")
    wrong = []
    for name, (_, wanted, _) in rows.items():
        found = table.real_servers(addresses[name], 80)
        if found is None or (wanted is not None and found != wanted):
            wrong.append(f"{name}: connections go to {found}, not {wanted}")
    table.close()
    status = cluster.status()
    wrong += [f"{name}: nobody is told" for name, row in rows.items() if row[2] and f"shop/{name}" not in status]
    if wrong:
        raise Failure("\n".join(wrong))


def it_reads_the_same_from_protobuf_as_from_json(cluster):
    """Lists come in protobuf, events in JSON: of all objects here, right and wrong, podferry reads the same from both."""
    everything = [port(80, node_port=30080), port(53, "dns", "UDP", "dns"), port(9, "s", "SCTP")]
    made = service("everything", "10.96.0.90", everything, type="LoadBalancer", externalIPs=[EXTERNAL_IP],
                   loadBalancerSourceRanges=["10.0.0.0/8", "fd00::/8"], externalTrafficPolicy="Local",
                   internalTrafficPolicy="Local", sessionAffinity="ClientIP", publishNotReadyAddresses=True,
                   sessionAffinityConfig={"clientIP": {"timeoutSeconds": 600}}, ipFamilyPolicy="PreferDualStack")
    made["metadata"]["annotations"] = {"podferry.io/scheduler": "mh", "note": "\u00e9"}
    cluster.api.create(made, service(), pod(1), service("headless", "None"))
    cluster.api.patch("Service", "everything", {"status": {"loadBalancer": {"ingress": [
        {"ip": "203.0.113.8", "ipMode": "Proxy"}, {"hostname": "lb.example.com"}]}}}, part="status")
    hinted = endpoint(FIVE) | {"zone": "z1", "hints": {"forZones": [{"name": "z1"}], "forNodes": [{"name": "node"}]}}
    cluster.api.create(endpoint_slice("hinted", "everything", [hinted, endpoint(SIX, ready=False, serving=True, terminating=True)]))
    for _, (items, _, _) in slices().items():
        taken(cluster, items)
    for kind, least in (("Service", 4), ("EndpointSlice", 10), ("Node", 1)):
        same = compare_formats(cluster, kind)
        print(f"      {kind}: {same}")
        if int(same.split()[0]) < least:
            raise Failure(f"only {same}: the scenario proves little")


def compare_formats(cluster, kind):
    """What the comparison says; an object may change between both requests, so there are a few tries."""
    files = {cluster.folder / f"{kind}.json": "application/json",
             cluster.folder / f"{kind}.protobuf": "application/vnd.kubernetes.protobuf"}
    for _ in range(5):
        for file, accept in files.items():
            file.write_bytes(cluster.api.raw(path(kind, None, None), accept))
        said = cluster.on("node", "e2e-formats", kind, *map(str, files), check=False).strip()
        if said.endswith("the same"):
            return said
    raise Failure(f"{kind}: {said}")


def must_still_follow(cluster):
    """The good Service answers, and one that comes last is served."""
    cluster.api.create(service("last", "10.96.0.99", selector="web"))
    cluster.wait_for_pods_behind({"web-1"}, "10.96.0.99", within=30)
    cluster.wait_for_pods_behind({"web-1"})
    if cluster.answers() != {"web-1"} or not cluster.podferry_is_ready():
        raise Failure("the good Service has suffered")


def it_survives_odd_services(cluster):
    """Headless without ports, ExternalName, a name that other proxies claim, ports that only differ in protocol."""
    cluster.api.create(service(), pod(1))
    cluster.start_podferry()
    headless = service("headless", "None", selector="web")
    del headless["spec"]["ports"]
    claimed = service("claimed", "10.96.0.21", selector="web")
    claimed["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "another"}
    both = service("both", "10.96.0.22", [port(53, "tcp"), port(53, "udp", "UDP"), port(53, "sctp", "SCTP")], selector="web")
    name = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "name", "namespace": "shop"},
            "spec": {"type": "ExternalName", "externalName": "db.example.com"}}
    cluster.api.create(headless, claimed, both, name)
    must_still_follow(cluster)
    for protocol in ("t", "u"):
        cluster.wait_for_pods_behind({"web-1"}, "10.96.0.22", 53, protocol)
    if cluster.pods_behind("10.96.0.21") is not None:
        raise Failure("a Service that another proxy claims is served")
    cluster.api.patch("Service", "claimed", {"metadata": {"labels": None}})
    cluster.wait_for_pods_behind({"web-1"}, "10.96.0.21")
    cluster.api.patch("Service", "claimed", {"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": "another"}}})
    cluster.wait_for_pods_behind(None, "10.96.0.21")
    cluster.api.patch("Service", "both", {"spec": {"type": "ExternalName", "externalName": "db.example.com", "clusterIP": None,
                                                   "clusterIPs": None, "ports": None}})
    wait_until("an ExternalName is not served", lambda: "10.96.0.22" not in cluster.ipvs() + cluster.routes() + cluster.nft(), 20)


def created(cluster, name):
    return cluster.api.get("Service", name)["metadata"]["creationTimestamp"]


def create_after(cluster, older, item):
    """Timestamps have whole seconds: created again until its own is a later one."""
    name = item["metadata"]["name"]

    def is_younger():
        cluster.api.create(item)
        if created(cluster, name) > created(cluster, older):
            return True
        cluster.api.delete("Service", name)
        return False

    wait_until("a Service is created in a later second", is_younger, 20)


def it_gives_a_front_end_to_the_older_service(cluster):
    """Two Services of one external IP and port: by age, not by name; the younger gets an Event, and then the front end."""
    cluster.api.create(service("old", "10.96.0.21", externalIPs=[EXTERNAL_IP]), pod(1, "old"), pod(2, "new"))
    create_after(cluster, "old", service("new", "10.96.0.22", externalIPs=[EXTERNAL_IP]))
    cluster.start_podferry()
    cluster.wait_for_pods_behind({"old-1"}, EXTERNAL_IP)
    cluster.wait_for_pods_behind({"new-2"}, "10.96.0.22")
    if "is already served for Service shop/old" not in cluster.status():
        raise Failure("podferry status does not tell of the conflict")

    def has_event():
        return any(event["reason"] == "FrontEndConflict" and event["regarding"]["name"] == "new" and
                   f"{EXTERNAL_IP}:80/tcp" in event["note"] for event in cluster.api.list("Event")["items"])

    wait_until("the younger Service has an Event", has_event, 10)
    cluster.api.delete("Service", "old")
    cluster.wait_for_pods_behind({"new-2"}, EXTERNAL_IP)
    if cluster.answers(EXTERNAL_IP, 80, "outside") != {"new-2"}:
        raise Failure(f"answers after the older has gone: {cluster.answers(EXTERNAL_IP, 80, 'outside')}")
    create_after(cluster, "new", service("old", "10.96.0.21", externalIPs=[EXTERNAL_IP]))
    wait_until("the other one waits now", lambda: "is already served for Service shop/new" in cluster.status(), 20)
    cluster.wait_for_pods_behind({"new-2"}, EXTERNAL_IP)


def it_gives_nothing_to_older_external_ips_of_a_load_balancer(cluster):
    """An older Service has a load balancer's address of another one among its external IPs: it waits, and is told why."""
    cluster.api.create(service("old", "10.96.0.21", externalIPs=[EXTERNAL_IP]), pod(1, "old"), pod(2, "new"))
    create_after(cluster, "old", service("new", "10.96.0.22", type="LoadBalancer"))
    cluster.api.patch("Service", "new", {"status": {"loadBalancer": {"ingress": [{"ip": EXTERNAL_IP}]}}}, part="status")
    cluster.start_podferry()
    cluster.wait_for_pods_behind({"new-2"}, EXTERNAL_IP)
    cluster.wait_for_pods_behind({"old-1"}, "10.96.0.21")
    why = "is already served for Service shop/new as a load balancer's address, which goes before an external IP"

    def has_event():
        return any(event["reason"] == "FrontEndConflict" and event["regarding"]["name"] == "old" and why in event["note"]
                   for event in cluster.api.list("Event")["items"])

    wait_until("the older Service has an Event", has_event, 10)
    cluster.api.delete("Service", "new")
    cluster.wait_for_pods_behind({"old-1"}, EXTERNAL_IP)


def it_says_which_service_has_no_health_check_port(cluster):
    """healthCheckNodePort in use by somebody else: an Event of the Service, and another try; the pods answer meanwhile."""
    cluster.spawn("other", "node", ["/usr/bin/python3", "-m", "http.server", "32100", "--bind", "192.168.50.10"],
                  stdout=-3, stderr=-3)
    wait_until("somebody else listens on 32100", lambda: ":32100 " in cluster.on("node", "ss", "-Hltn"), 20)
    cluster.api.create(pod(1), service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=32100))
    cluster.start_podferry()
    cluster.wait_for_pods_behind({"web-1"})

    def has_event():
        return any(event["reason"] == "FailedToStartServiceHealthcheck" and event["regarding"]["name"] == "web" and
                   "192.168.50.10:32100" in event["note"] for event in cluster.api.list("Event")["items"])

    wait_until("the Service has an Event", has_event, 10)
    cluster.processes["other"].kill()
    cluster.processes["other"].wait()
    asked = ["curl", "-s", "-m", "2", "http://192.168.50.10:32100/"]
    wait_until("podferry answers on the port", lambda: '"localEndpoints": 1' in cluster.on("outside", *asked, check=False), 20)
