"""The Testnet as it was applied last, kept in its namespace for all who come without the file.

Written by `network.up`, read by `state`. It is no secret: seeds and keys are not part of a Testnet.
"""

import json
from typing import Any

from orchestrator.cluster import Cluster, Object
from orchestrator.spec import Testnet

NAME = "coalmine-testnet"
COMPONENT = "app.kubernetes.io/component=testnet"


def remember(cluster: Cluster, testnet: Testnet) -> None:
    """Leaves the Testnet in its namespace."""
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
    """The Testnet in such a ConfigMap, as plain data: another version may have written it."""
    return json.loads(found["data"]["testnet.json"])
