"""The programs of many pods in one process (tests/e2e/pods.cpp), for scenarios with more pods than programs can be started."""
import subprocess
import threading

from lab import POD_PORT, Failure


class PodServers:
    """The program that listens in pods' network namespaces."""

    def __init__(self, port=POD_PORT):
        self.process = subprocess.Popen(["e2e-pods", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.one_at_a_time = threading.Lock()

    def open(self, name, space):
        self.ask(f"open {name} {space}")

    def close(self, name):
        """Its listeners and its connections end."""
        self.ask(f"close {name}")

    def ask(self, line):
        with self.one_at_a_time:
            self.process.stdin.write(line + "\n")
            answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise Failure(f"e2e-pods: {line}: {answer or 'ended'}")

    def kill(self):
        self.process.kill()

    def wait(self):
        self.process.wait()

    def stop(self):
        self.kill()
        self.wait()
