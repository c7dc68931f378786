"""`coalmine rpc`: one call to one node, through the API server."""

import json
from typing import Annotated, Any

import typer

from orchestrator.cli import options, selecting, stdout
from orchestrator.errors import UsageError


def rpc(
    node: Annotated[str, typer.Argument(help="The node's name.")],
    method: Annotated[str, typer.Argument(help="Such as system_health; rpc_methods lists them.")],
    params: Annotated[list[str] | None, typer.Argument(help="Each as JSON; 0x… needs no quotes.")] = None,
    testnet: selecting.TestnetName = None,
    relay: Annotated[bool, typer.Option("--relay", help="Ask the relay node inside a collator.")] = False,
    timeout: Annotated[str, typer.Option(help="How long to wait for the answer.")] = "30s",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
) -> int:
    """Call a method of a node's RPC and print the result as JSON."""
    from orchestrator.inspection import live

    values = [parameter(text) for text in params or ()]
    limit = seconds("--timeout", timeout)
    cluster, found = selecting.found(options.Where(context, kubeconfig, lab), testnet)
    chosen = selecting.one(found, node)
    stdout.data(live.node_rpc(cluster, chosen, relay=relay, timeout=limit).call(method, *values))
    return 0


def parameter(text: str) -> Any:
    """Parses a parameter as JSON. Text that begins with `0x` is a string even without quotes.

    Raises:
        UsageError: when it is neither.
    """
    if text.startswith("0x"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        hint = f"a string needs quotes of its own: '\"{text}\"'"
        raise UsageError(f"parameter {text!r} is not JSON: {error}", hint=hint) from error


def seconds(option: str, text: str) -> float:
    """Parses the duration in an option; returns seconds. `option` is its name, for the error.

    Raises:
        UsageError: when the text is not a duration.
    """
    from orchestrator.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
