"""Whether what was applied has reached the pods: before that, a ready pod may be one that is about to be replaced.

Called by the readiness ladder's first rung, for an `up` that changes a running network.
"""

from typing import Any

from orchestrator.cluster import Cluster

_KINDS = ("StatefulSet", "Deployment", "DaemonSet")


def missing(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Which workloads of a namespace have not brought their last change to all their pods yet, and how far they are."""
    found = [(kind, item) for kind in _KINDS for item in cluster.list(kind, namespace)]
    return {item["metadata"]["name"]: why for kind, item in found if (why := unfinished(kind, item)) is not None}


def unfinished(kind: str, document: dict[str, Any]) -> str | None:
    """Why a rollout is not complete, as `kubectl rollout status` decides it; None when it is.

    A StatefulSet's pods below its partition are left out: they keep the old template on purpose.
    """
    spec, status = document["spec"], document.get("status") or {}
    if status.get("observedGeneration", 0) < document["metadata"].get("generation", 0):
        return "its controller has not seen the change yet"
    if kind == "DaemonSet":
        wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    elif kind == "Deployment":
        wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
        if status.get("replicas", 0) > updated:
            return f"{status['replicas'] - updated} old pods still run"
    else:
        partition = (spec.get("updateStrategy", {}).get("rollingUpdate") or {}).get("partition", 0)
        wanted = max(0, spec.get("replicas", 1) - partition)
        same = status.get("updateRevision") == status.get("currentRevision")  # Nothing is being rolled out.
        updated = wanted if same else status.get("updatedReplicas", 0)
    return f"{updated} of {wanted} pods are updated" if updated < wanted else None
