"""What probes are asked against: programs of Debian in a root of their own (`./dev lab` makes it), and gRPC's own health server."""
import os
import pathlib

ROOT = pathlib.Path(os.environ.get("PODFERRY_CACHE", os.path.expanduser("~/.cache/podferry"))) / "debian-12-probed"
HERE = pathlib.Path(__file__).resolve().parent

# The root is a mount of its own, so that a runtime in it may give a container another one.
MOUNTS = f"""set -e
mount --bind {ROOT} {ROOT}
cd {ROOT}
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p lab
touch etc/hosts etc/resolv.conf etc/hostname  # of containers in the network of the host
mount --bind /run/lab lab
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
pivot_root . mnt  # not chroot: a runtime would give its containers the machine's root
cd /
umount -l mnt
"""


def enter(*command):
    """The command in that root, in a mount namespace of its own."""
    return ["unshare", "--mount", "sh", "-c", MOUNTS + 'exec "$@"', "sh", *command]


def grpc_environment():
    return {**os.environ, "PYTHONPATH": str(ROOT / "grpc")}
