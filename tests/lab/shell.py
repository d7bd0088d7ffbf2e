#!/usr/bin/env python3
"""An interactive lab: podferry runs on a copy of examples/, in the network of lab.py."""
import pathlib
import shutil
import subprocess
import sys

from lab import PODS, Lab, pod_ip

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"

HELP = """
podferry's lab. You are on the node; podferry serves the manifests of /run/lab/manifests (a copy of examples/).

  podferry services                   each front end, and its pods            (also: podferry status)
  ipvsadm -L -n                       the same, as the kernel has it
  curl 10.96.0.5                      ask a Service from the node
  on pod4 curl 10.96.0.5              ... from a pod            (pod1..pod4: {pods})
  on outside curl 192.168.50.10:30080 ... from outside, by node port
  stop pod2 / start pod2              kill a pod's program, start it again
  vi /run/lab/manifests/web.yaml      change something; it is in force 0.2 s after you save
  log                                 what podferry says
  exit                                the end; nothing is left behind
"""

RC = """
PS1='node# '
alias podferry='with_socket'
with_socket() {{ command podferry "$@" $(case "$1" in services|status) echo --socket /run/lab/podferry.sock;; esac); }}
on() {{ ip netns exec "$@"; }}
stop() {{ ip netns pids "$1" | xargs -r kill -9; }}
start() {{ ip netns exec "$1" /usr/bin/python3 {here}/pod.py "$1" 8080 /run/lab/$1.sick >/dev/null 2>&1 & disown; }}
log() {{ tail -n 40 /run/lab/podferry.log; }}
"""


def main():
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=False)
    with Lab() as lab:
        for path in EXAMPLES.glob("*.yaml"):
            if path.name != "config.yaml":
                shutil.copy(path, lab.manifests)
        lab.start_pods(1, 2, 3)
        lab.start_podferry()
        rc = lab.folder / "rc"
        rc.write_text(RC.format(here=pathlib.Path(__file__).resolve().parent))
        print(HELP.format(pods=", ".join(pod_ip(n) for n in range(1, PODS + 1))))
        subprocess.run(["ip", "netns", "exec", "node", "setsid", "-c", "-w", "bash", "--rcfile", str(rc), "-i"], check=False)
        lab.stop_podferry()
    return 0


if __name__ == "__main__":
    sys.exit(main())
