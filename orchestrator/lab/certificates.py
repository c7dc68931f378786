"""The lab's certificate authority, certificates and kubeconfigs. Called by `native` once for each lab."""

import base64
import datetime as dt
import ipaddress
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from orchestrator.lab.state import LabState

_DAYS = 30


class Authority:
    """Signs the components' certificates and writes them to one directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coalmine-lab")])
        builder = _builder(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self._write("ca", self._certificate, self._key)

    def issue(self, file: str, name: str, *, groups: tuple[str, ...] = (), hosts: tuple[str, ...] = ()) -> None:
        """Writes FILE.crt and FILE.key for a client of this name and groups. With hosts, they serve a server too."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
        builder = _builder(x509.Name(subject), self._name, key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        self._write(file, builder.sign(self._key, hashes.SHA256()), key)

    def kubeconfig(self, target: Path, file: str, *, server: str, context: str) -> None:
        """Writes a self-contained kubeconfig for the client that has the certificate FILE.crt."""
        encoded = {
            part: base64.b64encode((self._folder / part).read_bytes()).decode()
            for part in ("ca.crt", f"{file}.crt", f"{file}.key")
        }
        user = {"client-certificate-data": encoded[f"{file}.crt"], "client-key-data": encoded[f"{file}.key"]}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": context, "cluster": {"server": server, "certificate-authority-data": encoded["ca.crt"]}}
            ],
            "users": [{"name": context, "user": user}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "current-context": context,
        }
        target.touch(mode=0o600)
        target.write_text(json.dumps(document))

    def _write(self, file: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        (self._folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = self._folder / f"{file}.key"
        secret.touch(mode=0o600)
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
            )
        )


def issue_all(lab: LabState) -> None:
    """Writes every certificate and kubeconfig of a lab."""
    pki = lab.directory / "pki"
    authority = Authority(pki)
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    authority.issue("apiserver", "kube-apiserver", hosts=(*names, lab.api_ip, "127.0.0.1", lab.lab_ip))
    authority.issue("apiserver-kubelet", "kube-apiserver", groups=("system:masters",))
    authority.issue("service-account", "service-accounts")
    clients = {
        "admin": ("admin", ("system:masters",)),
        "controller-manager": ("system:kube-controller-manager", ("system:masters",)),
        "scheduler": ("system:kube-scheduler", ()),
        "proxy": ("system:kube-proxy", ()),
        "kubelet": (f"system:node:{lab.node}", ("system:nodes",)),
    }
    for file, (name, groups) in clients.items():
        authority.issue(file, name, groups=groups)
        server = f"https://{lab.lab_ip}:6443"
        authority.kubeconfig(
            lab.directory / f"{file}.kubeconfig", file, server=server, context=f"coalmine-lab-{lab.name}"
        )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
