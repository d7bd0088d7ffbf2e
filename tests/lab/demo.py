#!/usr/bin/env python3
"""The main job, for a person to read: three pods behind a Service, one of them killed."""
import collections
import os
import subprocess
import sys
import time

from lab import NODE_IP, Failure, Lab, wait_until
from manifests import pods, service
from pace import pace

WIDTH = 100


def say(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def show(text):
    print("\n".join("   " + line[:WIDTH * 2] for line in text.strip().splitlines()), flush=True)


def requests(lab, space, address, port, count=12):
    answers = collections.Counter(who for who, _ in lab.ask(space, "tcp", address, port, count))
    total = "   ".join(f"{who} {'#' * answers[who]} {answers[who]}" for who in sorted(answers))
    show(f"{count} requests from {space:8} to {f'{address}:{port}':20} {total}")
    return answers


def metrics(lab):
    wanted = ("podferry_virtual_servers", "podferry_real_servers{", "podferry_probe_total{", "podferry_services_without_backends")
    show("\n".join(line for line in lab.metrics_page().splitlines() if line.startswith(wanted)))


def show_it():
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=False)
    began = time.monotonic()
    with Lab() as lab:
        say("Three pods and a Service, as ordinary Kubernetes manifests in a folder. No cluster is running.")
        lab.start_pods(1, 2, 3)
        lab.write("web.yaml", service(extra="  type: NodePort\n", ports=[("http", "TCP", 80, 30080)]) + pods(1, 2, 3))
        show("Service shop/web: ClusterIP 10.96.0.5:80, node port 30080; pods web-1 web-2 web-3, probed every second")

        say("podferry node reads them, probes the pods and programs IPVS in the kernel.")
        lab.start_podferry()
        wait_until("all pods pass their probes",
                   lambda: sorted(lab.weights("10.96.0.5", 80).values()) == [1, 1, 1], 15)
        show(lab.services())
        metrics(lab)

        say("Requests to the ClusterIP and to the node port are answered by all three pods.")
        requests(lab, "pod4", "10.96.0.5", 80)
        requests(lab, "outside", NODE_IP[4], 30080)

        say("Now pod 2 dies. Nobody tells podferry; it has to find out by itself.")
        lab.kill_pod(2)
        took = wait_until("podferry takes pod 2 out", lambda: lab.weights("10.96.0.5", 80).get("pod2") == 0, 10)
        show(f"no new connections go to pod 2 after {took:.1f} s (its probe: every 1 s, 2 failures);\n"
             "without a prober in the proxy, a pod on a dead node is used for 40 s and more")
        show(lab.services())

        say("Requests go on without it.")
        one = requests(lab, "pod4", "10.96.0.5", 80)
        two = requests(lab, "outside", NODE_IP[4], 30080)
        metrics(lab)

        say("podferry itself is killed; connections do not need it.")
        lab.stop_podferry(9)
        three = requests(lab, "pod4", "10.96.0.5", 80)
        good = all(set(answers) == {"pod1", "pod3"} for answers in (one, two, three))
        say(f"{'Done' if good else 'SOMETHING IS WRONG'} after {time.monotonic() - began:.0f} s. "
            "Next: ./dev shell to try things by hand, README.md to install it.")
        return 0 if good else 1


def main():
    try:
        return show_it()
    except (Failure, OSError, subprocess.SubprocessError) as error:
        say(f"The demo has failed: {error}")
        load = os.getloadavg()[0]
        print("Is this machine busy with something else? Deadlines have been stretched by "
              f"{pace().factor:.1f}; its load is {load:.0f}. The same again, and more of it: ./dev lab a_reach", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
