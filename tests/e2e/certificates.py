"""Certificates and keys of one run: a CA, serving certificates, the key that signs service account tokens."""
import subprocess

# 10.0.2.2 is what a guest of QEMU's user-mode network calls the host's loopback; 192.168.77.1 is what nodes of tests/cluster call it,
# and 10.96.0.1 what their pods do.
NAMES = ["IP:127.0.0.1", "IP:10.0.2.2", "IP:192.168.77.1", "IP:10.96.0.1", "DNS:localhost", "DNS:kubernetes", "DNS:kubernetes.default",
         "DNS:kubernetes.default.svc", "DNS:kubernetes.default.svc.cluster.local"]
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Certificates:
    def __init__(self, folder):
        self.folder = folder
        self.ca = folder / "ca.crt"
        self.ca_key = folder / "ca.key"
        self.service_account_key = folder / "service-account.key"
        openssl("req", "-x509", *NEW_KEY, "-subj", "/CN=podferry-e2e", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", str(self.ca_key), "-out", str(self.ca))
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(self.service_account_key))
        self.issued = 0

    def serving(self):
        """A new serving certificate and its key, issued by the same CA."""
        self.issued += 1
        certificate, key = self.folder / f"serving-{self.issued}.crt", self.folder / f"serving-{self.issued}.key"
        self.issue(certificate, key, "kube-apiserver", ["extendedKeyUsage=serverAuth", "subjectAltName=" + ",".join(NAMES)])
        return certificate, key

    def client(self, user):
        """Certificate and key of a user, as PEM."""
        self.issued += 1
        certificate, key = self.folder / f"client-{self.issued}.crt", self.folder / f"client-{self.issued}.key"
        self.issue(certificate, key, user, ["extendedKeyUsage=clientAuth"])
        return certificate.read_text(), key.read_text()

    def issue(self, certificate, key, name, extensions):
        extensions = ["basicConstraints=critical,CA:FALSE", *extensions]
        openssl("req", "-x509", "-CA", str(self.ca), "-CAkey", str(self.ca_key), *NEW_KEY, "-subj", f"/CN={name}",
                *(word for extension in extensions for word in ("-addext", extension)), "-keyout", str(key),
                "-out", str(certificate))
