"""The rights that podferry has in the e2e ring: those of the rendered Helm chart and no others."""
import pathlib
import re
import subprocess

from build import helm

HERE = pathlib.Path(__file__).resolve().parent
CHART = HERE.parents[1] / "charts/podferry"
NAMESPACE, SERVICE_ACCOUNT = "kube-system", "podferry"
RIGHTS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


def rights():
    """The chart's objects that give rights, as YAML."""
    rendered = subprocess.run([str(helm()), "template", "podferry", str(CHART), "-n", NAMESPACE, "--set",
                               "k8sServiceHost=10.0.2.2"], check=True, stdout=subprocess.PIPE, text=True).stdout
    documents = re.split(r"^---.*$", rendered, flags=re.MULTILINE)
    return "---\n".join(text for text in documents if kind(text) in RIGHTS)


def kind(document):
    found = re.search(r"^kind:\s*(\w+)", document, flags=re.MULTILINE)
    return found and found[1]


def apply_rights(plane):
    plane.kubectl("apply", "-n", NAMESPACE, "-f", "-", given=rights())
