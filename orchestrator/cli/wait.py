"""`coalmine wait --for …`: waits until conditions hold in a testnet."""

from contextlib import ExitStack
from typing import Annotated

import typer

from orchestrator.cli import options, selecting
from orchestrator.cli.rpc import seconds
from orchestrator.inspection.waiting import WORDS


def wait(
    for_: Annotated[list[str], typer.Option("--for", help=f"{WORDS}. May be given several times.")],
    nodes: selecting.Nodes = None,
    testnet: selecting.TestnetName = None,
    group: selecting.Group = None,
    role: selecting.Role = None,
    chain: selecting.Chain = None,
    timeout: Annotated[str, typer.Option(help="After which it is given up, with exit code 4.")] = "5m",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
) -> int:
    """Wait until nodes are ready, or have come to a block or session, or parachains are included.

    Heights are each node's own chain's; without a selection, best=N and finalized=N ask the relay chain's nodes.
    """
    from orchestrator.cli import console
    from orchestrator.inspection import conditions, waiting

    asked = [conditions.parse(text) for text in for_]
    limit = seconds("--timeout", timeout)
    cluster, found = selecting.found(options.Where(context, kubeconfig, lab), testnet)
    with ExitStack() as stack:
        selection = selecting.selection(nodes, group, role, chain)
        wanted = conditions.conditions(asked, cluster, found, selection, stack)
        waiting.wait(wanted, limit, console.stepper())
    return 0
