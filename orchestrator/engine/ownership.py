"""Whose an object is. Nothing of another owner is overwritten or deleted. Pure but for `others`; called by `network`.

An object is ours when it says so by the labels that every object of a network has, or when coalmine's field manager
has applied it, which stays on record when somebody takes the labels away.
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
"""Objects as they are in the cluster, by key; None where there is none."""


def ours(live: dict[str, Any], network: str) -> bool:
    """Whether an object belongs to this network."""
    labels = live["metadata"].get("labels") or {}
    if MANAGED_BY in labels:
        return bool(labels[MANAGED_BY] == "coalmine" and labels.get(NETWORK, network) == network)
    return any(entry.get("manager") == "coalmine" for entry in live["metadata"].get("managedFields") or [])


def owner(live: dict[str, Any]) -> str:
    """Who an object seems to belong to, for a message."""
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
    """Returns if every object that is there is this network's.

    Raises:
        Refused: naming each object that is not, and whose it is.
    """
    others = [f"{key} (of {owner(found)})" for key, found in live.items() if found and not ours(found, network)]
    if others:
        raise Refused(
            f"not ours, and left alone: {', '.join(others)}",
            hint="remove or rename these, or give the testnet another name; a namespace is handed over by the labels "
            f"{MANAGED_BY}=coalmine and {NETWORK}={network}",
        )
