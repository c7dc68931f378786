"""Keeps a network's volumes when its StatefulSets are deleted. Called by `network`.

Normally a StatefulSet owns its volumes' claims, so that nothing is left behind (`whenDeleted: Delete`). To keep them,
the policy is changed first. Nothing may be deleted until the StatefulSet controller has released every claim.
"""

import time
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ProvisionError

_RETAIN = {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}}}


def retain(cluster: Cluster, namespace: str, patience: float = 60.0) -> None:
    """Returns when no claim would be deleted with its StatefulSet.

    Raises:
        ProvisionError: the StatefulSet controller did not release a claim within `patience` seconds. Nothing is lost.
    """
    for group in cluster.list("StatefulSet", namespace):
        cluster.patch("StatefulSet", group["metadata"]["name"], namespace, _RETAIN)
    deadline = time.monotonic() + patience
    while owned := [claim for claim in cluster.list("PersistentVolumeClaim", namespace) if _owned(claim)]:
        if time.monotonic() > deadline:
            names = ", ".join(claim["metadata"]["name"] for claim in owned[:3])
            raise ProvisionError(f"{len(owned)} volumes would still be deleted with their StatefulSets: {names}")
        time.sleep(0.2)


def _owned(claim: dict[str, Any]) -> bool:
    return any(
        reference["kind"] in {"StatefulSet", "Pod"} for reference in claim["metadata"].get("ownerReferences", [])
    )
