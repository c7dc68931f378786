"""Applies the check of metric names before a run to its verdicts. Called by `evaluate` with the journal's events.

Some counters appear only with their first use, so their queries say "or zero". A client that does not have such a
counter at all then gives zero too, and zero is what these gates want. So a gate whose metric was known to be missing
cannot pass.
"""

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from orchestrator.gates.finding import Finding, unknown
from orchestrator.journal import Event, Node
from orchestrator.metrics.exposed import Endpoint
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE, targets
from orchestrator.spec import Gate

CHECKED = "names.checked"
"""The name of the event that `run.names` records, with a list `doubts` of `metrics.exposed.Doubt`."""


def findings(gate: Gate, nodes: tuple[Node, ...], events: Iterable[Event]) -> Iterator[Finding]:
    """A finding about the first metric of the gate that one of its nodes certainly lacked; nothing if there is none."""
    missing = dict(_missing(events))
    if not missing:
        return
    signal = CATALOGUE.get(gate.signal) if gate.signal is not None else None
    groups = {node.name: node.group for node in nodes}
    asked = targets(nodes, gate.on, signal)
    for read in reads(signal.promql if signal is not None else gate.promql or ""):
        for target in asked:
            reason = missing.get((read.name, str(Endpoint(groups[target.node], target.chain or ""))))
            if reason is not None:
                yield unknown(f"before the run, {reason}")
                return


def _missing(events: Iterable[Event]) -> Iterator[tuple[tuple[str, str], str]]:
    """(metric, endpoint) and the reason, for each metric that was certainly missing at an endpoint."""
    for event in events:
        doubts = event.detail.get("doubts") if event.name == CHECKED else None
        for doubt in doubts if isinstance(doubts, list) else ():
            if isinstance(doubt, dict) and doubt.get("certain"):
                yield (_text(doubt.get("metric")), _text(doubt.get("where"))), _text(doubt.get("reason"))


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
