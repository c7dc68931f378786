"""One series in the window that it is judged over: what is known, and what is missing. Pure.

Every source is asked at the points of one grid. A point without a number is a hole. A hole never helps a gate: the gate
passes only if it would pass with any value there.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from orchestrator.gates.evidence import Known
from orchestrator.gates.grid import time_of
from orchestrator.gates.track import Values
from orchestrator.journal import MeasuredWindow

Marks = npt.NDArray[np.bool_]
"""One mark for each point of a strip."""


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
    """Values at the points from `origin` on, NaN where there is none.

    `reached` is the highest value that was known before the window, for thresholds that look back.
    """

    window: Known[MeasuredWindow]
    origin: int
    step: float
    values: Values
    holes: int
    why: Holes
    reached: float | None = None

    def at(self, index: int) -> float:
        """The time of a point, unix seconds."""
        return time_of(self.origin + int(index), self.step)

    @property
    def asked(self) -> int:
        return len(self.values)

    @property
    def complete(self) -> bool:
        return not self.holes

    @property
    def covers_start(self) -> bool:
        return bool(self.asked) and not np.isnan(self.values[0])

    @property
    def covers_end(self) -> bool:
        return bool(self.asked) and not np.isnan(self.values[-1])

    def known(self) -> npt.NDArray[np.intp]:
        """The indices of the known values."""
        return np.arange(self.asked) if self.complete else np.flatnonzero(~np.isnan(self.values))

    def numbers(self) -> Values:
        """The known values, in the order of time."""
        return self.values if self.complete else self.values[~np.isnan(self.values)]

    def fall(self) -> tuple[int, float, float] | None:
        """The first index at which the value is lower than before, and the values before and at it; None if none is."""
        numbers = self.numbers()
        falls = numbers[1:] < numbers[:-1]
        if not falls.any():
            return None
        at = int(np.argmax(falls)) + 1
        return int(self.known()[at]), float(numbers[at - 1]), float(numbers[at])

    def until(self, index: int) -> "Strip":
        """The part before an index, with a window that ends there and is open."""
        end = self.at(index - 1)
        told = self.window.value.model_copy(update={"end": end, "open": True})
        window = Known(told, told.start, end, complete=False)
        return self.with_values(self.values[:index], window=window)

    def rebased(self, *, from_zero: bool) -> "Strip":
        """The strip with its falls removed. After a fall, counting starts at zero, or else at the new value."""
        numbers = self.numbers()
        steps = np.diff(numbers)
        lost = np.where(steps < 0, numbers[:-1] if from_zero else -steps, 0.0)
        values = self.values.copy()
        values[self.known()] = numbers + np.concatenate([[0.0], np.cumsum(lost)])[: len(numbers)]
        return replace(self, values=values)

    def with_values(self, values: Values, *, window: Known[MeasuredWindow] | None = None) -> "Strip":
        holes = int(np.count_nonzero(np.isnan(values)))
        return replace(self, values=values, holes=holes, window=window or self.window)

    def gaps(self) -> str:
        """A sentence about what is missing, for use in a reason."""
        named = (
            (self.why.odd, "not a number"),
            (self.why.stale, "from a node that answered no scrape then"),
            (self.why.fewer, "without a value of every node"),
        )
        told = "".join(f", {count} of them {what}" for count, what in named if count)
        return f"{self.holes} of {self.asked} samples are missing{told}"


def lay(values: Values, odd: int, window: Known[MeasuredWindow], origin: int, step: float) -> Strip:
    """A strip of a track's values. `odd` of them are not finite numbers."""
    holes = int(np.count_nonzero(np.isnan(values)))
    return Strip(window, origin, step, values, holes, Holes(holes - odd, odd))


def masked(strip: Strip, present: Marks, why: Holes) -> Strip:
    """The strip with holes where `present` is False. `why` counts one such hole."""
    found = strip.with_values(np.where(present, strip.values, np.nan))
    lost = found.holes - strip.holes
    counted = Holes(why.unanswered * lost, why.odd * lost, why.stale * lost, why.fewer * lost)
    return replace(found, why=strip.why + counted)
