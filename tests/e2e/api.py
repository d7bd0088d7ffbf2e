"""A small client of the Kubernetes API for tests: as much as kubectl and a kubelet need of it."""
import http.client
import json
import threading

SHOP = "shop"  # the namespace of the scenarios
RESOURCES = {"Namespace": ("/api/v1", "namespaces", False), "Node": ("/api/v1", "nodes", False),
             "Service": ("/api/v1", "services", True), "Pod": ("/api/v1", "pods", True), "Secret": ("/api/v1", "secrets", True),
             "Endpoints": ("/api/v1", "endpoints", True), "ServiceAccount": ("/api/v1", "serviceaccounts", True),
             "EndpointSlice": ("/apis/discovery.k8s.io/v1", "endpointslices", True),
             "ServiceCIDR": ("/apis/networking.k8s.io/v1", "servicecidrs", False),
             "Event": ("/apis/events.k8s.io/v1", "events", True), "Lease": ("/apis/coordination.k8s.io/v1", "leases", True)}
MERGE_PATCH = "application/merge-patch+json"
# What is raised while the API server is away.
AWAY = (OSError, http.client.HTTPException)


class Refused(Exception):
    """The API server said no."""

    def __init__(self, status, message):
        super().__init__(f"status {status}: {message}")
        self.status = status


def path(kind, name=None, namespace=SHOP, part=None):
    """Of an object, or of all objects of a kind; `part` is a subresource."""
    group, plural, namespaced = RESOURCES[kind]
    words = [group] + ([f"namespaces/{namespace}"] if namespaced and namespace else []) + [plural]
    return "/".join(words + [word for word in (name, part) if word])


class Api:
    def __init__(self, connect, token):
        """`connect(timeout)` returns an HTTPSConnection that is connected."""
        self.connect = connect
        self.token = token
        self.of_thread = threading.local()

    # ---- verbs --------------------------------------------------------------------------------------------------
    def get(self, kind, name, namespace=SHOP):
        return self.request("GET", path(kind, name, namespace))

    def list(self, kind, namespace=SHOP, query=""):
        return self.request("GET", path(kind, None, namespace) + query)

    def create(self, *objects):
        """Returns the last as the API server made it."""
        for item in objects:
            made = self.request("POST", path(item["kind"], None, item["metadata"].get("namespace")), item)
        return made

    def create_unless_there(self, item):
        try:
            self.create(item)
        except Refused as refusal:
            if refusal.status != 409:
                raise

    def patch(self, kind, name, change, namespace=SHOP, part=None):
        return self.request("PATCH", path(kind, name, namespace, part), change, MERGE_PATCH)

    def delete(self, kind, name, namespace=SHOP, grace=None):
        """`grace` is the grace period in seconds, 0 without any; an object that is gone already is as good."""
        self.delete_path(path(kind, name, namespace), grace)

    def delete_all(self, kind, namespace=SHOP, grace=None):
        self.delete_path(path(kind, None, namespace), grace)

    def delete_path(self, where, grace):
        try:
            self.request("DELETE", where, {} if grace is None else {"gracePeriodSeconds": grace})
        except Refused as refusal:
            if refusal.status != 404:
                raise

    def request_token(self, account, namespace, seconds=3600, bound_to=None):
        """A token for a service account; with `bound_to`, one that is void when that object is deleted."""
        spec = {"expirationSeconds": seconds}
        if bound_to:
            spec["boundObjectRef"] = {"apiVersion": bound_to["apiVersion"], "kind": bound_to["kind"],
                                      "name": bound_to["metadata"]["name"], "uid": bound_to["metadata"]["uid"]}
        answer = self.request("POST", path("ServiceAccount", account, namespace, "token"), {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
        return answer["status"]["token"]

    # ---- HTTP ---------------------------------------------------------------------------------------------------
    def request(self, method, where, body=None, kind="application/json"):
        text = None if body is None else json.dumps(body)
        for attempt in ("on the connection that is there", "on a new one"):
            try:
                answer, data = self.exchange(method, where, text, kind)
                break
            except AWAY:
                self.of_thread.connection = None
                if attempt == "on a new one":
                    raise
        if answer.status >= 400:
            raise Refused(answer.status, message(data))
        return json.loads(data)

    def exchange(self, method, where, text, kind):
        connection = getattr(self.of_thread, "connection", None) or self.connect(30)
        self.of_thread.connection = connection
        connection.request(method, where, text, self.headers(kind))
        answer = connection.getresponse()
        return answer, answer.read()

    def raw(self, where, accept):
        """The bytes of the answer, in one of the formats that the API server speaks."""
        connection = self.connect(30)
        try:
            connection.request("GET", where, headers=self.headers() | {"Accept": accept})
            answer = connection.getresponse()
            if answer.status != 200 or answer.headers["Content-Type"] != accept:
                raise Refused(answer.status, f"{answer.headers['Content-Type']} instead of {accept}")
            return answer.read()
        finally:
            connection.close()

    def headers(self, kind="application/json"):
        return {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Accept": "application/json"}

    def watch(self, where, version, opened=lambda connection: None):
        """Yields (type, object) until the server ends it; `opened` is given the connection, to cut it."""
        connection = self.connect(90)
        opened(connection)
        try:
            mark = "&" if "?" in where else "?"
            connection.request("GET", f"{where}{mark}watch=1&allowWatchBookmarks=true&resourceVersion={version}",
                               headers=self.headers())
            answer = connection.getresponse()
            if answer.status != 200:
                raise Refused(answer.status, message(answer.read()))
            for line in answer:
                event = json.loads(line)
                yield event["type"], event["object"]
        finally:
            connection.close()


def message(data):
    try:
        return json.loads(data)["message"]
    except (ValueError, KeyError):
        return data.decode(errors="replace")
