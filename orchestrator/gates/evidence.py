"""One series laid against the window it was asked for: what is known, and what is missing. Used by `series`.

A query over a range asks for a value at every step. A point that was asked for and not answered with a number is a
hole, and no judgement here ever gains from a hole: a gate passes only if it would pass whatever stood there.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.journal import MeasuredWindow

Sample = tuple[float, float]

_CLOCK = 0.002
"""Seconds by which times may differ through Prometheus' rounding to milliseconds."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`known` are the numbers in the window in the order of time; `before` the last one that precedes it."""

    window: MeasuredWindow
    known: tuple[Sample, ...]
    before: Sample | None
    asked: int
    holes: int
    odd: int
    at_start: bool
    at_end: bool

    @property
    def complete(self) -> bool:
        return self.holes == 0

    def falls(self) -> tuple[tuple[Sample, Sample], ...]:
        """Neighbours of which the later is lower."""
        return tuple((a, b) for a, b in pairwise(self.known) if b[1] < a[1])

    def gaps(self) -> str:
        """What is missing, for a reason."""
        odd = f", {self.odd} of them not a number" if self.odd else ""
        return f"{self.holes} of {self.asked} samples are missing{odd}"


def points(start: float, end: float, step: float) -> int:
    """How many values a query over the range asks for, counted in milliseconds as Prometheus counts."""
    return (round(end * 1000) - round(start * 1000)) // round(step * 1000) + 1


def lay(samples: tuple[Sample, ...], window: MeasuredWindow, step: float) -> Evidence:
    """The evidence in samples that were asked for every `step` seconds, in whatever order they come."""
    asked = points(window.start, window.end, step)
    inside = sorted(s for s in samples if window.start - _CLOCK <= s[0] <= window.end + _CLOCK)
    known = tuple(s for s in inside if math.isfinite(s[1]))
    answered = {round((when - window.start) / step) for when, _ in known}
    earlier = sorted(s for s in samples if s[0] < window.start - _CLOCK and math.isfinite(s[1]))
    return Evidence(
        window=window,
        known=known,
        before=earlier[-1] if earlier else None,
        asked=max(asked, len(answered)),
        holes=max(0, asked - len(answered)),
        odd=len(inside) - len(known),
        at_start=0 in answered,
        at_end=any(point >= asked - 1 for point in answered),
    )


def rebased(known: tuple[Sample, ...], *, from_zero: bool) -> tuple[Sample, ...]:
    """The samples without their falls: a counter starts from zero again, anything else from its new value."""
    shift, result = 0.0, list(known[:1])
    for (_, earlier), (when, later) in pairwise(known):
        if later < earlier:
            shift += earlier if from_zero else earlier - later
        result.append((when, later + shift))
    return tuple(result)
