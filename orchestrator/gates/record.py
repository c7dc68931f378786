"""Everything that a run knows, in a form that gates can use. Built from a journal, or entry by entry during a run.

A gate is judged by a `Record` and nothing else. So judging live and judging afterwards run the same code over the same
entries, and give the same verdict. Evidence is found by the key of its question (`question.Question`), never by the
words of a query.
"""

from bisect import insort
from collections.abc import Iterable, Iterator

from orchestrator.gates.evidence import Evidence
from orchestrator.gates.timeline import Pace, Timeline
from orchestrator.gates.track import Answers
from orchestrator.journal import (
    Baseline,
    Clock,
    ClockCheck,
    Entry,
    Event,
    Node,
    Occurrences,
    Readings,
    RunStarted,
    Samples,
)
from orchestrator.spec import Gate, Rehearsal


class Record:
    """What is known so far. `nodes` are all nodes of the network; `step` is the distance of samples in seconds."""

    def __init__(self, nodes: tuple[Node, ...], step: float, pace: Pace) -> None:
        self.nodes = nodes
        self.step = step
        self.pace = pace
        self.events: list[Event] = []
        self.clocks: list[Clock] = []
        self.checks: list[ClockCheck] = []
        self.baselines: list[Baseline] = []
        self._rehearsal: Rehearsal | None = None
        self._silences: dict[tuple[float, float, int], float] = {}
        self._ahead: dict[tuple[float, float, int], Evidence[float | None]] = {}
        self._answers: dict[str, Answers] = {}
        self._occurrences: dict[str, list[Occurrences]] = {}
        self._readings: dict[str, list[Readings]] = {}

    @classmethod
    def begun(cls, started: RunStarted) -> "Record":
        """The record of a run that has just started."""
        record = cls(started.nodes, started.scrape, Pace(started.slot, started.session_slots))
        record.add(started)
        return record

    @classmethod
    def fed(cls, nodes: tuple[Node, ...], step: float, pace: Pace, entries: Iterable[Entry]) -> "Record":
        record = cls(nodes, step, pace)
        for entry in entries:
            record.add(entry)
        return record

    def add(self, entry: Entry) -> None:
        """Adds a journal entry. Kinds that no gate uses are ignored."""
        if isinstance(entry, Samples):
            self._answers.setdefault(entry.key, Answers()).add(entry)
        elif isinstance(entry, Clock):
            insort(self.clocks, entry, key=lambda clock: clock.at)
        elif isinstance(entry, Event):
            self.events.append(entry)
        elif isinstance(entry, ClockCheck):
            self.checks.append(entry)
        elif isinstance(entry, Occurrences):
            self._occurrences.setdefault(entry.key, []).append(entry)
        elif isinstance(entry, Readings):
            self._readings.setdefault(entry.key, []).append(entry)
        elif isinstance(entry, Baseline):
            self.baselines.append(entry)
        elif isinstance(entry, RunStarted):
            self.nodes, self.step, self._rehearsal = entry.nodes, entry.scrape, entry.rehearsal
            self.pace = Pace(entry.slot, entry.session_slots)

    @property
    def timeline(self) -> Timeline:
        return Timeline(self.clocks)

    def silence(self, start: float, end: float) -> float:
        """As `Timeline.silence`, but cached, because all gates of a window ask for it."""
        key = start, end, len(self.clocks)
        if key not in self._silences:
            self._silences[key] = self.timeline.silence(start, end)
        return self._silences[key]

    def chain_ahead(self, start: float, end: float) -> Evidence[float | None]:
        """As `Timeline.chain_ahead`, but cached."""
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

    def own_gate(self, stage: str, name: str) -> Gate | None:
        """The gate of that name in the rehearsal that was run; None if there is none."""
        stages = self._rehearsal.spec.stages if self._rehearsal is not None else ()
        return next((gate for one in stages if one.name == stage for gate in one.gates if gate.name == name), None)

    def answers(self, key: str) -> Answers:
        """The answers to a question; empty if it was never asked."""
        return self._answers.get(key) or Answers()

    def occurrences(self, key: str) -> tuple[Occurrences, ...]:
        return tuple(self._occurrences.get(key, ()))

    def readings(self, key: str) -> tuple[Readings, ...]:
        return tuple(self._readings.get(key, ()))
