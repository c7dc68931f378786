"""What else befalls nodes: they fall silent, start anew, fork, count trouble. What a fault does not do. Pure."""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from orchestrator.gates.mutate.edit import Edit, Recorded, Span, at_one_height
from orchestrator.gates.mutate.subject import Subject
from orchestrator.gates.mutate.world import BEST, BESTS, FINAL, FINALS, LAG, World
from orchestrator.journal import MOST_LINES, Clock, Event, Occurrences, Readings, Target
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec.testnet import RELAY

_UP = {Subject("signal", "up"), Subject("up", "")}
_READY = Subject("pods", "ready")


@dataclass(frozen=True)
class Silence(Edit):
    """A node answers nothing any more: no scrape, no RPC. Kubernetes says that it is not ready."""

    node: str

    def touches(self, about: Subject, target: Target) -> bool:
        return target.node == self.node and (about.source != "pods" or about == _READY)

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:  # noqa: ARG002
        return 0.0 if value is not None and series.about in {*_UP, _READY} else None

    def readings(self, done: Readings, world: World) -> Readings:  # noqa: ARG002
        silent = {"finalized": None, "height": None, "value": None, "error": f"{self.node} does not answer"}
        reads = tuple(read.model_copy(update=silent) if read.target.node == self.node else read for read in done.reads)
        return done if reads == done.reads else done.model_copy(update={"reads": reads})


@dataclass(frozen=True)
class Restart(Edit):
    """A node's process starts anew and counts from zero; with a `lost` database it also syncs from block 0."""

    node: str
    lost: bool = False
    out_of_memory: bool = False

    def touches(self, about: Subject, target: Target) -> bool:
        if target.node != self.node:
            return False
        if about.source == "pods":
            return about.name == "restarts" or (about.name == "oom-kills" and self.out_of_memory)
        return about.name == "process-start" or _counts(about) or (self.lost and about in BESTS | FINALS | {LAG})

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:  # noqa: ARG002
        if value is None:
            return None
        if series.about.source == "pods":
            return value + 1
        if series.about.name == "process-start":
            return max(value + 1, self.span.start)
        before = series.past(self.span.start)
        return value if before is None else max(0.0, value - before)

    def readings(self, done: Readings, world: World) -> Readings:
        if not self.lost:
            return done
        reads = [
            read.model_copy(
                update={"finalized": max(0, round(world.moved(FINAL, read.target, self.span.start, done.at)))}
            )
            if read.target.node == self.node and read.finalized is not None
            else read
            for read in done.reads
        ]
        return done if reads == list(done.reads) else at_one_height(done, reads)


def _counts(about: Subject) -> bool:
    signal = CATALOGUE.get(about.name) if about.source == "signal" else None
    return signal is not None and signal.kind != "gauge"


@dataclass(frozen=True)
class Becomes(Edit):
    """Gauges of some targets have another value: signal -> value."""

    targets: frozenset[Target]
    values: dict[str, float] = field(default_factory=dict)

    def touches(self, about: Subject, target: Target) -> bool:
        return about.source == "signal" and about.name in self.values and target in self.targets

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:  # noqa: ARG002
        return None if value is None else self.values[series.about.name]


@dataclass(frozen=True)
class Rises(Edit):
    """Counters of some targets go on rising: signal -> how much in a second, 1 at once."""

    targets: frozenset[Target]
    each_second: dict[str, float] = field(default_factory=dict)

    def touches(self, about: Subject, target: Target) -> bool:
        return about.source == "signal" and about.name in self.each_second and target in self.targets

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:
        grown = int((at - self.span.start) * self.each_second[series.about.name])
        return None if value is None else value + 1 + grown


@dataclass(frozen=True)
class Stops(Edit):
    """Counters of some targets stand: what they count does not happen any more."""

    targets: frozenset[Target]
    signals: frozenset[str]

    def touches(self, about: Subject, target: Target) -> bool:
        return about.source == "signal" and about.name in self.signals and target in self.targets

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:  # noqa: ARG002
        before = series.past(self.span.start)
        return value if value is None or before is None else before


@dataclass(frozen=True)
class Says(Edit):
    """A node's log has one more line."""

    node: str
    line: str

    def occurrences(self, about: Subject, counted: Occurrences, world: World) -> Occurrences:  # noqa: ARG002
        if about.source != "logs" or counted.target.node != self.node or not re.search(about.name, self.line):
            return counted
        when = max(self.span.start, counted.first + 0.001)
        if when > counted.last:
            return counted
        place = bisect_left(counted.hits, when)
        hits = (*counted.hits[:place], when, *counted.hits[place:])
        lines = (*counted.lines[:place], self.line, *counted.lines[place:])[:MOST_LINES]
        kept = lines if place <= len(counted.lines) else counted.lines
        return counted.model_copy(update={"hits": hits, "lines": kept})

    def touches(self, about: Subject, target: Target) -> bool:
        return about.source == "logs" and target.node == self.node and bool(re.search(about.name, self.line))


@dataclass(frozen=True)
class Fork(Edit):
    """A node finalises other blocks than all others of its chain."""

    target: Target

    def touches(self, about: Subject, target: Target) -> bool:
        return about.source == "agrees" and target == self.target

    def readings(self, done: Readings, world: World) -> Readings:
        began = world.final(self.target.chain or RELAY, self.span.start)
        reads = tuple(
            read.model_copy(update={"value": "0x" + read.value[:1:-1]})
            if read.target == self.target and read.value is not None and (read.height or 0) > (began or 0)
            else read
            for read in done.reads
        )
        return done if reads == done.reads else done.model_copy(update={"reads": reads})


@dataclass(frozen=True)
class Reported(Edit):
    """The controller reported other things of a stage: name -> what it reported in its place, None for nothing."""

    stage: str
    instead: dict[str, Event | None] = field(default_factory=dict)

    def event(self, event: Event) -> Event | None:
        return self.instead.get(event.name, event) if event.stage == self.stage else event


@dataclass(frozen=True)
class Undisturbed(Edit):
    """All chains go on as if there were no fault: a block in each slot, and finality as close as it was before."""

    fault: Span
    slots: dict[str, float]

    def touches(self, about: Subject, target: Target) -> bool:  # noqa: ARG002
        return about in BESTS | FINALS or about == LAG

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:
        if value is None:
            return None
        best, final = self._gained(series.target, at, series.world)
        if series.about in BESTS:
            return value + best
        return value + (final if series.about in FINALS else best - final)

    def clock(self, clock: Clock, world: World) -> Clock:
        if clock.at not in self.span:
            return clock
        best, final = self._gained(Target(node="", chain=RELAY), clock.at, world)
        parachains = {
            chain: height + round(self._gained(Target(node="", chain=chain), clock.at, world)[1])
            for chain, height in clock.parachains.items()
        }
        update: dict[str, Any] = {"best": clock.best + round(best), "finalized": clock.finalized + round(final)}
        return clock.model_copy(update=update | {"parachains": parachains})

    def readings(self, done: Readings, world: World) -> Readings:
        reads = [
            read.model_copy(update={"finalized": read.finalized + round(self._gained(read.target, done.at, world)[1])})
            if read.finalized is not None
            else read
            for read in done.reads
        ]
        return at_one_height(done, reads)

    def moves(self, world: World) -> bool:
        """Whether the fault had cost anything."""
        chains = [Target(node="", chain=chain) for chain in self.slots]
        return any(max(self._gained(target, self.fault.end, world)) > 1 for target in chains)

    def _gained(self, target: Target, at: float, world: World) -> tuple[float, float]:
        """The blocks and the finalised blocks that the fault had cost up to a time."""
        start, end = self.fault.start, min(at, self.fault.end)
        wanted = int((end - start) / self.slots.get(target.chain or RELAY, 1.0))
        best = max(0.0, wanted - world.moved(BEST, target, start, end))
        behind = world.moved(BEST, target, start, at) - world.moved(FINAL, target, start, at)
        return best, best + max(0.0, behind)
