#!/usr/bin/env python3
"""A kernel for the cluster's nodes, built once into the cache: user-mode Linux, which runs as a process at native speed and needs no
KVM. Sources of Debian's linux-source-6.1, with what containers and service proxies need built in: Debian's own user-mode-linux has no
`inet` family of nf_tables.

    kernel.py     builds it, and prints its folder: `linux`, and `lib/modules` with the names of what is built in"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from build import CACHE, one_at_a_time  # noqa: E402

SOURCE = "linux-source-6.1"
CONTAINERS = """MODULES NAMESPACES UTS_NS IPC_NS USER_NS PID_NS NET_NS CGROUPS MEMCG CGROUP_SCHED FAIR_GROUP_SCHED
    CFS_BANDWIDTH CGROUP_PIDS CGROUP_FREEZER CGROUP_DEVICE CGROUP_BPF CGROUP_CPUACCT BPF_SYSCALL SECCOMP SECCOMP_FILTER POSIX_MQUEUE
    SYSVIPC FHANDLE TMPFS TMPFS_XATTR DEVTMPFS DEVTMPFS_MOUNT OVERLAY_FS EXT4_FS BLK_DEV_UBD HIGH_RES_TIMERS NO_HZ_IDLE KEYS IKCONFIG"""
NETWORK = """UML_NET UML_NET_VECTOR NET PACKET UNIX INET IPV6 IP_ADVANCED_ROUTER IP_MULTIPLE_TABLES IPV6_MULTIPLE_TABLES NETDEVICES
    NET_CORE DUMMY VETH BRIDGE TUN INET_DIAG INET_TCP_DIAG NET_SCHED"""
FILTER = """NETFILTER NETFILTER_ADVANCED NETFILTER_INGRESS NF_CONNTRACK NF_CT_NETLINK NF_CONNTRACK_PROCFS NF_CONNTRACK_EVENTS
    NF_CONNTRACK_MARK NF_CONNTRACK_ZONES NF_CT_PROTO_SCTP NF_NAT NF_TABLES NF_TABLES_INET NF_TABLES_IPV4 NF_TABLES_IPV6
    NF_TABLES_NETDEV NFT_CT NFT_NAT NFT_MASQ NFT_REDIR NFT_REJECT NFT_FIB_INET NFT_FIB_IPV4 NFT_FIB_IPV6 NFT_NUMGEN NFT_HASH
    NFT_COMPAT NFT_LIMIT NFT_LOG NFT_QUOTA NFT_CONNLIMIT"""
IPTABLES = """NETFILTER_XTABLES NETFILTER_XT_MARK NETFILTER_XT_CONNMARK NETFILTER_XT_NAT NETFILTER_XT_TARGET_MASQUERADE
    NETFILTER_XT_TARGET_REDIRECT NETFILTER_XT_TARGET_CT NETFILTER_XT_MATCH_COMMENT NETFILTER_XT_MATCH_CONNTRACK
    NETFILTER_XT_MATCH_MULTIPORT NETFILTER_XT_MATCH_ADDRTYPE NETFILTER_XT_MATCH_STATISTIC NETFILTER_XT_MATCH_RECENT
    NETFILTER_XT_MATCH_LIMIT NETFILTER_XT_MATCH_STATE NETFILTER_XT_MATCH_NFACCT NETFILTER_XT_SET NETFILTER_XT_MATCH_IPVS
    NETFILTER_XT_MATCH_PHYSDEV NETFILTER_NETLINK_ACCT IP_NF_IPTABLES IP_NF_FILTER IP_NF_NAT IP_NF_MANGLE IP_NF_RAW
    IP_NF_TARGET_REJECT IP6_NF_IPTABLES IP6_NF_FILTER IP6_NF_NAT IP6_NF_MANGLE IP6_NF_RAW IP6_NF_TARGET_REJECT"""
SETS = """IP_SET IP_SET_BITMAP_IP IP_SET_BITMAP_PORT IP_SET_HASH_IP IP_SET_HASH_IPPORT IP_SET_HASH_IPPORTIP IP_SET_HASH_IPPORTNET
    IP_SET_HASH_NET IP_SET_LIST_SET"""  # of kube-proxy's mode ipvs
IPVS = """IP_VS IP_VS_IPV6 IP_VS_PROTO_TCP IP_VS_PROTO_UDP IP_VS_PROTO_SCTP IP_VS_RR IP_VS_WRR IP_VS_LC IP_VS_WLC IP_VS_SH IP_VS_MH
    IP_VS_SED IP_VS_NQ IP_VS_NFCT"""
WANTED = " ".join([CONTAINERS, NETWORK, FILTER, IPTABLES, SETS, IPVS]).split()
# HOSTFS: a node is to see nothing of this machine. VMAP_STACK: a node hung once with it, in an endless fault on the interrupts' stack.
UNWANTED = """HOSTFS DEBUG_INFO DEBUG_KERNEL GCOV LOCALVERSION_AUTO SOUND WERROR REISERFS_FS HID_SUPPORT ETHERNET VMAP_STACK QUOTA ISO9660_FS AUTOFS_FS
    AUTOFS4_FS MINIX_FS SLIP PPP SLHC BLK_DEV_NBD BLK_DEV_LOOP KALLSYMS PROFILING PERF_EVENTS SUNRPC NLS""".split()
NEEDED = ("NF_TABLES_INET", "IP_VS", "IP_VS_NFCT", "MEMCG", "OVERLAY_FS", "VETH", "DUMMY", "NFT_FIB_INET", "UML_NET_VECTOR", "SECCOMP_FILTER",
          "NF_CT_NETLINK", "CGROUP_BPF", "IP_SET_HASH_IPPORTNET", "NETFILTER_XT_SET")


class KernelError(RuntimeError):
    """The kernel that was configured is not the one that is needed; the message says what is missing."""


def version():
    """Of the newest source package that this machine's sources offer."""
    said = subprocess.run(["apt-cache", "show", "--no-all-versions", SOURCE], check=True, capture_output=True, text=True).stdout
    return re.search(r"^Version: (\S+)", said, re.MULTILINE)[1]


def kernel():
    """Its folder. Whoever comes while it is being built waits."""
    name = hashlib.sha256(" ".join([version(), *WANTED, "no", *UNWANTED]).encode()).hexdigest()[:12]
    folder = CACHE / f"uml-{name}"
    with one_at_a_time(folder):
        make_in(folder)
    return folder


def make_in(folder):
    if not (folder / "complete").exists():
        print(f"building user-mode Linux into {folder}: once, 4 to 15 minutes", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "build").mkdir(parents=True)
        build(unpack(folder / "build"), folder)
        (folder / "complete").touch()
        shutil.rmtree(folder / "build")


def unpack(work):
    """The folder of the sources."""
    subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "download", "-q", SOURCE], check=True, cwd=work, stdout=subprocess.DEVNULL)
    package = next(work.glob("*.deb"))
    subprocess.run(["dpkg", "-x", package, work / "deb"], check=True)
    subprocess.run(["tar", "xf", work / f"deb/usr/src/{SOURCE}.tar.xz"], check=True, cwd=work)
    return work / SOURCE


def build(source, folder):
    out = folder / "build/out"
    out.mkdir(exist_ok=True)

    def make(*what):
        subprocess.run(["make", "ARCH=um", "SUBARCH=x86_64", f"O={out}", f"-j{os.cpu_count()}", *what], check=True, cwd=source,
                       stdout=subprocess.DEVNULL)

    make("defconfig")
    options = [word for option in WANTED for word in ("-e", option)] + [word for option in UNWANTED for word in ("-d", option)]
    subprocess.run([source / "scripts/config", "--file", out / ".config", *options], check=True)
    make("olddefconfig")
    judge((out / ".config").read_text().splitlines())
    make("all")
    make("modules_install", f"INSTALL_MOD_PATH={folder}", "INSTALL_MOD_STRIP=1")
    shutil.copy(out / "linux", folder / "linux")
    for link in [*folder.glob("lib/modules/*/build"), *folder.glob("lib/modules/*/source")]:
        link.unlink()


def judge(config):
    """Some options go away quietly when what they need is not there."""
    missing = [option for option in NEEDED if f"CONFIG_{option}=y" not in config]
    if missing:
        raise KernelError(f"{SOURCE} {version()}: not built in: {', '.join(missing)}")


if __name__ == "__main__":
    print(kernel())
