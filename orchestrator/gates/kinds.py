"""The four kinds of evidence, and which of them a gate is judged by. Each has a module with its whole life."""

from typing import Literal

from orchestrator.gates import agreement, counts, measured, samples
from orchestrator.gates.question import Question
from orchestrator.journal import Node
from orchestrator.spec import Gate
from orchestrator.spec.gate import COUNTED

Kind = Literal["samples", "counts", "agreement", "measured"]


def kind_of(gate: Gate) -> Kind:
    """The kind of evidence that the gate is judged by."""
    if gate.agrees:
        return "agreement"
    if gate.measured is not None:
        return "measured"
    return "counts" if gate.source() in COUNTED else "samples"


def question(gate: Gate, nodes: tuple[Node, ...], step: float) -> Question:
    """What the gate asks of a network whose nodes are scraped every `step` seconds.

    Raises:
        KeyError: when the catalogue has no such signal.
    """
    match kind_of(gate):
        case "agreement":
            return agreement.ask(gate, nodes)
        case "counts":
            return counts.ask(gate, nodes)
        case "measured":
            return measured.ask(gate)
        case "samples":
            return samples.ask(gate, nodes, step)
