"""Keeps the last applied Testnet in its namespace, for users who do not have the file.

Written by `network.up`, read by `networks`. It is not secret: a Testnet contains no seeds and no keys.
"""

import json
from typing import Any

from orchestrator.cluster import Cluster, Object
from orchestrator.spec import Testnet

NAME = "coalmine-testnet"
COMPONENT = "app.kubernetes.io/component=testnet"


def remember(cluster: Cluster, testnet: Testnet) -> None:
    """Stores the Testnet in its namespace."""
    labels = {
        "app.kubernetes.io/managed-by": "coalmine",
        "app.kubernetes.io/component": "testnet",
        "coalmine.dev/network": testnet.name,
    }
    document = testnet.model_dump_json(by_alias=True, exclude_none=True, indent=1)
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": testnet.namespace, "labels": labels},
            "data": {"testnet.json": document},
        }
    )


def document(found: Object) -> Any:
    """The Testnet in such a ConfigMap. It is plain data, because another version of coalmine may have written it."""
    return json.loads(found["data"]["testnet.json"])
