"""The privileged step, `podferry node --init-only`: it loads the modules itself, without modprobe and without a shell."""
import lzma
import os
import pathlib

from j_host import NOBODY, UNPRIVILEGED
from lab import NODE_IP, PODFERRY, Failure, run, wait_until
from manifests import pods, service
from modules import MODULES, nothing_is_loaded, unload

RELEASE = os.uname().release
KERNELS = pathlib.Path("/usr/lib/modules") / RELEASE
WANTED = ["ip_vs", "ip_vs_rr", "nf_tables", "nft_chain_nat", "nft_ct", "nft_fib_inet", "nft_masq", "nft_nat", "nft_reject_inet",
          "nf_conntrack_netlink", "dummy"]


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def of_a_container(capabilities, modules):
    """A command that runs another one as a container would: as root with these capabilities alone, `modules` in the place of
    /usr/lib/modules, and no program to be found."""
    kept = ",".join(f"+{name}" for name in capabilities)
    return ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" /usr/lib/modules && shift && export PATH=/nonexistent && exec "$@" 2>&1',
            "sh", str(modules), "/usr/bin/setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all"]


def init(lab, capabilities, modules, what="all", check=True):
    return lab.on("node", *of_a_container(capabilities, modules), PODFERRY, "node", f"--init-only={what}", "--config",
                  f"{lab.folder}/config.yaml", check=check)


def unload_all():
    for module in ("nf_tables", "ip_vs", "dummy", "nf_conntrack_netlink"):
        if (MODULES / module).exists():
            unload(module)
    expect(not any((MODULES / module).exists() for module in WANTED), "a module is still there")


def packed(folder):
    """A folder as /lib/modules of a kernel whose modules are compressed."""
    place = folder / "packed" / RELEASE
    needed = {line.split()[1] for module in WANTED for line in run(["modprobe", "--show-depends", module]).splitlines()
              if line.startswith("insmod ")}
    for path in map(pathlib.Path, needed):
        path = KERNELS / path.relative_to(f"/lib/modules/{RELEASE}")
        target = place / path.relative_to(KERNELS)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".ko":
            target.with_suffix(".ko.xz").write_bytes(lzma.compress(path.read_bytes(), check=lzma.CHECK_CRC32, preset=0))
        else:
            target.write_bytes(path.read_bytes())
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if (KERNELS / name).exists():
            (place / name).write_bytes((KERNELS / name).read_bytes())
    run(["depmod", "--basedir", str(dressed(place)), RELEASE])
    return place.parent


def dressed(place):
    """depmod wants lib/modules/RELEASE below a root."""
    root = place.parents[1] / "root"
    (root / "lib/modules").mkdir(parents=True)
    (root / "lib/modules" / RELEASE).symlink_to(place)
    return root


def serves(lab):
    """A podferry without root, which finds everything there: connections from a pod and, masqueraded, from outside."""
    (lab.folder / "state").mkdir(exist_ok=True)
    for place in (lab.folder, lab.folder / "state"):
        os.chown(place, NOBODY, NOBODY)
    lab.start_podferry(prefix=UNPRIVILEGED)
    expect(lab.is_answered_by("pod1"), "no answer over the ClusterIP")
    expect([who for who, _ in lab.ask("outside", "tcp", NODE_IP[4], 30080, 1)] == ["pod1"], "no answer over the node port")
    expect(lab.ask("pod4", "tcp", "10.96.0.5", 81, 1) == [("error:", "Connection refused")], "an unknown port is not refused")
    wait_until("no problems", lambda: "problems           0" in lab.status(), 10)


def it_loads_the_modules_where_there_is_no_modprobe(lab):
    """Packed modules (.ko.xz) with their dependencies; CAP_SYS_MODULE and CAP_NET_ADMIN alone; what podferry needs later is
    there, though the kernel loads nothing."""
    lab.start_pods(1)
    lab.write("web.yaml", service(ports=[("http", "TCP", 80, 30080)], extra="  type: NodePort\n") + pods(1, probe=None))
    place = packed(lab.folder)
    try:
        with nothing_is_loaded():
            unload_all()
            said = init(lab, ["net_admin"], place, check=False)
            expect("loading it takes CAP_SYS_MODULE" in said and "has no IPVS" in said, f"without the capability: {said}")
            said = init(lab, ["sys_module"], place, "modules")
            missing = [module for module in WANTED if f'"module {module}"' not in said or not (MODULES / module).exists()]
            expect(not missing, f"not loaded: {missing}; it said {said}")
            expect((MODULES / "ip_vs/parameters/conn_tab_bits").read_text().strip() == "16", "ip_vs has the kernel's own size")
            expect("changed=0 " in init(lab, ["sys_module"], place, "modules"), "a second time there is something to do")
            init(lab, ["net_admin"], lab.folder, "sysctls")
            serves(lab)
    finally:
        lab.stop_podferry()
        lab.podferry("cleanup", "--config", f"{lab.folder}/config.yaml", check=False)
        run(["modprobe", "-a", "ip_vs", "nf_tables", "dummy"], check=False)


def it_leaves_the_modules_to_the_kernel_where_it_may_not(lab):
    """CAP_NET_ADMIN alone, and no modules to be seen: who asks for IPVS, a table or a device makes the kernel start the host's
    modprobe, in the host's own file system."""
    lab.start_pods(1)
    lab.write("web.yaml", service(ports=[("http", "TCP", 80, 30080)], extra="  type: NodePort\n") + pods(1, probe=None))
    unload_all()
    said = init(lab, ["net_admin"], lab.folder)
    expect("modules left to the kernel" in said and "not_possible=0" in said, f"it said {said}")
    serves(lab)
