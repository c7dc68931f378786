"""Options that select a testnet and its nodes. Used by the verbs that look at a testnet in a cluster."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.options import Where

if TYPE_CHECKING:
    from orchestrator.cluster import Cluster
    from orchestrator.inspection.networks import NodeState, Selection, TestnetState

TestnetName = Annotated[
    str | None, typer.Option("--testnet", "-n", help="Which testnet; not needed where there is only one.")
]
Nodes = Annotated[list[str] | None, typer.Argument(help="Names of nodes; all by default.")]
Group = Annotated[str | None, typer.Option(help="Only nodes of this group.")]
Role = Annotated[str | None, typer.Option(help="Only nodes of this role.")]
Chain = Annotated[str | None, typer.Option(help="Only nodes of this chain: relay, or a parachain by name or id.")]


def selection(names: list[str] | None, group: str | None, role: str | None, chain: str | None) -> "Selection":
    from orchestrator.inspection.networks import Selection

    return Selection(tuple(names or ()), group, role, chain)


def found(where: Where, testnet: str | None) -> "tuple[Cluster, TestnetState]":
    """The cluster and the testnet in it.

    Raises:
        UsageError: when the testnet does not exist, or no name is given and there is not exactly one.
    """
    from orchestrator.cli import reaching
    from orchestrator.inspection import networks

    cluster = reaching.existing(where)
    return cluster, networks.testnet(cluster, testnet)


def one(testnet: "TestnetState", name: str) -> "NodeState":
    """The node of this name; raises as `networks.select` does."""
    from orchestrator.inspection import networks
    from orchestrator.inspection.networks import Selection

    (node,) = networks.select(testnet.nodes, Selection(names=(name,)))
    return node
