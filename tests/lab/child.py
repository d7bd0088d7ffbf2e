"""A function in a process of its own: what the lab's programs that are written in Python cost an interpreter's start each
otherwise, which on an emulated processor is a second."""
import os
import signal
import sys
import traceback

STANDARD = (0, 1, 2)


class Child:
    """Runs `work` in the calling thread's network namespace. Of the open files it has only the standard ones and those
    of `keep`; what it prints goes to the file `out`, when there is one."""

    def __init__(self, work, out=None, keep=()):
        sys.stdout.flush()
        self.ended = False
        self.pid = os.fork()
        if self.pid == 0:
            run(work, out, {file.fileno() for file in keep})

    def send_signal(self, number):
        if not self.ended:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self):
        if not self.ended:
            os.waitpid(self.pid, 0)
            self.ended = True


def run(work, out, keep):
    """Never returns: nothing of the parent is cleaned up here."""
    status = 1
    try:
        if out:
            os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 1)
        for number in [int(name) for name in os.listdir("/proc/self/fd")]:
            if number not in keep and number not in STANDARD:
                close(number)
        work()
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def close(number):
    try:
        os.close(number)
    except OSError:
        pass  # the one through which the others were listed
