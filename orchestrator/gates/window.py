"""Computes a gate's window: turns moments, blocks and sessions into real time. Pure; `run` asks until it is closed.

A length in blocks ends when the relay chain's best block is that much higher. A length in sessions that begins some
time into a session ends the same time into the later session. So "2 sessions" is always the length of two, never less.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from orchestrator.journal import Clock, Event, MeasuredWindow, anchors
from orchestrator.spec import Anchor, Gate, Span, Stage
from orchestrator.spec.testnet import RELAY

STAGE_END = Anchor(moment="stage.end")

_SILENCING = ("pause", "kill")
"""Faults whose targets do not answer scrapes while they last. A partitioned node continues to answer."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """There is no window. `reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The state of the chains over time: clock entries in the order of time. All times are in unix seconds."""

    clocks: Sequence[Clock]

    @classmethod
    def of(cls, clocks: Iterable[Clock]) -> "Timeline":
        return cls(tuple(sorted(clocks, key=_at)))

    def at(self, when: float) -> Clock | None:
        """The last entry up to that time; None if there is none."""
        index = self._after(when)
        return self.clocks[index - 1] if index else None

    def between(self, start: float, end: float) -> Sequence[Clock]:
        """The entries after `start` and up to `end`."""
        return self.clocks[self._after(start) : self._after(end)]

    def block(self, when: float | None) -> int | None:
        """The relay chain's best block at that time; None if it is not known."""
        clock = self.at(when) if when is not None else None
        return clock.best if clock else None

    def finalized(self, when: float, chain: str) -> int | None:
        """The finalised height of a chain at that time; None if it is not known."""
        clock = self.at(when)
        if clock is None or chain == RELAY:
            return clock.finalized if clock else None
        return clock.parachains.get(chain)

    def chain_ahead(self, start: float, end: float) -> float | None:
        """Seconds that the chain's clock is ahead of ours, by the timestamps of new blocks. None if there were none.

        A block is seen later than its timestamp. So the chain's clock is at least as far ahead as the freshest block
        shows. A chain that stands still shows nothing.
        """
        seen = [clock for before, clock in pairwise(self.between(start, end)) if clock.best > before.best]
        return max((clock.stamp - clock.at for clock in seen if clock.stamp is not None), default=None)

    def session(self, start: float, later: int) -> float | None:
        """When the session began that is `later` sessions after the one at `start`; None if it has not begun yet."""
        then = self.at(start)
        return None if then is None else self._first(start, lambda clock: clock.session >= then.session + later)

    def after(self, start: float, span: Span) -> float | None:
        """The time at which `span` has passed since `start`; None if it has not passed yet."""
        if span.unit == "seconds":
            return start + span.amount
        then = self.at(start)
        if then is None:
            return None
        if span.unit == "blocks":
            return self._first(start, lambda clock: clock.best >= then.best + span.amount)
        if self.clocks[0].session >= then.session:  # Its beginning was not seen, so wait a session more.
            return self._first(start, lambda clock: clock.session >= then.session + span.amount + 1)
        began = self._first(float("-inf"), lambda clock: clock.session >= then.session)
        reached = self._first(start, lambda clock: clock.session >= then.session + span.amount)
        return None if began is None or reached is None else reached + (start - began)

    def _first(self, start: float, holds: Callable[[Clock], bool]) -> float | None:
        later = islice(self.clocks, self._after(start), None)
        return next((clock.at for clock in later if holds(clock)), None)

    def _after(self, when: float) -> int:
        return bisect_right(self.clocks, when, key=_at)


def _at(clock: Clock) -> float:
    return clock.at


def moments(stage: str, events: Iterable[Event]) -> Mapping[str, float]:
    """Anchor name -> time, for all anchors that a stage's windows can refer to. `events` are all events of the run.

    Times are unix seconds, cut to whole milliseconds, which is Prometheus' own resolution. `measure` and `evaluate`
    must cut them equally. Otherwise the record could end a fraction of a millisecond before the window.
    """
    known = anchors(event for event in events if event.stage == stage or event.name == "run.start")
    return {name: math.floor(at * 1000) / 1000 for name, at in known.items()}


def moment(anchor: Anchor, moments: Mapping[str, float], timeline: Timeline) -> float | None:
    """The time of an anchor; None if it has not come yet."""
    at = moments.get(anchor.moment)
    return timeline.session(at, anchor.sessions) if at is not None and anchor.sessions else at


def resolve(gate: Gate, moments: Mapping[str, float], timeline: Timeline, *, now: float) -> MeasuredWindow | Unresolved:
    """The gate's window as far as it is known at `now`. It is `open` if its end has not come yet, or never will."""
    window = gate.window
    anchor = moment(window.from_, moments, timeline)
    if anchor is None or anchor > now:
        return Unresolved(f"{window.from_} did not happen")
    start = round(anchor + window.settle, 3)
    end = _end(gate, start, moments, timeline)
    is_open = end is None or end > now
    last = round(min(end, now) if end is not None else min(now, moments.get("stage.end", now)) - window.settle_end, 3)
    if last <= start:
        return Unresolved(f"the window from {window.from_} had not begun" if is_open else "the window is empty")
    first, final = timeline.at(start), timeline.at(last)
    since = moments.get("stage.start", start) if gate.recovers_within is not None else start
    return MeasuredWindow(
        start=start,
        end=last,
        since=min(since, start),
        start_block=first.best if first else None,
        end_block=final.best if final else None,
        start_finalized=first.finalized if first else None,
        end_finalized=final.finalized if final else None,
        start_session=first.session if first else None,
        end_session=final.session if final else None,
        open=is_open,
    )


def _end(gate: Gate, start: float, moments: Mapping[str, float], timeline: Timeline) -> float | None:
    """The end of the window, without `settleEnd`. A length counts from the end of `settle`. None if it is not known."""
    window = gate.window
    if gate.recovers_within is not None:
        return timeline.after(start, gate.recovers_within)
    if window.for_ is not None:
        end = timeline.after(start, window.for_)
    else:
        end = moment(window.to or STAGE_END, moments, timeline)
    return None if end is None else end - window.settle_end


def spared(gate: Gate, stage: Stage, events: Iterable[Event], window: MeasuredWindow | Unresolved) -> tuple[str, ...]:
    """The nodes that the gate leaves out, because the stage's own fault stopped them in the gate's window."""
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
