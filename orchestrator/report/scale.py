"""The axes of charts: times across, values upwards, with round numbers at the ticks. Pure. Used by `charts`."""

import math
from dataclasses import dataclass

WIDTH, LEFT, RIGHT = 1000.0, 52.0, 8.0
"""The edges of every chart, in SVG units. All charts of the whole run share their time axis."""

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Times:
    """A time axis: of a whole run, or of a part of it."""

    start: float
    end: float

    def x(self, when: float) -> float:
        inside = min(max(when, self.start), self.end)
        return LEFT + (WIDTH - LEFT - RIGHT) * (inside - self.start) / (self.end - self.start)

    def ticks(self, origin: float) -> tuple[float, ...]:
        """At most nine ticks, at round distances from `origin`, in seconds."""
        length = self.end - self.start
        step = next((step for step in _STEPS if length / step <= 8), _STEPS[-1])
        first = math.ceil((self.start - origin) / step - 1e-9)
        last = math.floor((self.end - origin) / step + 1e-9)
        return tuple(origin + step * index for index in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Values:
    """A value axis between two heights of the drawing. In SVG, `bottom` is the larger number."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)

    def ticks(self) -> tuple[float, ...]:
        """Three to six ticks, at round values."""
        step = _round_step((self.high - self.low) / 4)
        first = math.ceil(self.low / step)
        return tuple(step * index for index in range(first, math.floor(self.high / step + 1e-9) + 1))


def values(samples: list[float], *, top: float, bottom: float) -> Values:
    """An axis for all these values. It includes zero if zero is near."""
    low, high = (min(samples), max(samples)) if samples else (0.0, 1.0)
    if 0 < low <= 0.5 * high:
        low = 0.0
    room = (high - low) * 0.06 or max(1.0, abs(high) * 0.1)
    return Values(low if low == 0.0 else low - room, high + room, top, bottom)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor for factor in (1, 2, 5, 10) if rough <= factor * power) * power
    return max(step, 1.0) if rough > 0.2 else step
