"""What a kubelet does, as far as the API sees it: the Node and its heartbeat, and pods that run, drain and end. A pod is
a network namespace of the lab in which a small server listens (pods.cpp)."""
import datetime
import queue
import threading
import time

from api import AWAY, Refused, path
from lab import NODE_IP, pod_ip
from pod_servers import PodServers

NODE = "node"
LEASES = "kube-node-lease"
HEARTBEAT = 10  # seconds
DRAIN = 3  # seconds for which a terminating pod goes on answering, as a careful program does
PODS_HERE = path("Pod", None, None) + f"?fieldSelector=spec.nodeName={NODE}"


def now(parts="seconds"):
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec=parts).replace("+00:00", "Z")


def condition(name):
    return {"type": name, "status": "True", "reason": "TestAgent", "lastTransitionTime": now()}


class NodeAgent:
    def __init__(self, api):
        self.api = api
        self.free = []  # numbers of the lab's pods; the one that was freed last is used first
        self.running = {}  # by UID: (name, number)
        self.waiting = {}  # by UID: pods for which no number is free
        self.draining = set()  # UIDs
        self.ending = queue.Queue()
        self.stopping = threading.Event()
        self.watching = None
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.beat, self.follow_pods, self.end_pods)]

    def start(self):
        self.servers = PodServers()
        self.register()
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        self.cut_watch()
        for thread in self.threads:
            if thread.is_alive():
                thread.join(15)
        self.servers.stop()

    def names(self):
        """Of the pods that run: by the lab's number."""
        return {number: name for name, number in list(self.running.values())}

    # ---- the Node -----------------------------------------------------------------------------------------------
    def register(self):
        self.api.create_unless_there({"apiVersion": "v1", "kind": "Node", "metadata": {
            "name": NODE, "labels": {"kubernetes.io/hostname": NODE, "topology.kubernetes.io/zone": "zone-a"}}})
        self.api.patch("Node", NODE, {"status": {
            "addresses": [{"type": "InternalIP", "address": NODE_IP[4]}, {"type": "InternalIP", "address": NODE_IP[6]},
                          {"type": "Hostname", "address": NODE}],
            "conditions": [condition("Ready") | {"lastHeartbeatTime": now()}]}}, part="status")
        self.api.create_unless_there({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {
            "name": NODE, "namespace": LEASES}, "spec": {"holderIdentity": NODE, "leaseDurationSeconds": 40,
                                                         "renewTime": now("microseconds")}})

    def beat(self):
        while not self.stopping.wait(HEARTBEAT):
            try:
                self.api.patch("Lease", NODE, {"spec": {"renewTime": now("microseconds")}}, LEASES)
                self.api.patch("Node", NODE, {"status": {
                    "conditions": [condition("Ready") | {"lastHeartbeatTime": now()}]}}, part="status")
            except (*AWAY, Refused):
                pass  # the API server is away; the next beat is not far

    # ---- pods ---------------------------------------------------------------------------------------------------
    def follow_pods(self):
        while not self.stopping.is_set():
            try:
                listed = self.api.request("GET", PODS_HERE)
                self.forget_all_but({pod["metadata"]["uid"] for pod in listed["items"]})
                for pod in listed["items"]:
                    self.see("ADDED", pod)
                for kind, pod in self.api.watch(PODS_HERE, listed["metadata"]["resourceVersion"], self.remember_watch):
                    if kind == "ERROR":
                        break
                    self.see(kind, pod)
            except (*AWAY, Refused, ValueError, AttributeError):
                self.stopping.wait(0.2)  # the API server is away, or we cut the connection

    def remember_watch(self, connection):
        self.watching = connection
        if self.stopping.is_set():
            self.cut_watch()

    def cut_watch(self):
        try:
            self.watching.sock.shutdown(2)
        except (OSError, AttributeError):
            pass  # there is none

    def see(self, kind, pod):
        if kind == "BOOKMARK":
            return
        if kind == "DELETED":
            self.forget(pod["metadata"]["uid"])
        elif "deletionTimestamp" in pod["metadata"]:
            self.drain(pod)
        else:
            self.run(pod)

    def drain(self, pod):
        if pod["metadata"]["uid"] not in self.draining:
            self.draining.add(pod["metadata"]["uid"])
            self.ending.put((time.monotonic() + DRAIN, pod))

    def run(self, pod):
        uid, name = pod["metadata"]["uid"], pod["metadata"]["name"]
        if uid not in self.running:
            if not self.free:
                self.waiting[uid] = pod
                return
            number = self.free.pop()
            self.servers.open(name, f"pod{number}")
            self.running[uid] = (name, number)
        if pod.get("status", {}).get("phase") != "Running":
            self.report_ready(pod, self.running[uid][1])

    def report_ready(self, pod, number):
        self.api.patch("Pod", pod["metadata"]["name"], {"status": {
            "phase": "Running", "startTime": now(), "hostIP": NODE_IP[4], "podIP": pod_ip(number),
            "podIPs": [{"ip": pod_ip(number)}, {"ip": pod_ip(number, 6)}],
            "conditions": [condition(name) for name in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]}},
            pod["metadata"]["namespace"], part="status")

    def forget(self, uid):
        """Its address goes to the pod that waits longest for one."""
        self.waiting.pop(uid, None)
        name, number = self.running.pop(uid, (None, None))
        if name:
            self.servers.close(name)
            self.free.append(number)
            if self.waiting:
                self.run(self.waiting.pop(next(iter(self.waiting))))

    def forget_all_but(self, uids):
        for uid in set(self.running) - uids:
            self.forget(uid)

    def end_pods(self):
        """Terminating pods, each when its time has come: first the program ends, then the object, then the address is free."""
        while not self.stopping.is_set():
            try:
                due, pod = self.ending.get(timeout=0.2)
            except queue.Empty:
                continue
            self.stopping.wait(max(0.0, due - time.monotonic()))
            self.servers.close(pod["metadata"]["name"])
            try:
                self.api.delete("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], grace=0)
            except AWAY:
                self.ending.put((time.monotonic() + 1, pod))
