"""Sampled values as they are recorded: one track for each label set, on the grid of points. Used by `record`.

A track is an array that grows at its end, so that looking at a running stage costs what is new and not what is old.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from orchestrator.gates.grid import Points, nearest_point
from orchestrator.journal import Samples

Values = npt.NDArray[np.float64]
"""Values at consecutive points. NaN is a point whose value is not known."""


@dataclass(slots=True)
class Track:
    """The values of one label set, at the grid points from `origin` on.

    A value that is not finite was answered and says nothing. It is kept apart from a point without an answer, for a
    policy of its own judges it.
    """

    labels: dict[str, str]
    origin: int
    _values: Values = field(default_factory=lambda: np.empty(0))
    _count: int = 0
    _odd: set[int] = field(default_factory=set)

    def put(self, origin: int, values: tuple[float | None, ...]) -> None:
        """Puts values at the points from `origin` on, and overwrites what was there."""
        if origin < self.origin:
            self._values = np.concatenate([np.full(self.origin - origin, np.nan), self._values[: self._count]])
            self._count, self.origin = len(self._values), origin
        fresh = np.array(values, dtype=np.float64)
        at = origin - self.origin
        self._reserve(at + len(fresh))
        self._values[at : at + len(fresh)] = np.where(np.isfinite(fresh), fresh, np.nan)
        if self._odd:
            self._odd -= set(range(origin, origin + len(fresh)))
        if np.isnan(fresh).any() or np.isinf(fresh).any():
            odd = (i for i, value in enumerate(values) if value is not None and not np.isfinite(value))
            self._odd.update(origin + i for i in odd)

    def _reserve(self, count: int) -> None:
        if count > len(self._values):
            grown = np.full(max(count, 2 * len(self._values), 64), np.nan)
            grown[: self._count] = self._values[: self._count]
            self._values = grown
        self._count = max(self._count, count)

    def between(self, points: Points) -> Values:
        """The values at all these points. It must not be changed."""
        low, high = points[0] - self.origin, points[1] - self.origin + 1
        if low >= 0 and high <= self._count:
            return self._values[low:high]
        inside = self._values[max(0, low) : min(max(0, high), self._count)]
        front = min(max(0, -low), high - low)
        found = np.full(high - low, np.nan)
        found[front : front + len(inside)] = inside
        return found

    def odd(self, points: Points) -> int:
        """How many of these points have a value that is not a finite number."""
        return sum(points[0] <= point <= points[1] for point in self._odd) if self._odd else 0


@dataclass(slots=True)
class Answers:
    """All answers to one question. Pieces may overlap, and a failed piece may have been asked for again.

    `query` is what was sent, in the words of the version of coalmine that sent it.
    """

    query: str = ""
    tracks: dict[tuple[tuple[str, str], ...], Track] = field(default_factory=dict)
    covered: list[Points] = field(default_factory=list)
    failures: list[tuple[Points, str]] = field(default_factory=list)
    warnings: list[tuple[Points, str]] = field(default_factory=list)

    def add(self, samples: Samples) -> None:
        origin = nearest_point(samples.first, samples.step)
        points = origin, origin + samples.count - 1
        self.query = samples.query
        if samples.error is not None:
            self.failures.append((points, samples.error))
            return
        self.covered = _joined([*self.covered, points])
        self.warnings += ((points, text) for text in samples.warnings)
        for row in samples.rows:
            key = tuple(sorted(row.labels.items()))
            self.tracks.setdefault(key, Track(row.labels, origin)).put(origin, row.values)

    def lacking(self, points: Points) -> Iterator[Points]:
        """The stretches inside `points` that were never answered."""
        low, high = points
        for start, end in self.covered:
            if end >= low and start <= high:
                if start > low:
                    yield low, start - 1
                low = end + 1
        if low <= high:
            yield low, high

    def failure(self, points: Points) -> str | None:
        """The last error of a query that touches the stretch; None if none failed."""
        return next((error for where, error in reversed(self.failures) if _meet(where, points)), None)

    def warned(self, points: Points) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for where, text in self.warnings if _meet(where, points)))


def _meet(a: Points, b: Points) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]


def _joined(stretches: list[Points]) -> list[Points]:
    joined: list[Points] = []
    for low, high in sorted(stretches):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined
