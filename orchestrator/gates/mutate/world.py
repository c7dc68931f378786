"""What a journal says of the chains' heights, and of any series, at any time. Pure; used by what changes a record."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from orchestrator.gates.evidence import Known
from orchestrator.gates.grid import last_point
from orchestrator.gates.mutate.subject import Subject, subject
from orchestrator.gates.record import Record
from orchestrator.gates.track import Track
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

_LASTS = 5
"""Points for which a value counts where there is none."""

Past = Callable[[float], float | None]
"""A series: its value at a time, if it is known."""


@dataclass(frozen=True)
class World:
    """A journal, read for its heights. `record` has all of its evidence."""

    record: Record
    _keys: dict[str, Subject]
    _charts: tuple[Chart, ...]
    _heights: dict[tuple[str, Target], tuple[Past, ...]] = field(default_factory=dict)

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
        for height in self._heights[kind, target]:
            first, last = height(before), height(after)
            if first is not None and last is not None:
                return last - first
        return 0.0

    def note(self, when: float) -> Clock | None:
        """The chains' heights as they were noted last."""
        found = self.record.timeline.at(when)
        return found.value if isinstance(found, Known) else None

    def final(self, chain: str, when: float) -> int | None:
        """The furthest finalised height of a chain."""
        found = self.record.timeline.finalized(when, chain)
        return found.value if isinstance(found, Known) else None

    def past(self, key: str, labels: dict[str, str]) -> Past:
        """The series with these labels among the answers to a question."""
        track = self.record.answers(key).tracks.get(tuple(sorted(labels.items())))
        return (lambda _: None) if track is None else _read(track, self.record.step)

    def _sources(self, kind: str, target: Target) -> Iterator[Past]:
        """Everything that knows the height of a node, the nearest to the node first."""
        alike = BESTS if kind == BEST else FINALS
        for key, about in self._keys.items():
            for track in self.record.answers(key).tracks.values() if about in alike else ():
                if _whose(track.labels) == target:
                    yield _read(track, self.record.step)
        for chart in self._charts:
            for series in chart.series if Subject("signal", chart.signal) in alike else ():
                if _whose(series.labels) == target:
                    yield _drawn(series)
        yield lambda when: _noted(self.note(when), kind, target.chain or RELAY)


def _read(track: Track, step: float) -> Past:
    def value(when: float) -> float | None:
        point = last_point(when, step)
        near = track.between((point - _LASTS + 1, point))
        known = near[~np.isnan(near)]
        return float(known[-1]) if len(known) else None

    return value


def _drawn(series: Series) -> Past:
    times = [when for when, _ in series.samples]

    def value(when: float) -> float | None:
        index = bisect_right(times, when)
        return series.samples[index - 1][1] if index and when - times[index - 1] <= _LASTS else None

    return value


def _noted(clock: Clock | None, kind: str, chain: str) -> float | None:
    """A chain's height in the notes. They have no best height of a parachain; what is final is as fast."""
    if clock is None:
        return None
    if chain != RELAY:
        return clock.parachains.get(chain)
    return clock.best if kind == BEST else clock.finalized


def _whose(labels: dict[str, str]) -> Target:
    return Target(node=labels.get("node", ""), chain=labels.get("chain"))
