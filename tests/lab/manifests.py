"""Manifests of the lab: Services and pods as an operator writes them."""
from lab import POD_PORT, pod_ip


def service(name="web", cluster_ip="10.96.0.5", extra="", ports=None):
    ports = ports or [("http", "TCP", 80, None)]
    text = f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n"
    if cluster_ip:
        text += f"  clusterIP: {cluster_ip}\n"
    text += f"  selector: {{app: {name}}}\n{extra}  ports:\n"
    for port_name, protocol, port, node_port in ports:
        text += f"  - {{name: {port_name}, protocol: {protocol}, port: {port}, targetPort: {POD_PORT}"
        text += f", nodePort: {node_port}}}\n" if node_port else "}\n"
    return text + "---\n"


PROBE = """    readinessProbe:
      httpGet: {path: /healthz, port: 8080}
      periodSeconds: 1
      timeoutSeconds: 1
      failureThreshold: 2
"""


def pod(number, app="web", probe=PROBE, label=None, terminating=False):
    """`label`: the value of its label app, when it is not `app`."""
    ending = ", deletionTimestamp: 2026-01-01T00:00:00Z" if terminating else ""
    return f"""apiVersion: v1
kind: Pod
metadata: {{name: {app}-{number}, namespace: shop, labels: {{app: {label or app}}}{ending}}}
spec:
  nodeName: node
  containers:
  - name: main
    image: web
    ports:
    - {{name: http, containerPort: 8080}}
{probe or ""}status:
  podIPs: [{{ip: {pod_ip(number)}}}, {{ip: "{pod_ip(number, 6)}"}}]
---
"""


def pods(*numbers, app="web", probe=PROBE):
    return "".join(pod(number, app, probe) for number in numbers)
