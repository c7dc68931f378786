"""`coalmine logs`: many nodes' logs as one stream."""

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from orchestrator.cli import options, selecting
from orchestrator.cli.rpc import seconds
from orchestrator.errors import UsageError


def logs(
    nodes: selecting.Nodes = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C, over restarts.")] = False,
    testnet: selecting.TestnetName = None,
    group: selecting.Group = None,
    role: selecting.Role = None,
    chain: selecting.Chain = None,
    grep: Annotated[str | None, typer.Option(help="Only lines that this regular expression finds.")] = None,
    since: Annotated[str | None, typer.Option(help="Only what is younger than this, such as 5m.")] = None,
    tail: Annotated[int | None, typer.Option(min=0, help="Only so many lines of each node.")] = None,
    previous: Annotated[bool, typer.Option("--previous", "-p", help="Of the container before this one.")] = False,
    container: Annotated[str, typer.Option("--container", "-c", help="node, or init, which runs before it.")] = "node",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
) -> int:
    """Print what nodes log, in the order of time, each line with its node in front."""
    from orchestrator.cli import console
    from orchestrator.cli.log_printer import Printer
    from orchestrator.inspection import log_lines, networks

    if follow and previous:
        raise UsageError("--previous is over, so it cannot be followed")
    pattern = _pattern(grep)
    start = datetime.now(UTC) - timedelta(seconds=seconds("--since", since)) if since else None
    wish = log_lines.Wish(container=container, since=start, tail=tail, previous=previous)
    cluster, found = selecting.found(options.Where(context, kubeconfig, lab), testnet)
    selection = selecting.selection(nodes, group, role, chain)
    chosen = networks.select(found.nodes, selection)
    printer = Printer(width=max(len(node.name) for node in chosen), colours=sys.stdout.isatty())
    lines = (
        log_lines.follow(cluster, found.namespace, selection, wish, console.say)
        if follow
        else log_lines.read(cluster, chosen, wish, console.say)
    )
    try:
        for line in lines:
            if pattern is None or pattern.search(log_lines.plain(line.text)):
                printer.print(line)
    except BrokenPipeError:  # The reader, such as `| head`, has closed the pipe.
        sys.stdout = None
    return 0


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text is not None else None
    except re.error as error:
        raise UsageError(f"--grep: {text!r} is not a regular expression: {error}") from error
