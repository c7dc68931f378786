"""Checks whether an applied change has reached all pods. Before that, a ready pod may be about to be replaced.

Called by the readiness ladder's first rung, for an `up` that changes a running network.
"""

from typing import Any

from orchestrator.cluster import Cluster

_KINDS = ("StatefulSet", "Deployment", "DaemonSet")


def missing(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The workloads of a namespace whose last change has not reached all their pods, and how far each one is."""
    found = [(kind, item) for kind in _KINDS for item in cluster.list(kind, namespace)]
    return {item["metadata"]["name"]: why for kind, item in found if (why := unfinished(kind, item)) is not None}


def unfinished(kind: str, document: dict[str, Any]) -> str | None:
    """Why a rollout is not complete, by the rules of `kubectl rollout status`. None if it is complete.

    Pods of a StatefulSet below its partition do not count: they keep the old template on purpose.
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
