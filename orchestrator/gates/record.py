"""Everything that a run knows, in a form that gates can use. Built from a journal, or entry by entry during a run.

A gate is judged by a `Record` and nothing else. So judging live and judging afterwards run the same code over the same
entries, and give the same verdict.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orchestrator.gates.strip import Value
from orchestrator.gates.window import Timeline
from orchestrator.journal import (
    Baseline,
    Clock,
    ClockCheck,
    Entry,
    Event,
    Journal,
    Node,
    Occurrences,
    Readings,
    RunStarted,
    Samples,
)

Points = tuple[int, int]
"""A stretch of the sample grid: its first and its last point, both included."""


@dataclass(slots=True)
class Track:
    """The values of one label set, at the grid points from `origin` on."""

    labels: dict[str, str]
    origin: int
    values: list[Value] = field(default_factory=list)

    def put(self, origin: int, values: tuple[Value, ...]) -> None:
        """Puts values at the points from `origin` on, and overwrites what was there."""
        if origin < self.origin:
            self.values[:0] = [None] * (self.origin - origin)
            self.origin = origin
        at = origin - self.origin
        self.values += [None] * (at - len(self.values))
        self.values[at : at + len(values)] = values

    def between(self, points: Points) -> list[Value]:
        """The values at all these points; None where nothing is known."""
        low, high = points[0] - self.origin, points[1] - self.origin + 1
        inside = self.values[max(0, low) : max(0, high)]
        front = min(max(0, -low), high - low)
        return [None] * front + inside + [None] * (high - low - front - len(inside))

    def before(self, point: int, since: int) -> tuple[int, float] | None:
        """The last known value before `point` and not before `since`, with its point; None if there is none."""
        low = max(since, self.origin)
        for index in range(min(point, self.origin + len(self.values)) - 1, low - 1, -1):
            value = self.values[index - self.origin]
            if value is not None:
                return index, value
        return None


@dataclass(slots=True)
class Answers:
    """All answers to one query. Pieces may overlap, and a failed piece may have been asked for again."""

    tracks: dict[tuple[tuple[str, str], ...], Track] = field(default_factory=dict)
    covered: list[Points] = field(default_factory=list)
    failures: list[tuple[Points, str]] = field(default_factory=list)
    warnings: list[tuple[Points, str]] = field(default_factory=list)

    def add(self, samples: Samples) -> None:
        origin = round(samples.first / samples.step)
        points = origin, origin + samples.count - 1
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


class Record:
    """What is known so far. `nodes` are all nodes of the network; `step` is the distance of samples in seconds."""

    def __init__(self, nodes: tuple[Node, ...], step: float) -> None:
        self.nodes = nodes
        self.step = step
        self.events: list[Event] = []
        self.clocks: list[Clock] = []
        self.checks: list[ClockCheck] = []
        self.baselines: list[Baseline] = []
        self._ahead: dict[tuple[float, float, int], float | None] = {}
        self._answers: dict[str, Answers] = {}
        self._occurrences: dict[str, list[Occurrences]] = {}
        self._readings: dict[str, list[Readings]] = {}

    @classmethod
    def of(cls, journal: Journal) -> "Record":
        """The record of a journal.

        Raises:
            UsageError: when the journal does not even say what was run.
        """
        started = journal.started
        return cls.fed(started.nodes, started.scrape, journal.entries)

    @classmethod
    def fed(cls, nodes: tuple[Node, ...], step: float, entries: Iterable[Entry]) -> "Record":
        record = cls(nodes, step)
        for entry in entries:
            record.add(entry)
        return record

    def add(self, entry: Entry) -> None:
        """Adds a journal entry. Kinds that no gate uses are ignored."""
        if isinstance(entry, Samples):
            self._answers.setdefault(entry.query, Answers()).add(entry)
        elif isinstance(entry, Clock):
            insort(self.clocks, entry, key=lambda clock: clock.at)
        elif isinstance(entry, Event):
            self.events.append(entry)
        elif isinstance(entry, ClockCheck):
            self.checks.append(entry)
        elif isinstance(entry, Occurrences):
            self._occurrences.setdefault(entry.query, []).append(entry)
        elif isinstance(entry, Readings):
            self._readings.setdefault(entry.query, []).append(entry)
        elif isinstance(entry, Baseline):
            self.baselines.append(entry)
        elif isinstance(entry, RunStarted):
            self.nodes, self.step = entry.nodes, entry.scrape

    @property
    def timeline(self) -> Timeline:
        return Timeline(self.clocks)

    def chain_ahead(self, start: float, end: float) -> float | None:
        """As `Timeline.chain_ahead`, but cached, because all gates of a window ask for it."""
        key = start, end, len(self.clocks)
        if key not in self._ahead:
            self._ahead[key] = self.timeline.chain_ahead(start, end)
        return self._ahead[key]

    def checked(self, start: float, end: float) -> Iterator[ClockCheck]:
        """The comparisons of clocks from `start` to `end`, and the first one after that."""
        for check in self.checks:
            if check.at >= start:
                yield check
            if check.at > end:
                return

    def answers(self, query: str) -> Answers:
        """The answers to a query; empty if it was never asked."""
        return self._answers.get(query, Answers())

    def occurrences(self, query: str) -> tuple[Occurrences, ...]:
        return tuple(self._occurrences.get(query, ()))

    def readings(self, query: str) -> tuple[Readings, ...]:
        return tuple(self._readings.get(query, ()))
