"""Our custom resource definitions, on a cluster that several users share. Called by `network` and `sweep`.

They are our only objects outside of a network's namespace. Every `up` touches them. `down` removes them only if no
network is left: it reads their version first, then looks for networks, then deletes only that version. An `up` in
between changes the version, so the definitions stay.
"""

import time
from collections.abc import Collection
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.engine.ownership import SELECTOR
from orchestrator.errors import ClusterError, ProvisionError
from orchestrator.spec.crd import crds

KIND = "CustomResourceDefinition"
_TOUCHED = "coalmine.dev/used-at"


def ensure(cluster: Cluster, *, at: str, patience: float = 30.0) -> None:
    """Applies the definitions and waits until the API server serves them, about a second after their creation.

    Args:
        cluster: the cluster.
        at: the time now; it makes each use change the definitions' version.
        patience: seconds to wait. A definition that is just being removed is created again.

    Raises:
        ProvisionError: they are not served in time.
    """
    deadline = time.monotonic() + patience
    pending = {definition["metadata"]["name"]: definition for definition in crds()}
    for definition in pending.values():
        cluster.apply(_touched(definition, at))
    while pending:
        for name, definition in list(pending.items()):
            found = cluster.get(KIND, name)
            if found is None:
                cluster.apply(_touched(definition, at))
            elif not _leaving(found) and _established(found):
                del pending[name]
        if time.monotonic() > deadline:
            raise ProvisionError(f"the API server did not establish {', '.join(pending)} within {patience:g} s")
        if pending:
            time.sleep(0.2)


def unused(cluster: Cluster, *, leaving: Collection[str] = ()) -> list[dict[str, Any]]:
    """Our definitions if the cluster has no network and no object of them left; else none.

    Namespaces in `leaving` do not count. The definitions are read before the networks, see the module's docstring.
    """
    names = [definition["metadata"]["name"] for definition in crds()]
    found = [definition for name in names if (definition := cluster.get(KIND, name))]
    ours = [definition for definition in found if not _leaving(definition) and _is_ours(definition)]
    kinds = [str(definition["spec"]["names"]["kind"]) for definition in ours]
    spaces = {str(space["metadata"]["name"]) for space in cluster.list_all("Namespace", SELECTOR)}
    objects = {str(item["metadata"]["namespace"]) for kind in kinds for item in _objects(cluster, kind)}
    return ours if (spaces | objects) <= set(leaving) else []


def remove_unused(cluster: Cluster) -> list[str]:
    """Removes the definitions if nobody uses them any more. Returns their names."""
    removed = []
    for definition in unused(cluster):
        name, version = definition["metadata"]["name"], definition["metadata"]["resourceVersion"]
        try:
            cluster.delete(KIND, name, version=version)
        except ClusterError as error:
            if error.status != 409:  # Somebody's `up` has touched it in between.
                raise
        else:
            removed.append(name)
    return removed


def _touched(definition: dict[str, Any], at: str) -> dict[str, Any]:
    metadata = {**definition["metadata"], "annotations": {_TOUCHED: at}}
    return {**definition, "metadata": metadata}


def _is_ours(definition: dict[str, Any]) -> bool:
    return bool(definition["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "coalmine")


def _leaving(definition: dict[str, Any]) -> bool:
    return "deletionTimestamp" in definition["metadata"]


def _established(definition: dict[str, Any]) -> bool:
    conditions = {c["type"]: c["status"] for c in (definition.get("status") or {}).get("conditions") or []}
    return conditions.get("Established") == "True"


def _objects(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    try:
        return cluster.list_all(kind)
    except ClusterError as error:
        if error.status == 404:  # Not served any more.
            return []
        raise
