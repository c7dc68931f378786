"""What a journal says of the chains' heights, and of any series, at any time. Pure; used by what changes a record."""

import functools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from orchestrator.gates.evidence import Known
from orchestrator.gates.grid import last_point
from orchestrator.gates.mutate.subject import Subject, subject
from orchestrator.gates.record import Record
from orchestrator.gates.track import Answers, Track
from orchestrator.journal import Chart, Clock, Journal, Samples, Series, Target
from orchestrator.spec.testnet import RELAY

BEST, FINAL = "best", "final"

BESTS = frozenset(
    {Subject("signal", "best-height"), Subject("signal", "block-time"), Subject("chainRead", "best-height")}
)
"""Whose answers are a node's best height."""

FINALS = frozenset(
    {
        Subject("signal", "finalized-height"),
        Subject("signal", "parachain-height"),
        Subject("chainRead", "finalized-height"),
    }
)
"""Whose answers are a node's finalised height."""

LAG = Subject("signal", "finality-lag")

_LASTS = 5
"""Points for which a value counts where there is none."""

Past = Callable[[float], float | None]
"""A series: its value at a time, if it is known."""


@dataclass(frozen=True, slots=True)
class _Height:
    """A series of heights, and whether it was asked for at a time. Who was asked and has no value did not answer."""

    value: Past
    asked: Callable[[float], bool]

    def moved(self, before: float, after: float) -> float | None:
        """None if it was not asked for. A node that did not answer has not moved."""
        if not (self.asked(before) and self.asked(after)):
            return None
        first, last = self.value(before), self.value(after)
        return 0.0 if first is None or last is None else last - first


@dataclass(frozen=True)
class World:
    """A journal, read for its heights. `record` has all of its evidence."""

    record: Record
    _keys: dict[str, Subject]
    _charts: tuple[Chart, ...]
    _heights: dict[tuple[str, Target], tuple[_Height, ...]] = field(default_factory=dict)
    _series: dict[tuple[str, tuple[tuple[str, str], ...]], Past] = field(default_factory=dict)

    @classmethod
    def of(cls, journal: Journal) -> "World":
        record = Record.begun(journal.started)
        for entry in journal.entries:
            record.add(entry)
        keys = {entry.key: subject(entry.key) for entry in journal.all(Samples)}
        return cls(record, keys, journal.all(Chart))

    def moved(self, kind: str, target: Target, before: float, after: float) -> float:
        """By how much a node's height differs at two times; 0 if nothing in the journal has it at both."""
        if (kind, target) not in self._heights:
            self._heights[kind, target] = tuple(self._sources(kind, target))
        found = (height.moved(before, after) for height in self._heights[kind, target])
        return next((moved for moved in found if moved is not None), 0.0)

    def note(self, when: float) -> Clock | None:
        """The chains' heights as they were noted last."""
        found = self.record.timeline.at(when)
        return found.value if isinstance(found, Known) else None

    def final(self, chain: str, when: float) -> int | None:
        """The furthest finalised height of a chain."""
        found = self.record.timeline.finalized(when, chain)
        return found.value if isinstance(found, Known) else None

    def reached(self, chain: str, height: int) -> float | None:
        """When a height of a chain was first noted as final."""
        noted = ((clock.at, _noted(clock, FINAL, chain)) for clock in self.record.clocks)
        return next((at for at, final in noted if final is not None and final >= height), None)

    def past(self, key: str, labels: dict[str, str]) -> Past:
        """The series with these labels among the answers to a question."""
        whose = tuple(sorted(labels.items()))
        if (key, whose) not in self._series:
            self._series[key, whose] = _read(self.record.answers(key).tracks[whose], self.record.step)
        return self._series[key, whose]

    def _sources(self, kind: str, target: Target) -> Iterator[_Height]:
        """Everything that knows the height of a node, the nearest to the node first."""
        alike = BESTS if kind == BEST else FINALS
        for key, about in self._keys.items():
            answers = self.record.answers(key)
            for track in answers.tracks.values() if about in alike else ():
                if _whose(track.labels) == target:
                    yield _Height(_read(track, self.record.step), _asked(answers, self.record.step))
        for chart in self._charts:
            for series in chart.series if Subject("signal", chart.signal) in alike else ():
                if _whose(series.labels) == target:
                    yield _drawn(series)
        yield _Height(lambda when: _noted(self.note(when), kind, target.chain or RELAY), lambda _: True)


def _read(track: Track, step: float) -> Past:
    @functools.cache  # Every mutant asks for the same points.
    def at(point: int) -> float | None:
        near = track.between((point - _LASTS + 1, point))
        known = near[~np.isnan(near)]
        return float(known[-1]) if len(known) else None

    return lambda when: at(last_point(when, step))


def _asked(answers: Answers, step: float) -> Callable[[float], bool]:
    def asked(when: float) -> bool:
        point = last_point(when, step)
        return any(low <= point <= high for low, high in answers.covered)

    return asked


def _drawn(series: Series) -> _Height:
    """A chart's line. It has fewer points than were sampled, if the run was long."""
    times = [when for when, _ in series.samples]
    lasts = max(_LASTS, 2.5 * min((b - a for a, b in pairwise(times)), default=0.0))

    def value(when: float) -> float | None:
        index = bisect_right(times, when)
        return series.samples[index - 1][1] if index and when - times[index - 1] <= lasts else None

    return _Height(value, lambda when: bool(times) and times[0] <= when <= times[-1] + lasts)


def _noted(clock: Clock | None, kind: str, chain: str) -> float | None:
    """A chain's height in the notes. They have no best height of a parachain; what is final is as fast."""
    if clock is None:
        return None
    if chain != RELAY:
        return clock.parachains.get(chain)
    return clock.best if kind == BEST else clock.finalized


def _whose(labels: dict[str, str]) -> Target:
    return Target(node=labels.get("node", ""), chain=labels.get("chain"))
