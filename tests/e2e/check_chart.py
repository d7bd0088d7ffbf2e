#!/usr/bin/env python3
"""Holds the Helm chart against Helm itself and a real API server; runs on the host, next to the control plane.

    check_chart.py [--podferry PROGRAM] [NAME...]     PROGRAM judges the rendered configuration files
"""
import argparse
import json
import pathlib
import re
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
    ("k8sServiceHost=https://192.0.2.10", "/k8sServiceHost"),
    ("k8sServicePort=0", "/k8sServicePort"),
    ("k8sServicePort=https", "/k8sServicePort"),
    ("image.pullPolicy=Sometimes", "'Always', 'IfNotPresent', 'Never'"),
    ("image.tag=a tag", "/image/tag"),
    ("image.digest=sha256:1234", "/image/digest"),
    ("image.name=podferry", "'name' not allowed"),
    ("podAnotations.x=y", "'podAnotations' not allowed"),
    ("config.node_name=a", "'node_name' not allowed"),
    ("config.service_cluster_ip_range={10.96.0.0}", "/config/service_cluster_ip_range/0"),
    ("config.service_cluster_ip_range={10.96.0.0/33}", "/config/service_cluster_ip_range/0"),
    ("config.network_cidr={10.1.0.0/16,10.2.0.0/16,10.3.0.0/16}", "maxItems"),
    ("config.network_cidr=10.1.0.0/16", "got string, want array"),
    ("config.node_port_addresses={fd00::/129}", "/config/node_port_addresses/0"),
    ("config.service_node_port_range=30000-70000", "/config/service_node_port_range"),
    ("config.scheduler=fastest", "'rr', 'wrr'"),
    ("config.audit_period=60", "/config/audit_period"),
    ("config.detect_local_mode=Pods", "'ClusterCIDR', 'NodeCIDR'"),
    ("config.pod_bridge_interface=cni 0", "/config/pod_bridge_interface"),
    ("config.masquerade_all=maybe", "got string, want boolean"),
    ("config.metrics_bind_address=localhost:10249", "/config/metrics_bind_address"),
    ("config.healthz_bind_address=0.0.0.0:0", "/config/healthz_bind_address"),
    ("config.api_servers={http://192.0.2.10:6443}", "/config/api_servers/0"),
    ("config.relist_hold=soon", "/config/relist_hold"),
    ("config.log_format=xml", "'text', 'json'"),
    ("config.log_level=verbose", "'debug', 'info', 'warning', 'error'"),
    ("modules.load=1", "/modules/load"),
    ("user=nobody", "/user"),
    ("updateStrategy.rollingUpdate.maxSurge=1", "'maxSurge' not allowed"),
    ("livenessProbe.periodSeconds=0", "/livenessProbe/periodSeconds"),
    # Not by the schema: one value alone says nothing.
    ("k8sServiceHost=", "k8sServiceHost: give the address of the API server"),
    ("config.api_servers={https://192.0.2.10:6443}", "k8sServiceHost and config.api_servers: give one of them"),
    ("serviceAccount.create=false", "serviceAccount.name: needed"),
]


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
        kinds = "daemonset,configmap,serviceaccount,clusterrole,clusterrolebinding,secret"
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
        unknown = schema["properties"]["config"]["properties"].keys() - known
        expect(not unknown, f"podferry has no setting {', '.join(sorted(unknown))}")
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

    def it_writes_configuration_that_podferry_takes(self):
        expect(self.podferry, "--podferry PROGRAM is needed")
        for path in VALUES:
            rendered = self.render("-f", str(path), "--show-only", "templates/configmap.yaml")
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(textwrap.dedent(rendered.split("config.yaml: |\n")[1]))
                file.flush()
                done = subprocess.run([self.podferry, "node", "--check-config", "--config", file.name], capture_output=True,
                                      text=True)
            expect(done.returncode == 0, f"{path.name}: {done.stderr}")

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
        probes = {container[f"{kind}Probe"]["httpGet"]["path"]: container[f"{kind}Probe"]["httpGet"]["port"] for kind in
                  ("readiness", "liveness")}
        expect(probes == {"/readyz": 10256, "/livez": 10256}, f"probes: {probes}")

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

    def may(self, verb, resource):
        name, _, part = resource.partition("/")
        plural, _, group = name.partition(".")
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
            "user": ACCOUNT, "groups": ["system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"],
            "resourceAttributes": {"verb": verb, "group": group, "resource": plural, "subresource": part, "namespace": NAMESPACE}}}
        return json.loads(self.plane.kubectl("create", "-o", "json", "-f", "-", given=json.dumps(review)))["status"]["allowed"]

    def judge_upgrade(self):
        """A changed setting is in the ConfigMap, and exchanges the pods."""
        checksum = self.checksum()
        self.succeed("upgrade", RELEASE, str(CHART), "-n", NAMESPACE, "-f", str(CHART / "ci/dual-stack-values.yaml"))
        expect("fd00:96::/112" in self.get("ConfigMap", NAME)["data"]["config.yaml"], "the new range is not in the ConfigMap")
        expect(self.checksum() != checksum, "a new configuration does not exchange the pods")
        spec = self.get("DaemonSet", NAME)["spec"]["template"]["spec"]
        for wanted in ("--api-server=https://192.0.2.10:443", "--api-server=https://[2001:db8::10]:443"):
            expect(wanted in spec["containers"][0]["args"], f"arguments: {spec['containers'][0]['args']}")
        expect(spec["containers"][0]["livenessProbe"]["httpGet"]["host"] == "::1", "a probe over IPv6 goes elsewhere")

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
