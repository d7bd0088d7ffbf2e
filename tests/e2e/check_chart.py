#!/usr/bin/env python3
"""Holds the Helm chart against Helm itself and a real API server; runs on the host, next to the control plane.

    check_chart.py [--podferry PROGRAM] [NAME...]     PROGRAM judges the rendered configuration files
"""
import argparse
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import traceback

import build
from chart import CHART, NAMESPACE
from control_plane import ControlPlane

ROOT = CHART.parents[1]
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE = "checked"  # a release of its own beside the rights that the scenarios use
NAME = f"{RELEASE}-podferry"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"
OBJECTS = [("DaemonSet", NAME), ("ConfigMap", NAME), ("ServiceAccount", NAME), ("ClusterRole", NAME), ("ClusterRoleBinding", NAME)]

# Values that must be refused, and what the message must say: where, and what would be right.
WRONG = [
    ("k8sServiceHost=https://192.0.2.10", "k8sServiceHost: 'https://192.0.2.10' is neither a host name nor an address"),
    ("k8sServiceHost=API_SERVER", "k8sServiceHost: 'API_SERVER' is neither"),
    ("k8sServicePort=0", "/k8sServicePort"),
    ("k8sServicePort=https", "/k8sServicePort"),
    ("image.pullPolicy=Sometimes", "'Always', 'IfNotPresent', 'Never'"),
    ("image.tag=a tag", "/image/tag"),
    ("image.digest=sha256:1234", "/image/digest"),
    ("image.name=podferry", "'name' not allowed"),
    ("podAnotations.x=y", "'podAnotations' not allowed"),
    ("config.node_name=a", "'node_name' not allowed"),
    ("config.service_cluster_ip_range={10.96.0.0}", "config.service_cluster_ip_range[0]: '10.96.0.0' is no CIDR such as 10.96.0.0/16"),
    ("config.service_cluster_ip_range={10.96.0.0/33}", "config.service_cluster_ip_range[0]: '10.96.0.0/33' is no CIDR"),
    ("config.network_cidr={10.300.0.0/16}", "config.network_cidr[0]: '10.300.0.0/16' is no CIDR"),
    ("config.network_cidr={10.1.0.0/16,10.2.0.0/16,10.3.0.0/16}", "maxItems"),
    ("config.network_cidr=10.1.0.0/16", "got string, want array"),
    ("config.node_port_addresses={fd00::/129}", "config.node_port_addresses[0]: 'fd00::/129' is no CIDR"),
    ("config.external_ips={10.0.0.1}", "config.external_ips[0]: '10.0.0.1' is no CIDR"),
    ("config.service_node_port_range=30000-70000", "config.service_node_port_range: port 70000 is not within 1-65535"),
    ("config.service_node_port_range=32000-31000", "ends before it begins"),
    ("config.service_node_port_range=many", "is not FIRST-LAST, such as 30000-32767"),
    ("config.scheduler=fastest", "'rr', 'wrr'"),
    ("config.audit_period=60", "got number, want string"),
    ("config.audit_period=1h30", "config.audit_period: '1h30' is no duration such as 90s"),
    ("config.detect_local_mode=Pods", "'ClusterCIDR', 'NodeCIDR'"),
    ("config.pod_bridge_interface=cni 0", "/config/pod_bridge_interface"),
    ("config.masquerade_all=maybe", "got string, want boolean"),
    ("config.metrics_bind_address=localhost:10249", "config.metrics_bind_address: 'localhost:10249' is not ADDRESS:PORT"),
    ("config.metrics_bind_address=fd00::1:10249", "an IPv6 address stands in brackets"),
    ("config.healthz_bind_address=0.0.0.0:0", "config.healthz_bind_address: port 0 is not within 1-65535"),
    ("config.api_servers={http://192.0.2.10:6443}", "config.api_servers[0]: 'http://192.0.2.10:6443' is not https://HOST:PORT"),
    ("config.fwmark=0x50460000", "/config/fwmark"),
    ("config.route_protocol=4", "/config/route_protocol"),
    ("config.node_ip={eth0}", "/config/node_ip/0"),
    ("config.socket=podferry.sock", "/config/socket"),
    ("mode=upgrade", "'proxy', 'cleanup'"),
    ("apiServer.kubeletKubeconfig=kubelet.conf", "/apiServer/kubeletKubeconfig"),
    ("kubeProxyConfig.file=x", "'file' not allowed"),
    ("extraArgs=--user", "got string, want array"),
    ("extraVolumeMounts[0].name=a", "mountPath"),
    ("startupProbe.periodSeconds=0", "/startupProbe/periodSeconds"),
    ("controller.replicas=0", "/controller/replicas"),
    ("controller.config.pools[0].name=a", "addresses"),
    ("controller.config.pools[0].ip_mode=DSR", "'VIP', 'Proxy'"),
    ("controller.config.default_address_class=any", "'', 'private', 'public'"),
    ("config.node_check=on", "'off', 'observe', 'enforce'"),
    ("config.node_check_service=nodes", "/config/node_check_service"),
    ("config.relist_hold=soon", "config.relist_hold: 'soon' is no duration"),
    ("config.log_format=xml", "'text', 'json'"),
    ("config.log_level=verbose", "'debug', 'info', 'warning', 'error'"),
    ("modules.load=1", "/modules/load"),
    ("user=nobody", "/user"),
    ("updateStrategy.rollingUpdate.maxSurge=1", "'maxSurge' not allowed"),
    ("livenessProbe.periodSeconds=0", "/livenessProbe/periodSeconds"),
    # One value alone says nothing.
    ("config.api_servers={https://192.0.2.10:6443}", "k8sServiceHost and config.api_servers: give one of them"),
    ("serviceAccount.create=false", "serviceAccount.name: needed"),
    ("migration.enabled=true,affinity.nodeAffinity.x=y", "affinity and migration.enabled: give one of them"),
    ("migration.timeout=5", "got number, want string"),
    ("kubeProxyConfig.configMap=a,kubeProxyConfig.content.mode=ipvs", "kubeProxyConfig.configMap and kubeProxyConfig.content: give one of them"),
]
LONGEST_PATTERN = 60  # of a regular expression in a message: longer ones nobody reads
SET_BY_THE_CHART = {"node_name"}  # each pod's own; all other settings are values


class Failure(AssertionError):
    """What was expected did not happen."""


def expect(truth, what):
    if not truth:
        raise Failure(what)


class Checks:
    def __init__(self, plane, podferry):
        self.plane = plane
        self.podferry = podferry
        self.program = str(build.helm())

    def helm(self, *words):
        """Exit status, and everything that was said."""
        done = subprocess.run([self.program, *words, "--kubeconfig", str(self.plane.kubeconfig)], text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def succeed(self, *words):
        status, said = self.helm(*words)
        expect(status == 0, f"helm {' '.join(words)}: {said}")
        return said

    def render(self, *options):
        return self.succeed("template", RELEASE, str(CHART), "-n", NAMESPACE, *options)

    def get(self, kind, name):
        return json.loads(self.plane.kubectl("get", kind, name, "-n", NAMESPACE, "-o", "json"))

    def what_is_there(self):
        """Everything that carries the release's label, and Helm's record of it."""
        kinds = "daemonset,configmap,service,serviceaccount,clusterrole,clusterrolebinding,secret"
        return self.plane.kubectl("get", kinds, "-n", NAMESPACE, "-o", "name", "--ignore-not-found", "-l",
                                  f"app.kubernetes.io/instance={RELEASE}") + self.plane.kubectl(
            "get", "secret", "-n", NAMESPACE, "-o", "name", "-l", f"owner=helm,name={RELEASE}")

    # ---- without a cluster --------------------------------------------------------------------------------------
    def it_passes_lint(self):
        """Strictly, with nothing given and with each file of values."""
        for values in ([], *(["-f", str(path)] for path in VALUES)):
            self.succeed("lint", "--strict", str(CHART), *values)

    def it_refuses_wrong_values(self):
        for wrong, words in WRONG:
            status, said = self.helm("template", RELEASE, str(CHART), "-f", str(VALUES[0]), "--set", wrong)
            expect(status != 0, f"--set {wrong} is accepted")
            expect(words in said, f"--set {wrong}: '{words}' is not said, but: {said}")
            pattern = re.search(r"does not match pattern '(.*)'", said)
            expect(not pattern or len(pattern[1]) <= LONGEST_PATTERN, f"--set {wrong}: nobody can read {said}")

    def it_tells_of_every_value(self):
        """The chart's README has a row for each value that values.yaml comments, with its default."""
        readme = (CHART / "README.md").read_text()
        for name, default in leaves((CHART / "values.yaml").read_text()):
            expect(any(line.startswith(f"| `{name}` |") and line.endswith(f"| {default} |") for line in readme.splitlines()),
                   f"README.md has no row for {name} with the default {default}")

    def it_knows_podferrys_settings(self):
        """No setting that podferry does not have; podferry itself sets the sysctls, where the chart shows them to it."""
        source = (ROOT / "proxy/config/settings.cpp").read_text()
        known = set(re.findall(r'(?:row|ranged)\(\s*"(\w+)"', source))
        schema = json.loads((CHART / "values.schema.json").read_text())
        settings = schema["properties"]["config"]["properties"].keys()
        expect(settings <= known, f"podferry has no setting {', '.join(sorted(settings - known))}")
        missing = known - settings - SET_BY_THE_CHART
        expect(not missing, f"settings that no value reaches: {', '.join(sorted(missing))}")
        documented = {name.split(".")[1] for name, _ in leaves((CHART / "values.yaml").read_text()) if name.startswith("config.")}
        expect(documented == settings, f"values.yaml and the schema differ in {sorted(documented ^ settings)}")
        rendered = self.render("-f", str(VALUES[0]))
        shown = re.search(r"- --init-only\n[^[]*- --proc-sys=(\S+)", rendered)
        expect(shown and f"mountPath: {shown[1]}/net\n" in rendered, "the init container does not see the sysctls")
        expect("mountPath: /lib/modules\n" in rendered and "/bin/sh" not in rendered, "the init container needs more than podferry")
        for off, words, capability in (("modules.load", "--init-only=sysctls", "SYS_MODULE"), ("sysctls.set", "--init-only=modules", "--proc-sys")):
            one = self.render("-f", str(VALUES[0]), "--set", f"{off}=false")
            expect(words in one and capability not in one, f"{off}=false: the init container does more, or less")
        neither = self.render("-f", str(VALUES[0]), "--set", "modules.load=false", "--set", "sysctls.set=false")
        expect("--init-only" not in neither, "an init container with nothing to do")
        root = self.render("-f", str(VALUES[0]), "--set", "user=0")
        expect("--user" not in root and "SETUID" not in root and "fsGroup" not in root, "user 0 is not root as before")
        zero = self.render("-f", str(VALUES[0]), "--set", "config.conntrack_max_per_core=0")
        expect("conntrack_max_per_core: 0\n" in zero, "a setting of 0 is lost")

    def effective(self, text, name):
        """podferry's settings, as it prints them, of a configuration file."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(re.sub(r"^node_ip:\n(- .*\n)+", "", text, flags=re.MULTILINE))  # no address of this machine
            file.flush()
            done = subprocess.run([self.podferry, "node", "--check-config", "--config", file.name], capture_output=True, text=True)
        expect(done.returncode == 0, f"{name}: {done.stderr}")
        return {line for line in done.stdout.splitlines() if not line.startswith("#")}

    def it_writes_configuration_that_podferry_takes(self):
        """And what no value changes is podferry's own default."""
        expect(self.podferry, "--podferry PROGRAM is needed")
        for path in VALUES:
            self.effective(self.config_of("-f", str(path)), path.name)
        ours = {line for line in self.effective(self.config_of(), "the defaults") if not line.startswith(("api_server_files:", "node_check_service:"))}
        differs = ours - self.effective("{}", "nothing")
        expect(not differs, f"defaults of the chart that are not podferry's: {', '.join(sorted(differs))}")

    def config_of(self, *options):
        rendered = self.render(*options, "--show-only", "templates/configmap.yaml")
        return textwrap.dedent(rendered.split("config.yaml: |\n")[1].split("  kube-proxy.yaml: |\n")[0])

    def it_renders_what_the_documents_say(self):
        """Each `helm install` and `helm upgrade` of a document, word by word."""
        found = 0
        for path in [ROOT / "README.md", *(ROOT / "charts/podferry").glob("*.md"), *(ROOT / "docs").glob("**/*.md")]:
            text = path.read_text().replace("\\\n", " ")
            for command in re.findall(r"^ {4,}(helm (?:install|upgrade --install|upgrade) podferry charts/podferry .*)$", text, flags=re.MULTILINE):
                words = [word for word in shlex.split(command.partition("  #")[0])[command.startswith("helm upgrade --install") + 4:]
                         if word not in ("--create-namespace", "--reuse-values")]
                words = [str(ROOT / word) if word.startswith("charts/") else word for word in words]
                self.succeed("template", "podferry", str(CHART), *words)
                found += 1
        expect(found >= 3, f"only {found} commands are found")

    # ---- templates ------------------------------------------------------------------------------------------------
    def daemonset(self, *options, chart=CHART):
        """The rendered DaemonSet, as an object."""
        rendered = self.succeed("template", RELEASE, str(chart), "-n", NAMESPACE, *options)
        documents = [text for text in re.split(r"^---.*$", rendered, flags=re.MULTILINE) if re.search(r"^kind: DaemonSet$", text, flags=re.MULTILINE)]
        expect(len(documents) == 1, f"{len(documents)} DaemonSets are rendered")
        return json.loads(self.plane.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", given=documents[0]))

    def it_keeps_the_pods_of_a_new_chart(self):
        """A new version of the chart alone, and of its app with a fixed image, exchanges no pod."""
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder) / "podferry"
            shutil.copytree(CHART, other)
            about = (other / "Chart.yaml").read_text()
            (other / "Chart.yaml").write_text(re.sub(r"^version: .*$", "version: 9.9.9", re.sub(r"^appVersion: .*$", 'appVersion: "9.9.9"', about, flags=re.MULTILINE), flags=re.MULTILINE))
            fixed = ["--set", "image.tag=fixed"]
            before, after = self.daemonset(*fixed), self.daemonset(*fixed, chart=other)
        expect(before["metadata"]["labels"] != after["metadata"]["labels"], "the copy has the same version")
        expect(before["spec"]["template"] == after["spec"]["template"], "the pods' template has changed")

    def it_shows_podferry_where_the_api_server_is_named(self):
        """Files of others are mounted only where podferry looks for its API server."""
        def shown(*options):
            spec = self.daemonset(*options)["spec"]["template"]["spec"]
            return {mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}, spec, self.config_of(*options)
        mounts, spec, config = shown()
        expect("/etc/podferry-api/kube-proxy" in mounts, f"mounts: {mounts}")
        expect("api_server_files:\n- /etc/podferry-api/kube-proxy/kubeconfig.conf\n" in config, config)
        volume, = (each for each in spec["volumes"] if each["name"] == "kube-proxy-api")
        expect(volume["configMap"]["optional"] and volume["configMap"]["name"] == "kube-proxy", f"volume: {volume}")
        expect(not any(word.startswith("--api-server") for word in spec["containers"][0]["args"]), "a server is given")
        volume, = (each for each in spec["volumes"] if each["name"] == "kubeadm-config")
        expect(volume["configMap"]["optional"] and "/etc/podferry-kubeadm" in mounts, f"volume: {volume}, mounts: {mounts}")
        expect("--kubeadm-config=/etc/podferry-kubeadm/ClusterConfiguration" in spec["containers"][0]["args"], "kubeadm's ranges are not read")
        expect("kubeadm" not in str(shown("--set", "kubeadmConfig=")[1]), "kubeadm's ConfigMap is asked for all the same")
        mounts, spec, config = shown("--set", "apiServer.kubeletKubeconfig=/etc/kubernetes/kubelet.conf")
        expect(config.index("kube-proxy/kubeconfig.conf") < config.index("/etc/podferry-api/kubelet.conf"), "another order")
        volume, = (each for each in spec["volumes"] if each["name"] == "kubelet-kubeconfig")
        expect(volume["hostPath"] == {"path": "/etc/kubernetes/kubelet.conf", "type": "File"}, f"volume: {volume}")
        for value in ("k8sServiceHost=192.0.2.10", "config.api_servers={https://192.0.2.10:6443}", "config.kubeconfig=/extra/kubeconfig"):
            mounts, _, config = shown("--set", value, "--set", "apiServer.kubeletKubeconfig=/etc/kubernetes/kubelet.conf")
            expect(not any(path.startswith("/etc/podferry-api") for path in mounts) and "podferry-api" not in config, f"{value}: {mounts}")
        expect("lookup" not in "".join(path.read_text() for path in CHART.glob("templates/**/*") if path.is_file()), "a template asks a cluster")

    def it_takes_what_the_operator_adds(self):
        """Arguments, environment, volumes; other folders; ports by name; kube-proxy's configuration for both containers."""
        spec = self.daemonset("-f", str(CHART / "ci/everything-values.yaml"), "--set", "modules.load=true")["spec"]["template"]["spec"]
        container, init = spec["containers"][0], spec["initContainers"][0]
        expect(container["args"][-1] == "--kubeconfig=/extra/kubeconfig", f"arguments: {container['args']}")
        expect({"name": "TZ", "value": "UTC"} in container["env"], f"environment: {container['env']}")
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        expect((mounts["extra"], mounts["run"], mounts["state"]) == ("/extra", "/run/proxy", "/var/lib/proxy"), f"mounts: {mounts}")
        expect(mounts["container-runtime"] == "/run/containerd", f"mounts: {mounts}")
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        expect(volumes["run"]["hostPath"]["path"] == "/run/proxy" and volumes["extra"]["secret"], f"volumes: {volumes}")
        for each in (container, init):
            expect("--kube-proxy-config=/etc/podferry/kube-proxy.yaml" in each["args"], f"arguments: {each['args']}")
            expect(each["terminationMessagePolicy"] == "FallbackToLogsOnError", "the last words are lost")
        expect("ports" not in container, "ports, where nothing listens")
        expect("container-runtime" not in self.render(), "the container runtime's socket is mounted, though nobody asked for it")
        expect(all("/run/proxy/podferry.sock" in container[f"{kind}Probe"]["exec"]["command"] for kind in ("startup", "readiness", "liveness")),
               "a probe asks another socket")
        ports = self.daemonset("--set", "config.metrics_bind_address=node_ip:10349")["spec"]["template"]["spec"]["containers"][0]["ports"]
        expect({port["name"]: port["containerPort"] for port in ports} == {"metrics": 10349, "healthz": 10256}, f"ports: {ports}")
        moved = self.daemonset("--set", "kubeProxyConfig.configMap=kube-proxy")["spec"]["template"]["spec"]
        for each in (moved["containers"][0], moved["initContainers"][0]):
            expect("--kube-proxy-config=/var/lib/kube-proxy/config.conf" in each["args"], f"arguments: {each['args']}")
            expect(any(mount["mountPath"] == "/var/lib/kube-proxy" for mount in each["volumeMounts"]), "the file is not mounted")

    def controller(self, *options):
        """The objects of the rendered controller, by their kind."""
        rendered = self.succeed("template", RELEASE, str(CHART), "-n", NAMESPACE, "--set", "controller.enabled=true", *options)
        documents = [text for text in re.split(r"^---.*$", rendered, flags=re.MULTILINE) if re.search(r"^  name: \S+-controller$", text, flags=re.MULTILINE)]
        return {made["kind"]: made for made in (
            json.loads(self.plane.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", given=text)) for text in documents)}

    def it_runs_the_controller_with_nothing_but_its_pools(self):
        expect("-controller" not in self.render(), "there is a controller that nobody asked for")
        made = self.controller()
        expect(made.keys() == {"Deployment", "ConfigMap", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}, f"objects: {made.keys()}")
        spec = made["Deployment"]["spec"]["template"]["spec"]
        container, = spec["containers"]
        expect(made["Deployment"]["spec"]["replicas"] == 2, "nobody takes over")
        expect(not any(spec.get(what) for what in ("hostNetwork", "hostPID", "hostIPC")) and spec["securityContext"]["runAsNonRoot"], f"pod: {spec}")
        expect(container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True},
               f"container: {container['securityContext']}")
        expect(all("subPath" not in mount for mount in container["volumeMounts"]), "a changed ConfigMap never arrives")
        expect([set(volume) for volume in spec["volumes"]] == [{"configMap", "name"}], f"volumes: {spec['volumes']}")
        labels, proxy = made["Deployment"]["spec"]["template"]["metadata"]["labels"], self.daemonset("--set", "controller.enabled=true")["spec"]["selector"]["matchLabels"]
        expect(not proxy.items() <= labels.items(), "the DaemonSet and its Service take the controller's pods for theirs")
        other = self.controller("--set", "controller.config.pools[0].name=a", "--set", "controller.config.pools[0].addresses={192.0.2.0/28}")
        expect(other["Deployment"]["spec"] == made["Deployment"]["spec"], "a changed pool exchanges the pods")
        expect(self.controller("--set", "mode=cleanup") == {}, "the controller outlives the proxy")

    def it_writes_pools_that_the_controller_takes(self):
        expect(self.podferry, "--podferry PROGRAM is needed")
        for options in ([], ["-f", str(CHART / "ci/everything-values.yaml"), "--set", "fullnameOverride="]):
            text = self.controller(*options)["ConfigMap"]["data"]["controller.yaml"]
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                done = subprocess.run([self.podferry, "controller", "--check-config", "--config", file.name], capture_output=True, text=True)
            expect(done.returncode == 0, f"{done.stderr}{text}")
            expect(bool(options) == ("pool office: 265 IPv4 and 65536 IPv6 addresses" in done.stdout), f"pools: {done.stdout}")

    def it_gives_the_controller_the_least_rights(self):
        """Of the real authorizer."""
        name = f"{NAME}-controller"
        made = self.controller()
        rights = [made[kind] for kind in ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")]
        try:
            for each in rights:
                self.plane.kubectl("apply", "-n", NAMESPACE, "-f", "-", given=json.dumps(each))
            account = f"system:serviceaccount:{NAMESPACE}:{name}"
            verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
            resources = ["services", "services/status", "nodes", "endpointslices.discovery.k8s.io", "pods", "secrets", "configmaps", "events",
                         "events.events.k8s.io", "leases.coordination.k8s.io"]
            given = {(verb, resource) for verb in verbs for resource in resources if self.may(verb, resource, account)}
            wanted = {("get", "services"), ("list", "services"), ("watch", "services"), ("patch", "services/status"),
                      ("create", "events.events.k8s.io"), ("create", "leases.coordination.k8s.io")}
            expect(given == wanted, f"too many rights: {given - wanted}; too few: {wanted - given}")
            own = {verb for verb in verbs if self.may(verb, "leases.coordination.k8s.io", account, name)}
            expect(own == {"create", "get", "patch"}, f"of its Lease: {own}")
        finally:
            for each in rights:
                self.plane.kubectl("delete", "--ignore-not-found", "-n", NAMESPACE, "-f", "-", given=json.dumps(each))

    def it_cleans_up_in_a_mode_of_its_own(self):
        made = self.daemonset("--set", "mode=cleanup")
        spec = made["spec"]["template"]["spec"]
        container, = spec["containers"]
        first = spec["initContainers"][0]
        expect(first["args"][0] == "cleanup" and "--stay" not in first["args"], "the pod is Ready before the node is clean")
        expect(container["args"][:2] == ["cleanup", "--stay"] and spec["hostNetwork"], f"arguments: {container['args']}")
        expect("--kube-proxy" not in container["args"] and "- --kube-proxy\n" in self.render("--set", "mode=cleanup,cleanup.kubeProxy=true"), "whose?")
        selector, proxy = made["spec"]["selector"]["matchLabels"], self.daemonset()["spec"]["template"]["metadata"]["labels"]
        expect(not selector.items() <= proxy.items(), "it takes the proxy's pods for its own")
        expect("/host/proc/sys/net" in {mount["mountPath"] for mount in container["volumeMounts"]}, "it cannot give back the ports")

    # ---- with one -----------------------------------------------------------------------------------------------
    def it_is_valid_to_the_api_server(self):
        """Each file of values, rendered: unknown or doubled fields are errors on the server's side."""
        for path in VALUES:
            self.plane.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts", "-f", "-",
                               given=self.render("-f", str(path)))

    def it_installs_upgrades_and_uninstalls(self):
        before = self.what_is_there()
        expect(before == "", f"before the installation there is {before}")
        try:
            said = self.succeed("install", RELEASE, str(CHART), "-n", NAMESPACE, "-f", str(CHART / "ci/default-values.yaml"))
            expect(f"DaemonSet {NAMESPACE}/{NAME}" in said, f"the notes do not name the DaemonSet: {said}")
            for kind, name in OBJECTS:
                self.get(kind, name)
            self.judge_pods(self.get("DaemonSet", NAME)["spec"]["template"])
            self.judge_rights()
            self.judge_upgrade()
        finally:
            self.helm("uninstall", RELEASE, "-n", NAMESPACE, "--wait")
        after = self.what_is_there()
        expect(after == "", f"after the removal there is still {after}")

    def judge_pods(self, template):
        spec = template["spec"]
        container, = spec["containers"]
        expect(spec["hostNetwork"] and spec["priorityClassName"] == "system-node-critical", "the pods are no node's proxy")
        expect("--api-server=https://192.0.2.10:6443" in container["args"], f"arguments: {container['args']}")
        # A container that does not start as root has no capabilities; podferry gives up all of these but NET_ADMIN.
        expect(container["securityContext"]["capabilities"] == {"add": ["CHOWN", "NET_ADMIN", "SETGID", "SETUID"], "drop": ["ALL"]},
               f"capabilities: {container['securityContext']}")
        expect("--user=65532" in container["args"] and spec["securityContext"].get("fsGroup") == 65532,
               f"podferry stays root, or cannot read its token: {container['args']}, {spec['securityContext']}")
        expect(not container["securityContext"]["allowPrivilegeEscalation"], "privileges may be had back")
        everyone = [*spec["initContainers"], container]
        expect(not any(each["securityContext"].get("privileged") for each in everyone), "a container is privileged")
        expect(all(each["securityContext"]["readOnlyRootFilesystem"] for each in everyone), "a root is writable")
        probes = {kind: container[f"{kind}Probe"]["exec"]["command"] for kind in ("startup", "readiness", "liveness")}
        words = {kind: ["podferry", "status", f"--{what}", "--socket", "/run/podferry/podferry.sock"]
                 for kind, what in (("startup", "live"), ("readiness", "ready"), ("liveness", "live"))}
        expect(probes == words, f"probes: {probes}")
        expect(container["ports"] and {port["name"] for port in container["ports"]} == {"metrics", "healthz"}, f"ports: {container['ports']}")

    def judge_rights(self):
        """Exactly what podferry asks for, of the real authorizer."""
        wanted = {(verb, resource) for resource in ("services", "nodes", "endpointslices.discovery.k8s.io", "servicecidrs.networking.k8s.io")
                  for verb in ("list", "watch")} | {("create", "events.events.k8s.io")}
        resources = ["services", "services/status", "nodes", "nodes/status", "endpointslices.discovery.k8s.io", "servicecidrs.networking.k8s.io",
                     "ipaddresses.networking.k8s.io", "pods", "secrets",
                     "configmaps", "endpoints", "events", "events.events.k8s.io", "leases.coordination.k8s.io"]
        verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
        given = {(verb, resource) for verb in verbs for resource in resources if self.may(verb, resource)}
        expect(given == wanted, f"too many rights: {given - wanted}; too few: {wanted - given}")

    def may(self, verb, resource, account=ACCOUNT, name=""):
        whole, _, part = resource.partition("/")
        plural, _, group = whole.partition(".")
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": account, "groups": ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"],
            "resourceAttributes": {"verb": verb, "group": group, "resource": plural, "subresource": part, "namespace": NAMESPACE, "name": name}}}
        return json.loads(self.plane.kubectl("create", "-o", "json", "-f", "-", given=json.dumps(review)))["status"]["allowed"]

    def judge_upgrade(self):
        """A changed setting is in the ConfigMap, and exchanges the pods."""
        checksum = self.checksum()
        self.succeed("upgrade", RELEASE, str(CHART), "-n", NAMESPACE, "-f", str(CHART / "ci/dual-stack-values.yaml"))
        expect("fd00:96::/112" in self.get("ConfigMap", NAME)["data"]["config.yaml"], "the new range is not in the ConfigMap")
        expect(self.may("list", "pods") and self.may("watch", "pods"), "a second opinion, and no right to hear of pods")
        expect(self.checksum() != checksum, "a new configuration does not exchange the pods")
        spec = self.get("DaemonSet", NAME)["spec"]["template"]["spec"]
        for wanted in ("--api-server=https://192.0.2.10:443", "--api-server=https://[2001:db8::10]:443"):
            expect(wanted in spec["containers"][0]["args"], f"arguments: {spec['containers'][0]['args']}")

    def checksum(self):
        return self.get("DaemonSet", NAME)["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


def leaves(text):
    """(name, default) of each value that has a `# --` comment, in the order in which they stand. Reads what values.yaml
    uses of YAML and no more."""
    path, documented = [], False
    for line in text.splitlines():
        found = re.match(r"( *)([\w]+):(?: (.*))?$", line)
        if line.strip().startswith("# --"):
            documented = True
        elif found:
            path = path[:len(found[1]) // 2] + [found[2]]
            if documented:
                yield ".".join(path), f"`{found[3]}`" if found[3] else "see values.yaml"
            documented = False


def run_all(plane, podferry=None, names=()):
    """Returns whether all checks hold."""
    checks = Checks(plane, podferry)
    results = []
    for name in [name for name in vars(Checks) if name.startswith("it_") and (not names or name[3:] in names)]:
        try:
            getattr(checks, name)()
            print(f"ok    chart.{name[3:]}", flush=True)
            results.append(True)
        except Exception as error:
            print(f"FAIL  chart.{name[3:]}: {error}", flush=True)
            if not isinstance(error, Failure):
                traceback.print_exc(limit=-2, file=sys.stdout)
            results.append(False)
    print(f"chart: {results.count(True)} passed, {results.count(False)} failed")
    return all(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podferry")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podferry-chart-") as folder, ControlPlane(
            pathlib.Path(folder), build.control_plane()) as plane:
        return 0 if run_all(plane, args.podferry, args.names) else 1


if __name__ == "__main__":
    sys.exit(main())
