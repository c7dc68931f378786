"""What coalmine remembers of a network, in a ConfigMap of the network's namespace. Called by engines and `network`.

It is not kept on the user's machine: any machine can continue, two users see the same, and deleting the namespace
deletes it. It holds no secret, only the keys of objects, the Testnet that genesis was built from, and how many nodes
the start barrier waits for.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.cluster import Cluster
from orchestrator.spec import Testnet

NAME = "coalmine-stack"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is remembered of one network.

    `objects` are the keys of all objects that may exist, in the order in which they are applied. `founded` is the
    Testnet that genesis was built from. `parties` is how many nodes the start barrier waits for. `version` changes with
    every change of the inventory.
    """

    objects: tuple[str, ...] = ()
    engine: str = ""
    founded: Testnet | None = None
    parties: int = 0
    version: str = ""


def read(cluster: Cluster, namespace: str) -> Inventory:
    """The inventory of a namespace; an empty one if there is none."""
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
    """Records which objects may exist, and keeps everything else."""
    known = read(cluster, namespace)
    write(cluster, namespace, replace(known, objects=tuple(objects), engine=engine))
