"""The ways to an API server that a kubeconfig can name."""
import base64
import json
import re

from lab import Failure, wait_until
from objects import pod, service
from pace import stretched

WEB = {"web-1", "web-2"}
CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"  # which podferry sets, and nobody else
PLUGIN = """\
#!/bin/sh
echo asked >> {folder}/asked
printf '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"%s"}}}}' "$(cat {folder}/token)"
"""


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def start_web(cluster):
    cluster.api.create(service(), pod(1), pod(2))


def start_without_waiting(cluster):
    """It answers, but is not ready."""
    cluster.start_podferry(wait=False)
    wait_until("podferry answers", lambda: "waitingFor" in cluster.readiness()[1], 20)


def change_user(cluster, user):
    """Another `user:` in the kubeconfig."""
    lines = [f"  user: {json.dumps(user)}" if line.startswith("  user: {") else line
             for line in cluster.kubeconfig.read_text().splitlines()]
    cluster.kubeconfig.write_text("\n".join(lines) + "\n")


def it_takes_a_client_certificate(cluster):
    """Of the user that the service account is, with its rights and no other."""
    start_web(cluster)
    user = f"system:serviceaccount:{cluster.host['namespace']}:{cluster.host['service_account']}"
    certificate, key = cluster.ask_host("client-certificate", user=user)
    change_user(cluster, {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)})
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)


def it_asks_a_credential_plugin(cluster):
    """Once at the start, and again when the API server does not take its word any more."""
    start_web(cluster)
    plugin = cluster.folder / "plugin"
    plugin.write_text(PLUGIN.format(folder=cluster.folder))
    plugin.chmod(0o755)
    change_user(cluster, {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin),
                                   "interactiveMode": "Never"}})
    good = cluster.token.read_text()
    cluster.write_token("not-a-token")
    start_without_waiting(cluster)
    wait_until("the API server refuses the plugin's word", lambda: cluster.total("podferry_api_requests_total", code="401") > 0, 30)
    cluster.write_token(good)
    wait_until("podferry is ready", cluster.podferry_is_ready, 60)
    cluster.wait_for_pods_behind(WEB)
    asked = (cluster.folder / "asked").read_text().count("asked")
    if not 2 <= asked <= 30:
        raise Failure(f"the plugin was asked {asked} times")


def it_trusts_no_server_by_default(cluster):
    """Without the cluster's CA it waits, and says why; it never asks a server that it cannot trust."""
    start_web(cluster)
    cluster.kubeconfig.write_text(re.sub(', certificate-authority-data: [^}]*', "", cluster.kubeconfig.read_text()))
    start_without_waiting(cluster)
    wait_until("status says why", lambda: "cannot be trusted" in cluster.status("-o", "json"), 30)
    if any(labels["code"] != "<error>" and count > 0 for labels, count in cluster.metrics("podferry_api_requests_total")):
        raise Failure("a server that cannot be trusted was asked")


def it_refuses_what_it_cannot_do(cluster):
    """A proxy-url: said at once, by field, with what to do; the exit status is 1."""
    cluster.kubeconfig.write_text(cluster.kubeconfig.read_text().replace('cluster: {server:', 'cluster: {proxy-url: "http://a:1", server:'))
    cluster.start_podferry(wait=False)
    if cluster.processes["podferry"].wait(timeout=stretched(30)) != 1 or "proxy-url" not in cluster.log():
        raise Failure("podferry started, or did not say why not:\n" + cluster.log())


def it_needs_no_ranges(cluster):
    """As the chart installs it by default: the API server has allocated all addresses."""
    start_web(cluster)
    config = cluster.folder / "config.yaml"
    config.write_text("".join(line for line in config.read_text().splitlines(True)
                              if not line.startswith(("service_cluster_ip_range", "network_cidr"))))
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)
    if cluster.answers() != WEB:
        raise Failure("the Service does not answer")


def it_reads_kube_proxys_configuration(cluster):
    """The same file that kube-proxy was started with; each of its fields has a line in the log."""
    start_web(cluster)
    migration = cluster.folder / "kube-proxy.yaml"
    migration.write_text(f"""apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {{kubeconfig: {cluster.kubeconfig}}}
clusterCIDR: 10.1.0.0/16,fd00:1::/64
hostnameOverride: node
mode: ipvs
ipvs: {{scheduler: wrr, strictARP: true}}
""")
    cluster.source = lambda: ["--kube-proxy-config", str(migration)]
    cluster.start_podferry()
    cluster.wait_for_pods_behind(WEB)
    if "-A -t 10.96.0.5:80 -s wrr" not in cluster.ipvs():
        raise Failure("the scheduler is not the one of the file:\n" + cluster.ipvs())
    for words in ("clusterCIDR: honoured", "ipvs.strictARP: ignored", "hostnameOverride: honoured"):
        if words not in cluster.log():
            raise Failure(f"the log does not say '{words}':\n{cluster.log()[:3000]}")


def events_of_node(cluster, reason):
    return [item for item in cluster.api.list("Event", "default")["items"]
            if item["reason"] == reason and item["regarding"]["name"] == "node"]


def it_carries_connections_while_its_health_port_is_taken(cluster):
    """As kube-proxy with bindAddressHardFail: false: an Event of the Node, and the port is asked for again."""
    start_web(cluster)
    before = len(events_of_node(cluster, "FailedToStartProxierHealthcheck"))
    other = cluster.spawn("other", "node", ["/usr/bin/python3", "-m", "http.server", "10256", "--bind", "0.0.0.0"],
                          stdout=-3, stderr=-3)
    wait_until("somebody else listens on 10256", lambda: ":10256 " in cluster.on("node", "ss", "-Hltn"), 20)
    cluster.start_podferry(wait=False)
    cluster.wait_for_pods_behind(WEB, within=60)
    if cluster.answers() != WEB:
        raise Failure("the Service does not answer")
    wait_until("the Node has an Event",
               lambda: len(events_of_node(cluster, "FailedToStartProxierHealthcheck")) == before + 1, 20)
    if "healthz_bind_address 0.0.0.0:10256 cannot be listened on" not in cluster.status():
        raise Failure("status does not say so:\n" + cluster.status())
    other.kill()
    other.wait()
    wait_until("podferry answers on its port", cluster.podferry_is_ready, 20)
    if "cannot be listened on" in cluster.status():
        raise Failure("status still complains:\n" + cluster.status())
    if not cluster.metrics("podferry_network_programming_duration_seconds_count"):
        raise Failure("the metric of the latency is missing")


def it_tells_of_a_read_only_proc_sys(cluster):
    """As kube-proxy (readOnlySysFS): one Event of the Node with what it cannot set, however many audits find it so; it goes on."""
    start_web(cluster)
    before = len(events_of_node(cluster, "readOnlySysFS"))
    cluster.start_podferry(read_only=True)
    cluster.wait_for_pods_behind(WEB)
    wait_until("the Node has an Event", lambda: len(events_of_node(cluster, "readOnlySysFS")) > before, 20)
    audits = cluster.total("podferry_audits_total")
    wait_until("two audits are over", lambda: cluster.total("podferry_audits_total") >= audits + 2, 30)
    told = events_of_node(cluster, "readOnlySysFS")
    if len(told) != before + 1 or told[-1]["type"] != "Warning" or CLOSE_WAIT not in told[-1]["note"]:
        raise Failure(f"not one Event that names {CLOSE_WAIT}: {told}")


def it_may_insist_on_its_ports(cluster):
    """bind_address_hard_fail: true: the start ends, and says why."""
    cluster.spawn("other", "node", ["/usr/bin/python3", "-m", "http.server", "10249", "--bind", "127.0.0.1"],
                  stdout=-3, stderr=-3)
    wait_until("somebody else listens on 10249", lambda: ":10249 " in cluster.on("node", "ss", "-Hltn"), 20)
    cluster.start_podferry(wait=False, config="bind_address_hard_fail: true\n")
    if cluster.processes["podferry"].wait(timeout=stretched(60)) != 1 or "metrics_bind_address 127.0.0.1:10249" not in cluster.log():
        raise Failure("podferry started, or did not say why not:\n" + cluster.log())
