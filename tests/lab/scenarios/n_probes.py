"""Probes of servers that are real: gRPC's own health server, HTTP/2 of nginx."""
import subprocess

from lab import PYTHON, Failure, wait_until
from manifests import pod, service
from probed import HERE, ROOT, enter, grpc_environment

ADDRESS = "10.96.0.5"
GRPC_PORT = 9000


def probe(handler, timeout=1):
    return f"    readinessProbe:\n      {handler}\n      periodSeconds: 1\n      timeoutSeconds: {timeout}\n      failureThreshold: 2\n"


def used(lab):
    return {name for name, weight in lab.weights(ADDRESS, 80).items() if weight > 0}


def wait_used(lab, *names, seconds=20):
    try:
        wait_until(f"{', '.join(names)} get connections", lambda: used(lab) == set(names), seconds)
    except Failure as error:
        raise Failure(f"{error}; used: {used(lab)}") from None


def expect_logged(lab, words):
    wait_until(f"the log says: {words}", lambda: words in lab.log(), 10)


def start_health_server(lab, number):
    name, said = f"grpc{number}", lab.folder / f"grpc{number}"
    process = lab.spawn(name, f"pod{number}", [PYTHON, str(HERE / "health_server.py"), str(GRPC_PORT), f"{said}.sick"],
                        env=grpc_environment(), stderr=open(said, "w"))

    def listens():
        if process.poll() is not None:
            raise Failure(f"{name} has ended:\n{said.read_text()}")
        return f":{GRPC_PORT} " in lab.on(f"pod{number}", "ss", "-Hltn")

    wait_until(f"{name} listens", listens, 60)


def it_asks_grpc_health_servers(lab):
    """SERVING of a service or of the whole server is ready; all else is not, and says why."""
    for number in (1, 2, 3, 4):
        lab.start_pod(number)
    for number in (1, 2, 3):
        start_health_server(lab, number)
    lab.write("web.yaml", service() + pod(1, probe=probe("grpc: {port: 9000}")) +
              pod(2, probe=probe("grpc: {port: 9000, service: shop.Cart}")) +
              pod(3, probe=probe("grpc: {port: 9000, service: nobody}")) +
              pod(4, probe=probe("grpc: {port: 8080}")))  # that is no HTTP/2
    lab.start_podferry()
    wait_used(lab, "pod1", "pod2", seconds=60)
    expect_logged(lab, "rpc error: code = NotFound")
    (lab.folder / "grpc2.sick").touch()
    wait_used(lab, "pod1")
    expect_logged(lab, "service unhealthy (responded with \\\"NOT_SERVING\\\")")
    (lab.folder / "grpc2.sick").unlink()
    wait_used(lab, "pod1", "pod2")
    lab.processes["grpc1"].send_signal(19)  # SIGSTOP: it accepts, and says nothing
    wait_used(lab, "pod2")
    expect_logged(lab, "timeout: health rpc did not complete within 1s")
    lab.processes["grpc1"].send_signal(18)
    wait_used(lab, "pod1", "pod2")


NGINX = """\
daemon off;
pid /run/nginx.pid;
error_log /dev/stderr;
events {{}}
http {{
    log_format protocol '$server_protocol $uri $status';
    access_log /asked protocol;
    server {{
        listen 8443 ssl http2;
        listen 8444 ssl;
        listen 8445 http2;
        ssl_certificate /tls.crt;
        ssl_certificate_key /tls.key;
        location = /moved {{ return 302 /healthz; }}
        location = /healthz {{
            if (-f /sick) {{ return 503; }}
            return 200 fine;
        }}
    }}
}}
"""


def it_speaks_http2_where_the_server_chooses_it(lab):
    """HTTPS with and without HTTP/2, a redirect, and HTTP/2 in plain text, of nginx."""
    for number in (1, 2, 3, 4):
        lab.start_pod(number)
    (ROOT / "nginx.conf").write_text(NGINX.format())
    (ROOT / "asked").touch()
    (ROOT / "sick").unlink(missing_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=pod",
                    "-keyout", str(ROOT / "tls.key"), "-out", str(ROOT / "tls.crt")], check=True, capture_output=True)
    for number in (1, 2, 3, 4):
        lab.spawn(f"nginx{number}", f"pod{number}", enter("nginx", "-c", "/nginx.conf"), stderr=open(lab.folder / f"nginx{number}", "w"))
    lab.write("web.yaml", service() +
              pod(1, probe=probe("httpGet: {path: /healthz, port: 8443, scheme: HTTPS}")) +
              pod(2, probe=probe("httpGet: {path: /healthz, port: 8444, scheme: HTTPS}")) +
              pod(3, probe=probe("httpGet: {path: /healthz, port: 8445, protocol: HTTP2}")) +
              pod(4, probe=probe("httpGet: {path: /moved, port: 8443, scheme: HTTPS}")))
    lab.start_podferry()
    wait_used(lab, "pod1", "pod2", "pod3", "pod4", seconds=60)
    asked = (ROOT / "asked").read_text()
    for line in ("HTTP/2.0 /healthz 200", "HTTP/1.1 /healthz 200", "HTTP/2.0 /moved 302"):
        if line not in asked:
            raise Failure(f"nginx was not asked so: {line}\n{asked[-2000:]}")
    (ROOT / "sick").touch()
    expect_logged(lab, "HTTP probe failed with statuscode: 503")
    wait_used(lab)
    (ROOT / "sick").unlink()
    wait_used(lab, "pod1", "pod2", "pod3", "pod4")
