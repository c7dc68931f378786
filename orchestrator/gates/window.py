"""When a gate's window is: moments, blocks and sessions turned into real time. Pure; asked by `run` until it is closed.

A length in blocks ends when the relay chain's best block is so many higher. A length in sessions ends as far into the
later session as the moment was into its own, so that "2 sessions" is always the length of two.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.journal import Clock, Event, MeasuredWindow, anchors
from orchestrator.spec import Gate, Span, Stage

_SILENCING = ("pause", "kill")
"""Faults whose targets answer no scrape while they last. A partitioned node goes on answering."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """There is no window, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Where the relay chain stood when, from the clock entries in the order of time."""

    clocks: tuple[Clock, ...]

    @classmethod
    def of(cls, clocks: Iterable[Clock]) -> "Timeline":
        return cls(tuple(sorted(clocks, key=lambda clock: clock.at)))

    def at(self, when: float) -> Clock | None:
        """The last entry up to that time."""
        index = bisect_right(self.clocks, when, key=lambda clock: clock.at)
        return self.clocks[index - 1] if index else None

    def block(self, when: float | None) -> int | None:
        """The relay chain's best block at that time."""
        clock = self.at(when) if when is not None else None
        return clock.best if clock else None

    def after(self, start: float, span: Span) -> float | None:
        """The time at which so much has passed since `start`; None while it has not."""
        if span.unit == "seconds":
            return start + span.amount
        then = self.at(start)
        if then is None:
            return None
        if span.unit == "blocks":
            return self._first(start, lambda clock: clock.best >= then.best + span.amount)
        began = self._first(float("-inf"), lambda clock: clock.session >= then.session)
        reached = self._first(start, lambda clock: clock.session >= then.session + span.amount)
        return None if began is None or reached is None else reached + (start - began)

    def _first(self, start: float, holds: Callable[[Clock], bool]) -> float | None:
        return next((clock.at for clock in self.clocks if clock.at > start and holds(clock)), None)


def moments(stage: str, events: Iterable[Event]) -> Mapping[str, float]:
    """The anchors that a stage's windows can refer to, from all events of the run."""
    return anchors(event for event in events if event.stage == stage or event.name == "run.start")


def resolve(gate: Gate, moments: Mapping[str, float], timeline: Timeline, *, now: float) -> MeasuredWindow | Unresolved:
    """The gate's window as far as it can be known at `now`; `open` when its end has not come (or never will)."""
    window = gate.window
    anchor = moments.get(str(window.from_))
    if anchor is None:
        return Unresolved(f"{window.from_} never came")
    start = round(anchor + window.settle, 3)  # Prometheus' own resolution.
    end = _end(gate, start, moments, timeline)
    is_open = end is None or end > now
    last = round(min(now, moments.get("stage.end", now)) if end is None else min(end, now), 3)
    if last <= start:
        return Unresolved(f"the window from {window.from_} had not begun" if is_open else "the window is empty")
    clock = timeline.at(start)
    since = moments.get("stage.start", start) if gate.recovers_within is not None else start
    return MeasuredWindow(
        start=start,
        end=last,
        since=min(since, start),
        start_block=clock.best if clock else None,
        end_block=timeline.block(last),
        start_finalized=clock.finalized if clock else None,
        open=is_open,
    )


def _end(gate: Gate, start: float, moments: Mapping[str, float], timeline: Timeline) -> float | None:
    span = gate.recovers_within or gate.window.for_
    if span is not None:
        return timeline.after(start, span)
    return moments.get(str(gate.window.to or "stage.end"))


def spared(gate: Gate, stage: Stage, events: Iterable[Event], window: MeasuredWindow | Unresolved) -> tuple[str, ...]:
    """Nodes that the stage's own fault stopped in the gate's window and that the gate therefore leaves out."""
    if gate.faulted == "judge" or stage.experiment is None or isinstance(window, Unresolved):
        return ()
    mine = [event for event in events if event.stage == stage.name]
    times = anchors(mine)
    over = times.get("recover.confirmed", float("inf"))
    if stage.experiment.chosen() not in _SILENCING or window.start >= over:
        return ()
    hit = (node for event in mine if event.name == "inject.confirmed" for node in _nodes(event))
    return tuple(sorted(set(hit))) if window.end >= times.get("stage.start", 0.0) else ()


def _nodes(event: Event) -> list[str]:
    nodes = event.detail.get("nodes")
    return [node for node in nodes if isinstance(node, str)] if isinstance(nodes, list) else []
