"""A node as a virtual machine: user-mode Linux, a process of this machine."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import network
from pace import stretched

MEMORY = "1800M"
COMMAND_PORT = 2222  # node/node.py
BOOTS_WITHIN = 240


class GuestError(RuntimeError):
    """A node does not boot, does not answer, or a command on it has failed; the message says what it said."""


class Guest:
    """`folder`: for what it writes. Its memory is a file in /dev/shm, which has no name and goes with it."""

    def __init__(self, name, folder, kernel, disk, share):
        self.name = name
        self.folder = folder
        self.kernel = kernel
        self.disks = f"ubd0={folder}/{name}.cow,{disk}", f"ubd1r={share}"
        self.log = folder / f"{name}.log"
        self.process = None
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))

    def start(self):
        """Returns when it is asked to boot; `wait_until_up` waits."""
        log = open(self.log, "a")
        command = [str(self.kernel / "linux"), f"umid={self.name}", f"uml_dir={self.runtime}", f"mem={MEMORY}", *self.disks, "root=/dev/ubda", "rw",
                   "init=/sbin/node-init", f"vec0:transport=tap,ifname={network.tap(self.name)},depth=128,gro=1,mac={network.mac(self.name)}",
                   "con=null", "con0=null,fd:1", "quiet", f"node={self.name}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                        env=os.environ | {"TMPDIR": "/dev/shm"})

    def wait_until_up(self):
        deadline = time.monotonic() + stretched(BOOTS_WITHIN)
        while "is up" not in self.log.read_text(errors="replace").rsplit("booting\n", 1)[-1]:
            if self.process.poll() is not None:
                raise GuestError(f"{self.name} has ended with {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise GuestError(f"{self.name} is not up after {stretched(BOOTS_WITHIN):.0f} s:\n{self.tail()}")
            time.sleep(0.2)

    def tail(self, size=3000):
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    def run(self, command, check=True, timeout=60):
        """What the shell's command says on the node, both streams."""
        try:
            with socket.create_connection((network.address(self.name), COMMAND_PORT), timeout=stretched(timeout)) as connection:
                connection.sendall(json.dumps(command).encode() + b"\n")
                data = b""
                while part := connection.recv(65536):
                    data += part
            status, said = json.loads(data)
        except (OSError, ValueError) as error:
            raise GuestError(f"{self.name} does not answer to `{command}`: {error}") from error
        if check and status != 0:
            raise GuestError(f"{self.name}: `{command}`: exit status {status}\n{said}")
        return said

    def kill(self):
        """As a power cut does. Each of the machine's programs is a process of the session that `start` has made."""
        if not self.process:
            return
        while left := session(self.process.pid):
            for process in left:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.poll()
            time.sleep(0.05)
        self.process.wait()

    def reboot(self):
        """Its disk stays. Returns when it is up again."""
        self.run("sync")
        self.kill()
        with open(self.log, "a") as log:
            log.write("booting\n")
        shutil.rmtree(self.runtime / self.name, ignore_errors=True)
        self.start()
        self.wait_until_up()


def session(leader):
    """Processes of that session which have not ended."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == leader and state not in "ZX":
            found.append(int(path.parent.name))
    return found
