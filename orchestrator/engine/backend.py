"""Stores the Pulumi CLI's state between operations, in Secrets of the network's namespace. Called by `automation`.

The state holds the full text of every object, several times over. It holds no secret: the seed, the token and the
kubeconfig never pass through a program. Compression over long distances shrinks it to about the size of its chain
specs. It is split into pieces below the API server's limit of 1 MiB.
"""

import base64
import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import zstandard

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError

PASSPHRASE = "coalmine-pulumi-passphrase"  # noqa: S105  The name of a Secret, not one.
CHUNK = 700_000
_LABELS = {"app.kubernetes.io/managed-by": "coalmine", "app.kubernetes.io/component": "pulumi-state"}
_SELECTOR = ",".join(f"{key}={value}" for key, value in _LABELS.items())
_SUM = "coalmine.dev/sha256"
_SYSTEM = "kube-system"

_COMPRESSION = zstandard.ZstdCompressionParameters.from_level(3, window_log=27, enable_ldm=True)


def read(cluster: Cluster, namespace: str) -> dict[str, Any] | None:
    """The state as `pulumi stack export` gave it. None if there is none, or if writing it was interrupted."""
    found = sorted(cluster.list("Secret", namespace, _SELECTOR), key=lambda item: str(item["metadata"]["name"]))
    packed = b"".join(base64.b64decode(item["data"]["state"]) for item in found)
    sums = {item["metadata"]["annotations"][_SUM] for item in found}
    if sums != {_digest(packed)}:
        return None
    raw = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress(packed)
    state: dict[str, Any] = json.loads(raw)
    return state


def write(cluster: Cluster, namespace: str, state: dict[str, Any]) -> None:
    """Stores this state in place of the one before."""
    raw = json.dumps(state, sort_keys=True).encode()
    packed = zstandard.ZstdCompressor(compression_params=_COMPRESSION).compress(raw)
    pieces = [packed[start : start + CHUNK] for start in range(0, len(packed), CHUNK)]
    names = [f"coalmine-pulumi-{index:04d}" for index in range(len(pieces))]
    before = [str(item["metadata"]["name"]) for item in cluster.list("Secret", namespace, _SELECTOR)]
    for name, piece in zip(names, pieces, strict=True):
        metadata = {"name": name, "namespace": namespace, "labels": _LABELS, "annotations": {_SUM: _digest(packed)}}
        data = {"state": base64.b64encode(piece).decode()}
        cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    for name in set(before) - set(names):
        cluster.delete("Secret", name, namespace)


def passphrase(cluster: Cluster, namespace: str) -> str:
    """The stack's passphrase. It is created if there is none; a preview of a new network does not call this."""
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": PASSPHRASE,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "coalmine"},
        },
        "immutable": True,
        "stringData": {"passphrase": secrets.token_urlsafe(32)},
    }
    try:
        cluster.create(document)
    except ClusterError as error:
        if error.status != 409:
            raise
    found = cluster.get("Secret", PASSPHRASE, namespace)
    assert found is not None
    return base64.b64decode(found["data"]["passphrase"]).decode()


def cluster_identity(cluster: Cluster) -> str:
    """An identifier of this cluster that is the same from wherever the cluster is reached."""
    found = cluster.get("Namespace", _SYSTEM)
    return str(found["metadata"]["uid"]) if found else cluster.host


def write_kubeconfig(cluster: Cluster, file: Path) -> Path:
    """Writes a kubeconfig that holds only this cluster and that only this user can read. Returns its path."""
    authority, certificate, headers = cluster.tls()
    server: dict[str, Any] = {"server": cluster.host}
    user: dict[str, Any] = {}
    if authority:
        server["certificate-authority"] = str(authority)
    if certificate:
        user |= {"client-certificate": str(certificate[0]), "client-key": str(certificate[1])}
    if "authorization" in headers:
        user["token"] = headers["authorization"].removeprefix("Bearer ")
    name = "coalmine"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(document))
    return file


def _digest(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()
