#!/usr/bin/env python3
"""Runs a command in a virtual machine with one of Debian's stock cloud kernels, which have IPVS.

The machine sees this machine's file system read-only (virtiofs) under a writable layer in memory, so that every tool
that is installed here is there too; nothing it does is seen here. Needs root, and the packages of `./dev setup`.

    vm.py [--kernel VERSION] [--root FOLDER] [--timeout SECONDS] [--memory MIB] [--network] [--counted] [--interactive] [--twice] COMMAND...

With --root FOLDER it boots the Debian in that folder with its own systemd in place of this machine's files; the command runs once it is
up, in this folder, which is read-only at /srv.

With --network it has an interface behind which this machine's loopback is 10.0.2.2 (and is itself to be 10.0.2.15).
With --counted it has one processor, and its clock goes on by 8 ns with each instruction: what is timed by it is what it has to
execute, however busy this machine is.
Rarely, the emulator fails, and not what it runs: a processor stands still for minutes, or a kernel panics at a breakpoint that it
has taken away again (it patches its own code while the other processor runs it). Such a machine is given up. With --twice the
command is then run again, in a new one.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import tty

import kernels
from pace import pace, stretched

VIRTIOFSD = next((p for p in ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd") if os.path.exists(p)), None)
KVM_CPU = "host,-arch-capabilities"  # nested KVM may refuse that register
BOOT_MODULES = ["virtio_pci", "virtio_console", "fuse", "virtiofs", "overlay"]
NETWORK_MODULES = ["virtio_net"]
NETWORK = ["-netdev", "user,id=net0,restrict=off,ipv6=off", "-device", "virtio-net-pci,netdev=net0,romfile="]
COUNTED = ["-accel", "tcg,thread=single", "-icount", "shift=3", "-cpu", "max", "-smp", "1"]
EXIT_MARK = "podferry-lab-exit:"
# What a kernel says when the emulator has failed. (100 s and more: a busy machine is not stuck for so long. "int3": text_poke's
# breakpoint; the kernel shows the code beside it, and there is none in it any more.)
EMULATOR_FAILED = re.compile(rb"soft lockup - CPU#\d+ stuck for \d{3,}s|Oops: int3")

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in @ORDER@; do /bin/busybox insmod /modules/$module.ko || echo "cannot load $module"; done
/bin/busybox mount -t virtiofs -o ro host /lower || exec /bin/busybox poweroff -f
/bin/busybox mount -t tmpfs -o size=80% tmpfs /upper
/bin/busybox mkdir /upper/files /upper/work
/bin/busybox mount -t overlay -o lowerdir=/lower@ROOT@,upperdir=/upper/files,workdir=/upper/work overlay /root
/bin/busybox mkdir -p /root/lib/modules
@PREPARE@
/bin/busybox mount --move /dev /root/dev
/bin/busybox umount /proc
exec /bin/busybox switch_root /root @INIT2@
"""

INIT2 = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mkdir -p /dev/pts /dev/shm && mount -t devpts devpts /dev/pts && mount -t tmpfs tmpfs /dev/shm
mkdir -p /usr/lib/modules/$(uname -r)
mount --bind @MODULES@ /usr/lib/modules/$(uname -r)
printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n' > /etc/hosts
# One scheduler is not there, whatever the kernel has.
echo 'install ip_vs_twos /bin/false' > /etc/modprobe.d/lab.conf
exec < /dev/hvc0 > /dev/hvc0 2>&1
ip link set lo up
cd @FOLDER@
@COMMAND@
status=$?
echo
echo "@MARK@ $status"
sleep 0.1
busybox poweroff -f
"""

# Of a Debian with systemd: its modules, this folder, and a service that runs the command.
PREPARE = """\
modules=/root/usr/lib/modules/$(/bin/busybox uname -r)
/bin/busybox mkdir -p $modules
/bin/busybox mount --bind /lower@MODULES@ $modules
/bin/busybox mount --bind /lower@FOLDER@ /root/srv
/bin/busybox cp /lower@PLACE@/command /root/usr/local/sbin/lab-command
/bin/busybox cp /lower@PLACE@/lab.service /root/etc/systemd/system/lab.service
/bin/busybox mkdir -p /root/etc/systemd/system/multi-user.target.wants
/bin/busybox ln -sf ../lab.service /root/etc/systemd/system/multi-user.target.wants/lab.service
/bin/busybox ln -sf /dev/null /root/etc/systemd/system/serial-getty@hvc0.service
/bin/busybox ln -sf /dev/null /root/etc/systemd/system/serial-getty@ttyS0.service
echo 6c6162006c6162006c6162006c616200 > /root/etc/machine-id
echo lab > /root/etc/hostname
"""

LAB_SERVICE = """\
[Unit]
Description=what the lab runs
After=multi-user.target
DefaultDependencies=no
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/local/sbin/lab-command
"""

COMMAND = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
exec < /dev/hvc0 > /dev/hvc0 2>&1
cd /srv
@COMMAND@
status=$?
echo
echo "@MARK@ $status"
sleep 0.1
exec systemctl poweroff --force --force
"""


def initramfs(folder, debian, names, target, init):
    root = folder / "initramfs"
    for place in ("bin", "proc", "dev", "lower", "upper", "root", "modules"):
        (root / place).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    order = kernels.load_order(debian, names)
    for path in order:
        (root / "modules" / (kernels.plain_name(path) + ".ko")).write_bytes(kernels.unpacked(path))
    loaded = " ".join(kernels.plain_name(path) for path in order)
    write_program(root / "init", init, ORDER=loaded)
    listing = subprocess.run(["find", ".", "-print0"], cwd=root, capture_output=True, check=True).stdout
    with open(target, "wb") as out:
        subprocess.run(["cpio", "--null", "--quiet", "-o", "-H", "newc"], input=listing, cwd=root, stdout=out, check=True)


def write_program(path, text, **words):
    """A script, with what stands in it between @s."""
    for name, value in words.items():
        text = text.replace(f"@{name}@", str(value))
    path.write_text(text)
    path.chmod(0o755)


def first_program(args, folder, debian):
    """What the machine runs first, of the initramfs; writes into the folder what that needs later."""
    command = f"export LAB_PACE={1 if args.counted else pace().factor:.2f}; " + " ".join(args.command)
    if args.root:
        write_program(folder / "command", COMMAND, COMMAND=command, MARK=EXIT_MARK)
        (folder / "lab.service").write_text(LAB_SERVICE)
        prepare = PREPARE.replace("@MODULES@", str(kernels.modules(debian))).replace("@FOLDER@", os.getcwd()).replace("@PLACE@", str(folder))
        return INIT.replace("@ROOT@", args.root).replace("@PREPARE@", prepare).replace("@INIT2@", "/lib/systemd/systemd")
    write_program(folder / "init2", INIT2, MODULES=kernels.modules(debian), FOLDER=os.getcwd(), COMMAND=command, MARK=EXIT_MARK)
    return INIT.replace("@ROOT@", "").replace("@PREPARE@", "").replace("@INIT2@", str(folder / "init2"))


def has_kvm(debian):
    """Whether KVM really runs a kernel: a nested one may open and then fail, or crawl. Asked once per boot."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    answer = kernels.CACHE / ("kvm-" + pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    if not answer.exists():
        try:  # without a root file system the kernel panics, which ends the machine
            probe = subprocess.run(
                ["qemu-system-x86_64", "-M", "q35", "-accel", "kvm", "-cpu", KVM_CPU, "-m", "512", "-nodefaults",
                 "-no-reboot", "-display", "none", "-kernel", str(kernels.image(debian)),
                 "-append", "console=ttyS0 panic=-1", "-serial", "stdio"], capture_output=True, timeout=stretched(10))
            works = b"Kernel panic" in probe.stdout
        except subprocess.TimeoutExpired:
            works = False
        answer.write_text("yes" if works else "no")
    return answer.read_text() == "yes"


def processors(debian, counted):
    if counted:
        return COUNTED
    accel = ["-accel", "kvm", "-cpu", KVM_CPU] if has_kvm(debian) else ["-accel", "tcg,thread=multi", "-cpu", "max"]
    return [*accel, "-smp", "2"]


def start(args, folder):
    debian = kernels.fetch(args.kernel)
    initramfs(folder, debian, BOOT_MODULES + (NETWORK_MODULES if args.network else []), folder / "initrd", first_program(args, folder, debian))
    share = subprocess.Popen([VIRTIOFSD, f"--socket-path={folder}/share", "-o", "source=/", "-o", "sandbox=chroot", "-o",
                              "cache=always"], stdout=subprocess.DEVNULL, stderr=open(folder / "virtiofsd.log", "w"))
    deadline = time.monotonic() + stretched(10)
    while not (folder / "share").exists():
        if time.monotonic() > deadline or share.poll() is not None:
            sys.exit("the file system cannot be shared: " + (folder / "virtiofsd.log").read_text())
        time.sleep(0.01)
    append = "console=ttyS0 loglevel=5 panic=-1 random.trust_cpu=on mitigations=off tsc=reliable systemd.show_status=error"
    qemu = subprocess.Popen(
        ["qemu-system-x86_64", "-M", "q35", *processors(debian, args.counted), "-m", str(args.memory), "-nodefaults", "-no-reboot",
         "-display", "none", "-kernel", str(kernels.image(debian)), "-initrd", str(folder / "initrd"),
         "-append", append, "-object", f"memory-backend-memfd,id=memory,size={args.memory}M,share=on",
         "-numa", "node,memdev=memory", "-chardev", f"socket,id=share,path={folder}/share",
         "-device", "vhost-user-fs-pci,chardev=share,tag=host", "-serial", f"file:{folder}/kernel.log",
         "-device", "virtio-serial-pci", "-chardev", "stdio,id=console,signal=off", "-device", "virtconsole,chardev=console",
         *(NETWORK if args.network else [])],
        stdin=None if args.interactive else subprocess.DEVNULL, stdout=None if args.interactive else subprocess.PIPE,
        stderr=open(folder / "qemu.log", "w"))
    return share, qemu


def emulator_failed(folder):
    log = folder / "kernel.log"
    return log.exists() and EMULATOR_FAILED.search(log.read_bytes()) is not None


def stream(qemu, folder, deadline):
    """Prints what the machine says; its exit status, or None when it did not say."""
    status = None
    next_look = 0
    os.set_blocking(qemu.stdout.fileno(), False)
    rest = b""
    while time.monotonic() < deadline:
        if time.monotonic() > next_look:
            if emulator_failed(folder):
                break
            next_look = time.monotonic() + 5
        chunk = qemu.stdout.read()
        if chunk is None:
            time.sleep(0.01)
            continue
        if not chunk:
            break
        *lines, rest = (rest + chunk.replace(b"\r", b"")).split(b"\n")
        for line in lines:
            if line.startswith(EXIT_MARK.encode()):
                status = int(line.split()[1])
            else:
                sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", choices=kernels.KERNELS, default="6.1")
    parser.add_argument("--root", type=os.path.abspath)
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--memory", type=int, default=2048)
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--counted", action="store_true")
    parser.add_argument("--interactive", action="store_true")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if os.geteuid() != 0 or VIRTIOFSD is None or not shutil.which("qemu-system-x86_64"):
        sys.exit("the lab's virtual machine needs root, QEMU and virtiofsd: ./dev setup")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    status, failed = run(args)
    if failed and args.twice:
        print("the emulator failed; once more, in a new virtual machine", flush=True)
        status, _ = run(args)
    return status


def run(args):
    """The exit status, and whether the emulator failed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="podferry-lab-"))
    terminal = termios.tcgetattr(0) if args.interactive and sys.stdin.isatty() else None
    share = qemu = None
    try:
        share, qemu = start(args, folder)
        if args.interactive:
            if terminal:
                tty.setraw(0)
            return qemu.wait(), False
        status = stream(qemu, folder, time.monotonic() + stretched(args.timeout))
        if status is None:
            print(f"the virtual machine ended without a result (limit {stretched(args.timeout):.0f} s). Its kernel said:")
            print("".join((folder / "kernel.log").read_text(errors="replace").splitlines(True)[-60:]))
            print((folder / "qemu.log").read_text(), (folder / "virtiofsd.log").read_text()[-2000:])
            return 1, emulator_failed(folder)
        return status, False
    finally:
        if terminal:
            termios.tcsetattr(0, termios.TCSADRAIN, terminal)
        for process in (qemu, share):
            if process and process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
