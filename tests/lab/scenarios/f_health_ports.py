"""Load balancers ask each node on a Service's health check port whether it has pods of the Service."""
import os
import signal
import socket

from lab import NODE_IP, PYTHON, Failure, wait_until
from manifests import pod, pods, service
from netns import network_namespace

PORT = 31000
SECOND_IP = "192.168.50.11"


def balanced(port=PORT, policy="Local"):
    return service(ports=[("http", "TCP", 80, 30080), ("more", "TCP", 81, 30081)],
                   extra=f"  type: LoadBalancer\n  externalTrafficPolicy: {policy}\n  healthCheckNodePort: {port}\n")


def terminating(manifest):
    return manifest.replace("labels:", 'deletionTimestamp: "2026-01-01T00:00:00Z", labels:')


def ask(lab, address=NODE_IP[4], port=PORT, *options):
    """Status, headers and body of the answer to a client outside; None: refused."""
    host = f"[{address}]" if ":" in address else address
    text = lab.on("outside", "curl", "-s", "-i", "-m", "3", *options, f"http://{host}:{port}/", check=False)
    if not text:
        return None
    head, body = text.split("\n\n", 1)
    lines = head.splitlines()
    return int(lines[0].split()[1]), {line.split(": ", 1)[0]: line.split(": ", 1)[1] for line in lines[1:]}, body


def check(answer, endpoints):
    """All that kube-proxy says: the status, its headers, the body byte for byte."""
    body = ('{\n\t"service": {\n\t\t"namespace": "shop",\n\t\t"name": "web"\n\t},\n'
            f'\t"localEndpoints": {endpoints},\n\t"serviceProxyHealthy": true\n}}')
    headers = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff",
               "X-Load-Balancing-Endpoint-Weight": str(endpoints), "Content-Length": str(len(body))}
    if answer is None:
        raise Failure("refused")
    status, got, text = answer
    if status != (200 if endpoints else 503) or text != body or {name: got.get(name) for name in headers} != headers:
        raise Failure(f"not what kube-proxy says of {endpoints} endpoints: {answer}")


def wait_for(lab, endpoints, seconds=10, address=NODE_IP[4]):
    def told():
        answer = ask(lab, address)
        return answer and answer[1].get("X-Load-Balancing-Endpoint-Weight") == str(endpoints)
    wait_until(f"{address}:{PORT} tells of {endpoints} endpoints", told, seconds)
    check(ask(lab, address), endpoints)


def listeners(lab):
    """The addresses on which podferry listens on ports from 31000 to 31009."""
    sockets = lab.on("node", "ss", "-Hltn").splitlines()
    return sorted(line.split()[3] for line in sockets if ":3100" in line.split()[3])


def start(lab, config=None):
    lab.start_pods(1, 2)
    lab.write("service.yaml", balanced())
    lab.write("pods.yaml", pods(1, 2))
    lab.start_podferry(config=config)
    wait_for(lab, 2)


def it_tells_load_balancers_how_many_pods_are_here(lab):
    """Any path and method, both families; probes that fail, pods that are deleted, or terminating and still serving."""
    start(lab)
    check(ask(lab, NODE_IP[6]), 2)
    check(ask(lab, NODE_IP[4], PORT, "-X", "DELETE", "--path-as-is", "--request-target", "/any/path?x=y"), 2)
    status, headers, body = ask(lab, NODE_IP[4], PORT, "--head")
    if status != 200 or body or headers["Content-Type"] != "application/json":
        raise Failure(f"HEAD: {status} {headers} {body}")
    lab.sicken_pod(1)
    wait_for(lab, 1)
    lab.sicken_pod(2)
    wait_for(lab, 0)
    lab.cure_pod(1)
    wait_for(lab, 1)
    lab.cure_pod(2)
    wait_for(lab, 2)
    lab.write("pods.yaml", terminating(pods(1, 2)))
    wait_for(lab, 0)
    for address in ("10.96.0.5", NODE_IP[4]):
        port = 80 if address == "10.96.0.5" else 30080
        answers = {who for who, _ in lab.ask("pod4" if port == 80 else "outside", "tcp", address, port)}
        if not answers or answers - {"pod1", "pod2"}:
            raise Failure(f"pods that are terminating no longer serve {address}: {answers}")
    lab.write("pods.yaml", terminating(pod(1)) + pod(2))
    wait_for(lab, 1)
    lab.remove("pods.yaml")
    wait_for(lab, 0)


def it_opens_and_closes_health_check_ports(lab):
    """Another port, another policy, no Service; and all is back after a crash, before the first probes."""
    start(lab)
    lab.write("service.yaml", balanced(PORT + 1))
    wait_until("the new port is open", lambda: ask(lab, port=PORT + 1), 5)
    check(ask(lab, port=PORT + 1), 2)
    if ask(lab) is not None:
        raise Failure("the former port is open")
    lab.write("service.yaml", balanced(PORT + 1, "Cluster"))
    wait_until("nothing is open for policy Cluster", lambda: not listeners(lab), 5)
    lab.write("service.yaml", balanced())
    wait_for(lab, 2)
    lab.stop_podferry(signal.SIGKILL)
    if ask(lab) is not None:
        raise Failure("somebody answers for podferry")
    lab.start_podferry()
    check(ask(lab), 2)
    lab.remove("service.yaml")
    wait_until("nothing is open without the Service", lambda: not listeners(lab), 5)


def it_listens_where_node_ports_are_served(lab):
    """The node's addresses come and go."""
    start(lab, "node_port_addresses: [192.168.50.0/24]\n")
    first = f"{NODE_IP[4]}:{PORT}"
    if listeners(lab) != [first]:
        raise Failure(f"listeners: {listeners(lab)}")
    lab.ip(f"addr add {SECOND_IP}/24 dev eth0\n", "node")
    wait_for(lab, 2, address=SECOND_IP)
    lab.ip(f"addr del {SECOND_IP}/24 dev eth0\n", "node")
    wait_until("the address that went is no longer listened on", lambda: listeners(lab) == [first], 5)
    check(ask(lab), 2)


def it_says_which_health_check_port_is_taken(lab):
    """Told once, answered on the other address, and healed without a change when the port is free."""
    thief = lab.spawn("thief", "node", [PYTHON, "-c", "import socket, time\n"
                                        f"s = socket.create_server(('{NODE_IP[4]}', {PORT}))\ntime.sleep(600)"])
    wait_until("the thief listens", lambda: f"{NODE_IP[4]}:{PORT}" in listeners(lab), 10)
    lab.start_pods(1)
    lab.write("web.yaml", balanced() + pod(1, probe=None))
    lab.start_podferry()
    told = f"web.yaml:1: Service shop/web: spec.healthCheckNodePort: {NODE_IP[4]}:{PORT} cannot be listened on"
    if told not in lab.status() or "Address already in use" not in lab.status():
        raise Failure(f"status says nothing of it: {lab.status()}")
    check(ask(lab, NODE_IP[6]), 1)
    lab.write("other.yaml", service("other", "10.96.0.9"))  # something else to do, and so another attempt
    wait_until("the other Service is served", lambda: lab.has_virtual_server("10.96.0.9", 80), 10)
    if lab.log().count("cannot be listened on") != 1:
        raise Failure("the log does not say it once")
    thief.kill()
    thief.wait()
    wait_until("the port is taken over", lambda: f"{NODE_IP[4]}:{PORT}" in listeners(lab), 8)
    check(ask(lab), 1)
    if "healthCheckNodePort" in lab.status():
        raise Failure("status still complains")


def it_bounds_what_visitors_cost_and_see(lab):
    """Connections held open shut nobody out and use up no descriptors; who reaches the metrics port reads no name of a pod."""
    start(lab)
    for page in ("/status", "/services"):
        if (found := lab.page(10249, page))[0] != 404:
            raise Failure(f":10249{page} is answered: {found}")
    if "10.1.0.11" in lab.metrics_page() or "10.1.0.11" not in lab.services():
        raise Failure("pods are on the metrics page, or Services are not on the socket")
    used = len(os.listdir(f"/proc/{lab.processes['podferry'].pid}/fd"))
    with network_namespace("node"):
        held = [socket.create_connection(("127.0.0.1", port)) for port in (10249, 10256) for _ in range(250)]
        for connection in held:
            connection.sendall(b"POST /healthz HTTP/1.1\r\nContent-Length: 1000000\r\n")
    if (found := lab.page(10256, "/healthz"))[0] != 200:
        raise Failure(f"a visitor is not answered beside {len(held)} others: {found}")
    now = len(os.listdir(f"/proc/{lab.processes['podferry'].pid}/fd"))
    if now - used > 210:
        raise Failure(f"{now} descriptors are open, {used} before {len(held)} visitors came")
    for connection in held:
        connection.close()
