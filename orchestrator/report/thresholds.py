"""A gate's threshold as lines in the chart of its samples. Pure.

A threshold on values is a level. One on growth begins at the value that the worst node had at the window's start.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.gates.threshold import Meaning, bounds
from orchestrator.journal import MeasuredWindow, Series
from orchestrator.spec import Gate


@dataclass(frozen=True, slots=True)
class Rule:
    """A line from one (unix seconds, value) to another, and what it asks."""

    start: tuple[float, float]
    end: tuple[float, float]
    label: str


def rules(gate: Gate, window: MeasuredWindow, worst: Series | None) -> tuple[Rule, ...]:
    """The lines, as far as the threshold can be drawn: none for `progresses`, `agrees` and `noWorseThan`."""
    try:
        meaning = Meaning.of(gate)
    except KeyError:  # The catalogue has no such signal any more.
        return ()
    base = _base(window, worst)
    if gate.recovers_within is not None:
        return tuple(_level(window, base, f"to exceed: {base:g}")) if base is not None else ()
    if gate.rate_per_minute is not None or meaning.figure == "seconds-per-growth":
        return tuple(_slopes(gate, window, base, inverse=meaning.figure != "samples")) if base is not None else ()
    grows = gate.increases_by is not None or gate.stalls is not None or meaning.figure == "growth"
    if grows and base is None:
        return ()
    return tuple(_levels(gate, window, (base or 0.0) if grows else 0.0))


def _base(window: MeasuredWindow, worst: Series | None) -> float | None:
    """The value at the window's start, or the first one after it."""
    if worst is None:
        return None
    before = [value for when, value in worst.samples if when <= window.start]
    return before[-1] if before else next((value for _, value in worst.samples), None)


def _level(window: MeasuredWindow, value: float, label: str) -> Iterator[Rule]:
    yield Rule((window.start, value), (window.end, value), label)


def _levels(gate: Gate, window: MeasuredWindow, base: float) -> Iterator[Rule]:
    low, high = bounds(gate)
    if low is not None:
        yield from _level(window, base + low, f"{'equals' if low == high else 'at least'} {base + low:g}")
    if high is not None and high != low:
        yield from _level(window, base + high, f"at most {base + high:g}")


def _slopes(gate: Gate, window: MeasuredWindow, base: float, *, inverse: bool) -> Iterator[Rule]:
    """Lines of even growth: so much a minute, or `inverse`, one each so many seconds."""
    low, high = bounds(gate)
    for bound, words in ((low, "at least"), (high, "at most")):
        if bound is not None and bound > 0:
            growth = (window.end - window.start) * (1 / bound if inverse else bound / 60)
            unit = "s each" if inverse else "a minute"
            yield Rule((window.start, base), (window.end, base + growth), f"{words} {bound:g} {unit}")
