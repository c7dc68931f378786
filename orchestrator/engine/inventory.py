"""What coalmine remembers of a network, in a ConfigMap of the network's own namespace. Called by engines, `network`.

There, and not on the user's machine, so that any machine can go on, two users see the same, and nothing is left when
the namespace goes. It holds no secret: keys of objects, the Testnet that genesis was made of, and the barrier's number.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.cluster import Cluster
from orchestrator.spec import Testnet

NAME = "coalmine-stack"


@dataclass(frozen=True, slots=True)
class Inventory:
    """`objects` are the keys of all that may exist, in the order of application; `founded` is the first Testnet.

    `parties` is how many nodes the start barrier waits for; `version` changes with every change of any of it.
    """

    objects: tuple[str, ...] = ()
    engine: str = ""
    founded: Testnet | None = None
    parties: int = 0
    version: str = ""


def read(cluster: Cluster, namespace: str) -> Inventory:
    """An empty one where nothing is remembered."""
    found = cluster.get("ConfigMap", NAME, namespace)
    if found is None:
        return Inventory()
    data = found["data"]
    return Inventory(
        objects=tuple(json.loads(data.get("objects", "[]"))),
        engine=data.get("engine", ""),
        founded=Testnet.model_validate_json(data["founded"]) if "founded" in data else None,
        parties=int(data.get("parties", "0")),
        version=found["metadata"]["resourceVersion"],
    )


def write(cluster: Cluster, namespace: str, inventory: Inventory) -> None:
    data = {
        "objects": json.dumps(inventory.objects),
        "engine": inventory.engine,
        "parties": str(inventory.parties),
    }
    if inventory.founded is not None:
        data["founded"] = inventory.founded.model_dump_json(by_alias=True, exclude_none=True)
    metadata = {"name": NAME, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "coalmine"}}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def remember(cluster: Cluster, namespace: str, objects: Iterable[str], *, engine: str) -> None:
    """Notes which objects may exist; all else stays as it was."""
    known = read(cluster, namespace)
    write(cluster, namespace, replace(known, objects=tuple(objects), engine=engine))
