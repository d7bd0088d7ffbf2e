"""What scenarios, which run inside the virtual machine, may ask of the host: `POST /VERB` with a JSON object of
arguments, answered by a JSON value, or by status 500 and the reason."""
import http.server
import json
import threading
import traceback

from chaos_proxy import ChaosProxy
from chart import apply_rights
from control_plane import ControlPlaneError
from population import populate


class ControlServer:
    def __init__(self, plane):
        self.plane = plane
        self.chaos = None
        self.one_at_a_time = threading.Lock()
        self.verbs = {"kill-api-server": plane.kill_api_server, "start-api-server": self.start_api_server,
                      "compact-etcd": plane.compact_etcd, "log-tails": self.log_tails,
                      "populate": lambda size: populate(plane, size), "empty-etcd": self.empty_etcd,
                      "client-certificate": lambda user: plane.certificates.client(user),
                      "start-chaos": self.start_chaos, "chaos-so-far": lambda: dict(self.chaos.counters),
                      "calm-chaos": self.calm_chaos, "stop-chaos": self.stop_chaos}

    def __enter__(self):
        verbs, lock = self.verbs, self.one_at_a_time

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                status, answer = perform(verbs, lock, self.path.strip("/"), self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Nobody reads it."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.stop_chaos()

    # ---- verbs --------------------------------------------------------------------------------------------------
    def start_api_server(self, new_certificate=False):
        if new_certificate:
            self.plane.renew_serving_certificate()
        if "kube-apiserver" not in self.plane.processes:
            self.plane.restart_api_server()

    def empty_etcd(self, bump=True):
        """As if restored from nothing; only podferry's rights are there again."""
        self.plane.empty_etcd(bump)
        apply_rights(self.plane)

    def log_tails(self):
        return {name: self.plane.log_tail(name) for name in ("etcd", "kube-apiserver", "kube-controller-manager")}

    def start_chaos(self, seed=0):
        """Returns the port of a proxy in front of the API server that spoils what passes."""
        self.stop_chaos()
        certificate, key = self.plane.serving
        self.chaos = ChaosProxy(self.plane.api_port, str(self.plane.certificates.ca), str(certificate), str(key), seed)
        return self.chaos.start()

    def calm_chaos(self):
        """From now on it forwards faithfully. Returns what it has done."""
        self.chaos.calm = True
        return dict(self.chaos.counters)

    def stop_chaos(self):
        """Returns what it has done."""
        chaos, self.chaos = self.chaos, None
        if chaos:
            chaos.stop()
        return dict(chaos.counters) if chaos else {}


def perform(verbs, lock, name, body):
    """HTTP status and answer of one request."""
    if name not in verbs:
        return 404, f"no such verb: {name}"
    try:
        with lock:
            return 200, verbs[name](**json.loads(body or b"{}"))
    except ControlPlaneError as error:
        return 500, str(error)
    except Exception:  # the guest prints it beside its own state
        return 500, traceback.format_exc()
