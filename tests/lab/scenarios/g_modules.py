"""Modules that the kernel has not loaded."""
from lab import PODFERRY, Failure, run, wait_until
from manifests import pods, service
from modules import MODULES, nothing_is_loaded, unload

AUDIT = 3 + 1.5  # audit_period, and the time of an audit on a slow machine


def expect(lab, said, not_said):
    """Of a start in vain, with no modules to be seen, as in a container."""
    command = [PODFERRY, "node", "--config", f"{lab.folder}/config.yaml", "--manifests", str(lab.manifests)]
    hidden = f"mount --bind {lab.folder} /usr/lib/modules; {' '.join(command)}; echo status $?"
    text = lab.on("node", "unshare", "--mount", "sh", "-c", hidden, check=False)
    if "status 1\n" not in text or any(words not in text for words in said) or any(words in text for words in not_said):
        raise Failure(f"expected {said}, not {not_said}:\n{text}")
    if lab.routes() or "podferry0" in lab.on("node", "ip", "link"):
        raise Failure("a start in vain has left something")


def it_says_which_module_is_missing(lab):
    """Without ip_vs and nf_tables, then without one of them: the start ends, names it and what to do, and leaves nothing."""
    lab.write("web.yaml", service() + pods(1, probe=None))
    missing = {"ip_vs": "has no IPVS: load it with 'modprobe ip_vs'", "nf_tables": "has no nftables: load it with 'modprobe nf_tables'"}
    try:
        with nothing_is_loaded():
            unload("nf_tables")
            unload("ip_vs")
            expect(lab, list(missing.values()), [])
            run(["modprobe", "nf_tables"])
            expect(lab, [missing["ip_vs"]], [missing["nf_tables"]])
            unload("nf_tables")
            run(["modprobe", "ip_vs"])
            expect(lab, [missing["nf_tables"]], [missing["ip_vs"]])
    finally:
        run(["modprobe", "-a", "ip_vs", "nf_tables"])
    lab.start_podferry()


def it_finds_a_scheduler_that_is_loaded_later(lab):
    """A Service asks for sed, and the kernel has none: the node's own is used until an audit finds the module."""
    manifest = service().replace("namespace: shop}", 'namespace: shop, annotations: {podferry.io/scheduler: "sed"}}', 1)
    lab.start_pods(1)
    lab.write("web.yaml", manifest + pods(1, probe=None))
    try:
        with nothing_is_loaded():
            if (MODULES / "ip_vs_sed").exists():
                unload("ip_vs_sed")
            lab.start_podferry()
            wait_until("the problem is named", lambda: "kernel has no scheduler sed" in lab.status(), 10)
            wait_until("the node's scheduler is used", lambda: "-A -t 10.96.0.5:80 -s rr" in lab.ipvs(), 5)
            if not lab.is_answered_by("pod1"):
                raise Failure("no answer")
            run(["modprobe", "ip_vs_sed"])
            wait_until("the module is found", lambda: "-A -t 10.96.0.5:80 -s sed" in lab.ipvs(), 2 * AUDIT)
            wait_until("the problem is resolved", lambda: "scheduler" not in lab.status(), 5)
    finally:
        run(["modprobe", "ip_vs_sed"], check=False)
