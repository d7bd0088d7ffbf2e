"""The cluster's control plane: the e2e ring's, on the address that the nodes reach, with the controllers and the scheduler that run pods."""
import base64
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "lab")]

from control_plane import ControlPlane  # noqa: E402

import network  # noqa: E402
import programs  # noqa: E402

NODE_USER = "system:node:{}/O=system:nodes"
API_CLIENT = "kube-apiserver-kubelet-client/O=system:masters"


class Plane(ControlPlane):
    service_range = network.SERVICES
    controllers = ["*", "-nodeipam", "-bootstrapsigner", "-tokencleaner"]

    def choose_ports(self):
        super().choose_ports()
        self.api_port = network.API_PORT

    def __enter__(self):
        super().__enter__()
        self.start_scheduler()
        return self

    def network_options(self):
        """Its own Service `kubernetes` leads to it, and it reaches kubelets with a certificate."""
        certificate, key = self.folder / "kubelet-client.crt", self.folder / "kubelet-client.key"
        self.certificates.issue(certificate, key, API_CLIENT, ["extendedKeyUsage=clientAuth"])
        return ["--bind-address=0.0.0.0", f"--advertise-address={network.API_ADDRESS}", f"--kubelet-client-certificate={certificate}",
                f"--kubelet-client-key={key}", "--kubelet-preferred-address-types=InternalIP", "--max-requests-inflight=1000"]

    def start_scheduler(self):
        self.spawn_at(programs.kubernetes() / "kube-scheduler", "kube-scheduler", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
                      "--bind-address=127.0.0.1", f"--cert-dir={self.folder}")

    def kubelet_kubeconfig(self, node):
        """As kubeadm's /etc/kubernetes/kubelet.conf: the control plane's end point, and the node's own certificate."""
        certificate, key = self.certificates.client(NODE_USER.format(node))
        return kubeconfig(self.certificates.ca, {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)})

    def kube_proxy_kubeconfig(self):
        """As kubeadm has it in ConfigMap kube-proxy: the files are those of the pod's service account."""
        account = "/var/run/secrets/kubernetes.io/serviceaccount"
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "default",
            "clusters": [{"name": "default", "cluster": {"certificate-authority": f"{account}/ca.crt", "server": server()}}],
            "contexts": [{"name": "default", "context": {"cluster": "default", "namespace": "default", "user": "default"}}],
            "users": [{"name": "default", "user": {"tokenFile": f"{account}/token"}}]}, indent=1)


def server():
    return f"https://{network.API_ADDRESS}:{network.API_PORT}"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def kubeconfig(ca, user):
    return json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "node",
                       "clusters": [{"name": "cluster", "cluster": {"server": server(), "certificate-authority-data": encoded(ca.read_text())}}],
                       "users": [{"name": "node", "user": user}], "contexts": [{"name": "node", "context": {"cluster": "cluster", "user": "node"}}]}, indent=1)
