"""Finds out who owns an object. coalmine never overwrites or deletes another owner's. Called by engines and `network`.

An object is ours if it has the labels of the network, or if coalmine's field manager has applied it. The API server
keeps the field manager on record even if somebody removes the labels. Pure except for `look`.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import Refused

MANAGED_BY = "app.kubernetes.io/managed-by"
NETWORK = "coalmine.dev/network"
SELECTOR = f"{MANAGED_BY}=coalmine"
WORKERS = 16

Live = dict[str, dict[str, Any] | None]
"""Objects in the cluster, by key; None for a key without an object."""


def ours(live: dict[str, Any], network: str) -> bool:
    """Whether an object belongs to this network."""
    labels = live["metadata"].get("labels") or {}
    if MANAGED_BY in labels:
        return bool(labels[MANAGED_BY] == "coalmine" and labels.get(NETWORK, network) == network)
    return any(entry.get("manager") == "coalmine" for entry in live["metadata"].get("managedFields") or [])


def owner(live: dict[str, Any]) -> str:
    """The apparent owner of an object, for a message."""
    labels = live["metadata"].get("labels") or {}
    if labels.get(NETWORK):
        return f"the network {labels[NETWORK]}"
    managers = {str(entry.get("manager")): None for entry in live["metadata"].get("managedFields") or []}
    return labels.get(MANAGED_BY) or ", ".join(managers) or "somebody else"


def look(cluster: Cluster, namespace: str, keys: Iterable[str]) -> Live:
    """The live objects of these keys."""
    wanted = list(dict.fromkeys(keys))

    def one(key: str) -> dict[str, Any] | None:
        kind, _, name = key.partition("/")
        return cluster.get(kind, name, namespace)

    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(wanted, pool.map(one, wanted), strict=True))


def refuse_others(live: Live, network: str) -> None:
    """Returns if every object that exists belongs to this network.

    Raises:
        Refused: some objects do not. The message names them and their owners.
    """
    others = [f"{key} (of {owner(found)})" for key, found in live.items() if found and not ours(found, network)]
    if others:
        raise Refused(
            f"not ours, and left alone: {', '.join(others)}",
            hint="remove or rename these, or give the testnet another name; to hand a namespace over, label it "
            f"{MANAGED_BY}=coalmine and {NETWORK}={network}",
        )
