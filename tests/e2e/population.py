"""Many Services, each with a slice that no controller owns, written to the API server by several clients at once. Runs on
the host: under emulation it would take minutes."""
import concurrent.futures
import http.client
import json
import ssl
import threading

NAMESPACE = "crowd"
CLIENTS = 8
PODS = 5


def address(base, number):
    number += 256
    return f"{base}.{number >> 8 & 255}.{number & 255}"


def cluster_ip(number):
    return address("10.96", number)


def pod_address(number, index):
    """From 10.2.0.0 on; no two Services share one."""
    place = number * PODS + index
    return f"10.{2 + (place >> 16)}.{place >> 8 & 255}.{place & 255}"


def name(number):
    return f"svc-{number}"


def service(number):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name(number), "namespace": NAMESPACE},
            "spec": {"clusterIP": cluster_ip(number), "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}


def endpoints(number, count=PODS):
    return [{"addresses": [pod_address(number, index)], "conditions": {"ready": True, "serving": True, "terminating": False},
             "nodeName": "elsewhere", "targetRef": {"kind": "Pod", "namespace": NAMESPACE, "name": f"{name(number)}-{index}"}}
            for index in range(count)]


def endpoint_slice(number):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name(number)}-x", "namespace": NAMESPACE,
                         "labels": {"kubernetes.io/service-name": name(number)}},
            "ports": [{"name": "http", "protocol": "TCP", "port": 8080}], "endpoints": endpoints(number)}


class Writer:
    """A connection for each thread."""

    def __init__(self, plane):
        self.plane = plane
        self.trust = ssl.create_default_context(cafile=plane.certificates.ca)
        self.of_thread = threading.local()

    def post(self, path, item):
        status, said = self.request("POST", path, item)
        # A Service that is there already is refused for its address, which it has itself.
        if status == 422 and self.request("GET", f"{path}/{item['metadata']['name']}", None)[0] == 200:
            return
        if status not in (201, 409):
            raise RuntimeError(f"POST {path}: {status} {said[:300]}")

    def request(self, verb, path, item):
        if not hasattr(self.of_thread, "connection"):
            self.of_thread.connection = http.client.HTTPSConnection("127.0.0.1", self.plane.api_port, timeout=60,
                                                                    context=self.trust)
        self.of_thread.connection.request(verb, path, json.dumps(item) if item else None, {
            "Authorization": f"Bearer {self.plane.admin_token}", "Content-Type": "application/json"})
        answer = self.of_thread.connection.getresponse()
        return answer.status, answer.read()


def populate(plane, size):
    writer = Writer(plane)
    writer.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})

    def write(number):
        writer.post(f"/api/v1/namespaces/{NAMESPACE}/services", service(number))
        writer.post(f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices", endpoint_slice(number))

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(write, range(size)))
