"""Checks a rehearsal's gates against the catalogue of signals and PromQL. `cli` gives the check to `spec.load`."""

from collections.abc import Iterator

from pydantic import BaseModel

from orchestrator.metrics.promql import parse_error
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Gate, Rehearsal

Finding = tuple[tuple[str | int, ...], str]

_GROWTH = ("increases_by", "rate_per_minute", "stalls", "progresses", "recovers_within")

_CLIMB = ("progresses", "recovers_within")
"""Thresholds that require a value to grow again and again."""


def check(item: BaseModel) -> Iterator[Finding]:
    """A check for `spec.load`: the path and the sentence of every mistake."""
    if isinstance(item, Rehearsal):
        for number, stage in enumerate(item.spec.stages):
            for index, gate in enumerate(stage.gates):
                for field, sentence in gate_mistakes(gate):
                    yield ("spec", "stages", number, "gates", index, field), sentence


def gate_mistakes(gate: Gate) -> Iterator[tuple[str, str]]:
    """The field and the sentence of every mistake of one gate."""
    if gate.promql is not None and (wrong := parse_error(gate.promql)) is not None:
        yield "promql", f"not PromQL: {wrong}"
    if gate.signal is None:
        return
    signal = CATALOGUE.get(gate.signal)
    if signal is None:
        yield "signal", f"no signal {gate.signal}; there are {', '.join(sorted(CATALOGUE))}"
    elif signal.derive != "samples" and gate.tolerate:
        yield "tolerate", f"{signal.name} is one figure for the whole window, so there are no samples to tolerate"
    elif gate.no_worse_than is not None and gate.no_worse_than.worse is None and signal.direction == "neither":
        yield (
            "noWorseThan",
            f"it is not known which direction of {signal.name} is worse; give `worse: higher` or `worse: lower`",
        )
    elif signal.derive != "samples" and gate.chosen() in _GROWTH:
        written = type(gate).model_fields[gate.chosen()].alias
        yield "signal", f"{signal.name} is one figure for the whole window, so {written} says nothing; use atMost"
    elif gate.chosen() in _CLIMB and not signal.monotone and not signal.climbs:
        written = type(gate).model_fields[gate.chosen()].alias
        yield "signal", f"{signal.name} does not grow in a healthy network, so {written} says nothing"
