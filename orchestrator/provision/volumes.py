"""Keeps a network's volumes over the deletion of its StatefulSets. Called by `network`.

A group's StatefulSet owns its volumes' claims, so that nothing is left behind (`whenDeleted: Delete`). To keep them the
policy is changed first, and the StatefulSet controller must have let go of every claim before anything is deleted.
"""

import time
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ProvisionError

_RETAIN = {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}}}


def retain(cluster: Cluster, namespace: str, patience: float = 60.0) -> None:
    """Returns when no claim would go with its StatefulSet.

    Raises:
        ProvisionError: when the StatefulSet controller does not let go of one in time; nothing is lost then.
    """
    for group in cluster.list("StatefulSet", namespace):
        cluster.patch("StatefulSet", group["metadata"]["name"], namespace, _RETAIN)
    deadline = time.monotonic() + patience
    while owned := [claim for claim in cluster.list("PersistentVolumeClaim", namespace) if _owned(claim)]:
        if time.monotonic() > deadline:
            names = ", ".join(claim["metadata"]["name"] for claim in owned[:3])
            raise ProvisionError(f"{len(owned)} volumes would still go with their StatefulSets: {names}")
        time.sleep(0.2)


def _owned(claim: dict[str, Any]) -> bool:
    return any(
        reference["kind"] in {"StatefulSet", "Pod"} for reference in claim["metadata"].get("ownerReferences", [])
    )
