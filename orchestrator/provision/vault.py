"""A network's secrets: the seed, the agents' token, imported keys. No engine ever sees them. Called by `network`.

They exist only in Secrets of the namespace and in memory, never in a program, state, event or log.
"""

import base64
import secrets
from pathlib import Path
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError
from orchestrator.render.groups import KEYS_SECRET
from orchestrator.spec import Testnet

SEED = "coalmine-seed"
TOKEN = "coalmine-agent-token"  # noqa: S105  The name of a Secret, not one.
_IMPORTED = {"app.kubernetes.io/managed-by": "coalmine", "app.kubernetes.io/component": "imported-keys"}


def new_seed() -> bytes:
    return secrets.token_bytes(32)


def read_seed(cluster: Cluster, namespace: str) -> bytes | None:
    """The network's seed, 32 bytes. None if it has none yet."""
    found = cluster.get("Secret", SEED, namespace)
    return bytes.fromhex(base64.b64decode(found["data"]["seed"]).decode()) if found else None


def keep_seed(cluster: Cluster, namespace: str, seed: bytes) -> bytes:
    """Stores this seed unless the network already has one. Returns the network's seed."""
    create_once(cluster, _fixed(SEED, namespace, {"seed": seed.hex()}))
    kept = read_seed(cluster, namespace)
    assert kept is not None
    return kept


def keep_token(cluster: Cluster, namespace: str) -> None:
    """Creates the token with which the controller authenticates to the agents, unless there is one."""
    create_once(cluster, _fixed(TOKEN, namespace, {"token": secrets.token_urlsafe(32)}))


def keep_imported(cluster: Cluster, testnet: Testnet) -> None:
    """Stores the secret URIs of groups whose keys come from a file: one Secret per group, one entry per node's ordinal.

    Removes the Secrets of groups that have left. Genesis has checked that each file has a line for each node.
    """
    wanted = {}
    for _, group in testnet.spec.groups():
        if group.keys is not None and group.keys.file is not None:
            lines = [line.strip() for line in Path(group.keys.file).read_text().splitlines() if line.strip()]
            wanted[f"{KEYS_SECRET}{group.name}"] = {str(ordinal): uri for ordinal, uri in enumerate(lines)}
    for name, uris in wanted.items():
        metadata = {"name": name, "namespace": testnet.namespace, "labels": _IMPORTED}
        encoded = {ordinal: base64.b64encode(uri.encode()).decode() for ordinal, uri in uris.items()}
        cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})
    selector = ",".join(f"{key}={value}" for key, value in _IMPORTED.items())
    for found in cluster.list("Secret", testnet.namespace, selector):
        if found["metadata"]["name"] not in wanted:
            cluster.delete("Secret", found["metadata"]["name"], testnet.namespace)


def create_once(cluster: Cluster, document: dict[str, Any]) -> None:
    """Creates an object. An existing one stays as it is."""
    try:
        cluster.create(document)
    except ClusterError as error:
        if error.status != 409:
            raise


def _fixed(name: str, namespace: str, data: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "coalmine"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "immutable": True, "stringData": data}
