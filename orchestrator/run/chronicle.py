"""Writes the journal of a run and keeps the same evidence in memory. Evidence is on disk before a gate is judged by it.

The threads of a run share it: the stage, the chain clock and the poller.
"""

import threading
import time
from collections.abc import Sequence
from typing import TypeVar

from orchestrator.gates import collect
from orchestrator.gates.assess import Assessment, assess
from orchestrator.gates.judge import CLOSED
from orchestrator.gates.ports import Sources
from orchestrator.gates.record import Record
from orchestrator.gates.timeline import Pace, Timeline
from orchestrator.journal import Entry, Event, JournalWriter
from orchestrator.spec import Gate, Stage

_E = TypeVar("_E", bound=Entry)


class Chronicle:
    """Writes, remembers and judges."""

    def __init__(self, journal: JournalWriter, sources: Sources, pace: Pace) -> None:
        self._journal = journal
        self._sources = sources
        self._record = Record(sources.nodes, sources.scrape, pace)
        self.pace = pace
        self._lock = threading.RLock()

    def keep(self, entry: _E) -> _E:
        """Writes the entry and remembers it. Returns it as written: with a time, if it had none."""
        with self._lock:
            written = self._journal.record(entry)
            self._record.add(written)
            return written

    @property
    def timeline(self) -> Timeline:
        with self._lock:
            return self._record.timeline

    def events(self) -> tuple[Event, ...]:
        with self._lock:
            return tuple(self._record.events)

    def settled(self) -> float:
        """The time up to which all evidence has arrived. Scrapes and the controller's reports arrive with a delay."""
        return time.time() - 2 * self._sources.scrape - 1.0

    def collect(self, stage: Stage, gates: Sequence[Gate], now: float) -> None:
        """Fetches the evidence that these gates still lack."""
        collect.collect(stage, gates, self._record, self._sources, self.keep, now)

    def assess(self, stage: Stage, gate: Gate, now: float) -> Assessment:
        with self._lock:
            return assess(stage, gate, self._record, now)

    def close(self, stage: Stage, end: float) -> tuple[Assessment, ...]:
        """Fetches the last evidence of a stage and judges all its gates by what is known then.

        The journal marks the moment. What is recorded later never counts for this stage, now or afterwards.
        """
        self.collect(stage, stage.gates, end)
        with self._lock:
            self.keep(Event(name=CLOSED, stage=stage.name))
            return tuple(assess(stage, gate, self._record, end) for gate in stage.gates)
