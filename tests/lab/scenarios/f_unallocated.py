"""What goes to an address of a service range that no Service has (kube-proxy's nftables mode: chain cluster-ips-check)."""
from lab import Failure, wait_until
from manifests import pods, service
from next_router import answerer, expect, start_next_router

FREE = {4: "10.96.77.77", 6: "fd00:96::77"}
OTHER = "10.97.77.77"  # of no service range


def it_drops_what_goes_to_an_address_that_no_service_has(lab):
    """From pods and from the node; until a Service has it, and after it had it; over a restart; nothing beside the ranges."""
    lab.track_connections()
    lab.on("node", "sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1")
    lab.start_pods(1)
    start_next_router(lab, (*FREE.values(), OTHER))
    for address in (*FREE.values(), OTHER):
        expect(lab, "router", address)
    lab.write("web.yaml", service() + pods(1, probe=None))
    lab.start_podferry()
    for address in FREE.values():
        wait_until(f"{address} is dropped", lambda: answerer(lab, "pod4", address) == "error:", 10)
        expect(lab, "error:", address)
    expect(lab, "router", OTHER)
    if not lab.is_answered_by("pod1"):
        raise Failure("the Service beside it does not answer")

    lab.write("more.yaml", service("web", FREE[4]).replace("name: web,", "name: more,"))
    wait_until("a Service has the address", lambda: answerer(lab, "pod4", FREE[4]) == "pod1", 10)
    if answerer(lab, "node", FREE[4]) != "pod1":
        raise Failure("not for the node")
    lab.remove("more.yaml")
    wait_until("no Service has it any more", lambda: answerer(lab, "pod4", FREE[4]) == "error:", 10)

    lab.stop_podferry()
    expect(lab, "error:", FREE[4], ["pod4"])
    lab.start_podferry()
    expect(lab, "error:", FREE[4])
    if lab.metric("podferry_drift_repairs_total", object="nftables"):
        raise Failure("its own rules are taken for drift")


def it_leaves_overlapping_ranges_alone(lab):
    """allow_range_overlap: other hosts may be in them."""
    lab.track_connections()
    start_next_router(lab, (*FREE.values(), OTHER))
    lab.start_podferry(config="allow_range_overlap: true\n")
    expect(lab, "router", FREE[4])
