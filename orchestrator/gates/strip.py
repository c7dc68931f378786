"""One series in the window that it is judged over: what is known, and what is missing. Pure.

Every source is asked at the multiples of one step of unix time. A point without a number is a hole. A hole never helps
a gate: the gate passes only if it would pass with any value there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from orchestrator.journal import MeasuredWindow

Sample = tuple[float, float]
Value = float | None


def first_point(when: float, step: float) -> int:
    """The first point of the grid that is not before the time."""
    return math.ceil(when / step - 1e-6)


def last_point(when: float, step: float) -> int:
    """The last point of the grid that is not after the time."""
    return math.floor(when / step + 1e-6)


@dataclass(frozen=True, slots=True)
class Holes:
    """How many points of a strip have no number, by reason."""

    unanswered: int = 0
    odd: int = 0
    stale: int = 0
    fewer: int = 0

    def __add__(self, other: "Holes") -> "Holes":
        return Holes(
            self.unanswered + other.unanswered, self.odd + other.odd, self.stale + other.stale, self.fewer + other.fewer
        )


@dataclass(frozen=True, slots=True)
class Strip:
    """Values at the times `(origin + index) * step`, finite or None. `earlier` is the last known sample before them."""

    window: MeasuredWindow
    origin: int
    step: float
    values: tuple[Value, ...]
    why: Holes
    earlier: Sample | None = None

    def at(self, index: int) -> float:
        """The time of a point, unix seconds."""
        return (self.origin + index) * self.step

    @property
    def asked(self) -> int:
        return len(self.values)

    @property
    def holes(self) -> int:
        return self.values.count(None)

    @property
    def complete(self) -> bool:
        return None not in self.values

    @property
    def covers_start(self) -> bool:
        return bool(self.values) and self.values[0] is not None

    @property
    def covers_end(self) -> bool:
        return bool(self.values) and self.values[-1] is not None

    def numbers(self) -> tuple[float, ...]:
        """The known values, in the order of time."""
        if self.complete:
            return self.values  # type: ignore[return-value]  # None of it is None.
        return tuple([value for value in self.values if value is not None])

    def known(self) -> list[tuple[int, float]]:
        """The known values, each after its index."""
        return [(index, value) for index, value in enumerate(self.values) if value is not None]

    def ends(self) -> tuple[tuple[int, float], tuple[int, float]]:
        """The first and the last known value, each after its index. There must be a known value."""
        first = next(index for index, value in enumerate(self.values) if value is not None)
        last = next(index for index in range(self.asked - 1, -1, -1) if self.values[index] is not None)
        return (first, self.values[first] or 0.0), (last, self.values[last] or 0.0)

    def fall(self) -> tuple[int, float, float] | None:
        """The first index at which the value is lower than before, and the values before and at it; None if none is."""
        numbers = self.numbers()
        if tuple(sorted(numbers)) == numbers:  # Sorting what is sorted already is fast.
            return None
        return next((j, a, b) for (_, a), (j, b) in pairwise(self.known()) if b < a)

    def until(self, index: int) -> "Strip":
        """The part before an index, with a window that ends there and is open."""
        window = self.window.model_copy(update={"end": self.at(index - 1), "open": True})
        return replace(self, window=window, values=self.values[:index])

    def rebased(self, *, from_zero: bool) -> "Strip":
        """The strip with its falls removed. After a fall, counting starts at zero, or else at the new value."""
        shift, earlier, values = 0.0, None, []
        for value in self.values:
            if value is not None:
                if earlier is not None and value < earlier:
                    shift += earlier if from_zero else earlier - value
                earlier = value
            values.append(None if value is None else value + shift)
        return replace(self, values=tuple(values))

    def gaps(self) -> str:
        """A sentence about what is missing, for use in a reason."""
        named = (
            (self.why.odd, "not a number"),
            (self.why.stale, "from a node that answered no scrape then"),
            (self.why.fewer, "without a value of every node"),
        )
        told = "".join(f", {count} of them {what}" for count, what in named if count)
        return f"{self.holes} of {self.asked} samples are missing{told}"


def lay(raw: Sequence[Value], window: MeasuredWindow, origin: int, step: float, earlier: Sample | None = None) -> Strip:
    """A strip of the raw values. Values that are not finite become holes."""
    unanswered = raw.count(None)
    numbers = raw if not unanswered else [value for value in raw if value is not None]
    if math.isfinite(sum(numbers)):  # type: ignore[arg-type]  # Nothing in it is None.
        return Strip(window, origin, step, tuple(raw), Holes(unanswered), earlier)
    values = tuple(value if value is not None and math.isfinite(value) else None for value in raw)
    return Strip(window, origin, step, values, Holes(unanswered, values.count(None) - unanswered), earlier)


def masked(strip: Strip, present: Sequence[bool], why: Holes) -> Strip:
    """The strip with holes where `present` is False. `why` counts one such hole."""
    values = tuple(value if here else None for value, here in zip(strip.values, present, strict=True))
    lost = values.count(None) - strip.holes
    counted = Holes(why.unanswered * lost, why.odd * lost, why.stale * lost, why.fewer * lost)
    return replace(strip, values=values, why=strip.why + counted)
