"""A gate with its question and the time from which on it needs evidence. Made by `collect`, used by all kinds."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.gates.evidence import Evidence
from orchestrator.gates.question import Question
from orchestrator.journal import Entry, MeasuredWindow
from orchestrator.spec import Gate

Keep = Callable[[Entry], object]
"""Writes an entry to the journal and adds it to the record."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`since` is in Unix seconds. `left_out` are nodes that the stage's own fault stopped."""

    gate: Gate
    question: Question
    window: Evidence[MeasuredWindow]
    since: float
    left_out: tuple[str, ...]
