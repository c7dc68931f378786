"""`coalmine get testnets | nodes | parachains`: lists what is in the cluster. Reads only the cluster, no files."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import listing, options, stdout
from orchestrator.cli.format import Listing
from orchestrator.cli.selecting import TestnetName
from orchestrator.errors import ChainError

if TYPE_CHECKING:
    from orchestrator.cluster import Cluster
    from orchestrator.inspection.networks import NodeState, TestnetState

Row = dict[str, Any]
"""One object: column name -> value. JSON prints it as it is."""


class What(StrEnum):
    TESTNETS = "testnets"
    NODES = "nodes"
    PARACHAINS = "parachains"


_WIDE = {
    What.TESTNETS: ("namespace", "bootnodes", "runtime"),
    What.NODES: ("chain-id", "machine", "ip", "image"),
    What.PARACHAINS: ("runtime", "groups"),
}
"""Columns that only `-o wide` shows. JSON has all columns."""


def get(
    what: Annotated[What, typer.Argument(help="What to list.")],
    testnet: TestnetName = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    output: Annotated[Listing, typer.Option("-o", "--output", help="How to print.")] = Listing.TEXT,
) -> int:
    """List testnets, nodes or parachains. Of all testnets, unless one is named."""
    from orchestrator.cli import console, reaching
    from orchestrator.inspection import networks

    cluster = reaching.existing(options.Where(context, kubeconfig, lab))
    found = (networks.testnet(cluster, testnet),) if testnet else networks.testnets(cluster)
    if what is What.TESTNETS:
        rows = [_testnet(one) for one in found]
    elif what is What.NODES:
        rows = [_node(node) for one in found for node in one.nodes]
    else:
        rows = [row for one in found for row in _parachains(cluster, one)]
    if output is Listing.JSON:
        stdout.data(rows)
    elif not rows:
        console.say(f"there are no {what} in {cluster.context}")
    else:
        hidden = () if output is Listing.WIDE else _WIDE[what]
        header = [name for name in rows[0] if name not in hidden]
        stdout.text(listing.columns(header, [[_cell(name, row[name]) for name in header] for row in rows]))
    return 0


def _testnet(testnet: "TestnetState") -> Row:
    spec = (testnet.applied or {}).get("spec", {})
    return {
        "name": testnet.name,
        "status": testnet.phase,
        "ready": f"{sum(node.ready for node in testnet.nodes)}/{len(testnet.nodes)}",
        "validators": sum(node.role == "validator" for node in testnet.nodes),
        "parachains": len(testnet.parachains),
        "restarts": sum(node.restarts for node in testnet.nodes),
        "age": _when(testnet.created),
        "namespace": testnet.namespace,
        "bootnodes": sum(node.role == "bootnode" for node in testnet.nodes),
        "runtime": _runtime(spec.get("relaychain", {})),
    }


def _node(node: "NodeState") -> Row:
    return {
        "name": node.name,
        "testnet": node.testnet,
        "chain": node.chain,
        "role": node.role,
        "status": "Ready" if node.ready else str(node.trouble),
        "restarts": node.restarts,
        "age": _when(node.created),
        "chain-id": node.para_id,
        "machine": node.machine,
        "ip": node.ip,
        "image": node.image,
    }


def _parachains(cluster: "Cluster", testnet: "TestnetState") -> list[Row]:
    from orchestrator.inspection import live

    heads = live.included(cluster, testnet.relay, [para.id for para in testnet.parachains])
    specs = {one.get("id"): one for one in (testnet.applied or {}).get("spec", {}).get("parachains", [])}
    rows = []
    for para in testnet.parachains:
        head = heads[para.id]
        collators = [node for node in para.nodes if node.role == "collator"]
        rows.append(
            {
                "id": para.id,
                "name": para.chain,
                "testnet": para.testnet,
                "collators": f"{sum(node.ready for node in collators)}/{len(collators)}",
                "nodes": f"{sum(node.ready for node in para.nodes)}/{len(para.nodes)}",
                "included": None if isinstance(head, ChainError) else head,
                "status": head.message if isinstance(head, ChainError) else "Including" if head else "Registered",
                "runtime": _runtime(specs.get(para.id, {})),
                "groups": ",".join(dict.fromkeys(node.group for node in para.nodes)),
            }
        )
    return rows


def _runtime(chain: dict[str, Any]) -> str | None:
    """A short name of the runtime that a chain was started with: name and version, or its file."""
    code = chain.get("runtime") or {}
    if model := code.get("model"):
        return f"{model.get('specName')}-{model.get('specVersion')}"
    return code.get("file")


def _when(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return listing.age(datetime.fromisoformat(value)) if name == "age" else str(value)
