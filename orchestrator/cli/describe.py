"""`coalmine describe testnet | node | parachain NAME`: everything that cluster and chain say about one thing."""

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator.cli import options, selecting, stdout
from orchestrator.cli.format import Format


class What(StrEnum):
    TESTNET = "testnet"
    NODE = "node"
    PARACHAIN = "parachain"


def describe(
    what: Annotated[What, typer.Argument(help="The kind of thing.")],
    name: Annotated[str, typer.Argument(help="Its name. A parachain's id works too.")],
    testnet: selecting.TestnetName = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    output: options.Output = Format.TEXT,
) -> int:
    """Say everything about one testnet, node or parachain."""
    from orchestrator.cli import facts as about

    where = options.Where(context, kubeconfig, lab)
    cluster, found = selecting.found(where, name if what is What.TESTNET else testnet)
    if what is What.TESTNET:
        facts = about.of_testnet(cluster, found)
    elif what is What.NODE:
        facts = about.of_node(cluster, selecting.one(found, name))
    else:
        facts = about.of_parachain(cluster, found, name)
    if output is Format.JSON:
        stdout.data(facts)
    else:
        if what is What.TESTNET:
            facts["applied"] = about.without_defaults(found)
        stdout.text(about.written(facts))
    return 0
