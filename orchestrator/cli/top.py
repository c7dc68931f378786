"""`coalmine top`: a live table of the nodes of a testnet."""

import sys
from typing import Annotated

import typer

from orchestrator.cli import options, selecting, stdout
from orchestrator.cli.format import Format
from orchestrator.cli.rpc import seconds


def top(
    nodes: selecting.Nodes = None,
    testnet: selecting.TestnetName = None,
    group: selecting.Group = None,
    role: selecting.Role = None,
    chain: selecting.Chain = None,
    every: Annotated[str, typer.Option(help="How often to look.")] = "2s",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    output: options.Output = Format.TEXT,
) -> int:
    """Show nodes with their heights, peers and use of the machine until Ctrl-C; once where there is no terminal."""
    from orchestrator.cli import watching

    period = seconds("--every", every)
    cluster, found = selecting.found(options.Where(context, kubeconfig, lab), testnet)
    selection = selecting.selection(nodes, group, role, chain)
    seen = watching.look(cluster, found.name, selection)
    if output is Format.JSON:
        stdout.data([watching.document(one) for one in seen])
    elif not sys.stdout.isatty():
        stdout.text(watching.written(seen))
    else:
        watching.live_table(cluster, found.name, selection, seen, period)
    return 0
