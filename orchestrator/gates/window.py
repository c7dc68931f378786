"""Computes a gate's window: turns moments, blocks and sessions into real time. Pure; `run` asks until it is closed.

A length in blocks ends when the relay chain's best block is that much higher. A length in sessions that begins some
time into a session ends the same time into the later session. So "2 sessions" is always the length of two, never less.
A chain that halts cannot measure time: a length that takes far more than it should is not known (`Pace.at_most`), and
a recovery in blocks or sessions has the seconds that they take on a healthy chain.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.gates.evidence import Evidence, Known, Unknown
from orchestrator.gates.timeline import NOT_YET, Pace, Timeline
from orchestrator.journal import Event, MeasuredWindow, anchors
from orchestrator.spec import Anchor, Gate, Span, Stage

STAGE_END = Anchor(moment="stage.end")

REPORTED = 5.0
"""Seconds within which the controller's report of a moment reaches the run. More is a clock that is wrong."""

_SILENCING = ("pause", "kill")
"""Faults whose targets do not answer scrapes while they last. A partitioned node continues to answer."""

Moments = Mapping[str, Known[float]]
"""The moments of a stage by name, each between the time that was told and the time at which the run noticed it."""


def moments(stage: str, events: Iterable[Event]) -> Moments:
    """All moments that a stage's windows can refer to. `events` are all events of the run.

    Times are cut to whole milliseconds. What collects and what judges must cut them equally. Otherwise the record
    could end a fraction of a millisecond before the window.
    """
    known: dict[str, Known[float]] = {}
    for event in events:
        if event.stage == stage or event.name == "run.start":
            noticed = event.noticed if event.noticed is not None else event.at
            at = math.floor(event.at * 1000) / 1000
            known.setdefault(event.name, Known(at, min(at, noticed), max(at, noticed)))
    return known


def time_of(moments: Moments, name: str, default: float) -> float:
    """The time of one of the run's own moments, or the default if it has not come."""
    found = moments.get(name)
    return default if found is None else found.value


def moment(anchor: Anchor, gate: Gate, moments: Moments, timeline: Timeline, pace: Pace) -> Evidence[float]:
    """The time of an anchor of the gate; unknown also if it has not come yet, or the stage never began."""
    found = moments.get(anchor.moment)
    if found is None or "stage.start" not in moments:
        return _not_happened(anchor)
    if gate.policy.clocks != "ignore" and (reason := _misdated(anchor, gate, found)):
        return Unknown(reason)
    if not anchor.sessions:
        return found
    begun = timeline.session(found.value, anchor.sessions)
    if isinstance(begun, Unknown):
        return Unknown(f"{anchor} is not known: {begun.reason}")
    if begun.value == NOT_YET:
        return _not_happened(anchor)
    span = Span(amount=anchor.sessions, unit="sessions")
    return _stretched(span, found.value, begun.value, pace) or begun


def _misdated(anchor: Anchor, gate: Gate, found: Known[float]) -> str:
    """Why the time of a moment that another program dated is not believed; empty if it is."""
    late, early = found.valid_to - found.value, found.value - found.valid_from
    if late > gate.policy.clock_skew + REPORTED:
        return (
            f"{anchor.moment} was dated {late:.0f} s before the run saw it: a clock is behind, or the report was late"
        )
    if early > gate.policy.clock_skew:
        return f"{anchor.moment} was dated {early:.0f} s after the run saw it, by a clock that is ahead"
    return ""


def resolve(gate: Gate, moments: Moments, timeline: Timeline, pace: Pace, *, now: float) -> Evidence[MeasuredWindow]:
    """The gate's window as far as it is known at `now`. It is not complete if its end has not come, or never will."""
    window = gate.window
    anchor = moment(window.from_, gate, moments, timeline, pace)
    if isinstance(anchor, Unknown):
        return anchor
    if anchor.value > now:
        return Unknown(f"{window.from_} did not happen")
    start = round(anchor.value + window.settle, 3)
    end = _end(gate, start, moments, timeline, pace, now)
    if isinstance(end, Unknown):
        return end
    is_open = end.at > now or bool(end.doubt)
    seen = min(now, time_of(moments, "stage.end", now)) - window.settle_end
    last = round(min(end.surely, now) if end.doubt else seen if end.at == NOT_YET else min(end.at, now), 3)
    if last <= start:
        return Unknown(
            end.doubt or (f"the window from {window.from_} had not begun" if is_open else "the window is empty")
        )
    begin = time_of(moments, "stage.start", start) if gate.recovers_within is not None else start
    found = _measured(start, last, min(begin, start), timeline)
    return Known(found.model_copy(update={"open": is_open, "doubt": end.doubt}), start, last, complete=not is_open)


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a window, without `settleEnd`; `NOT_YET` if it has not come.

    With a `doubt`, it is not known. The window then reaches `surely` so far: what fails in there has failed.
    """

    at: float
    doubt: str = ""
    surely: float = NOT_YET

    def earlier(self, seconds: float) -> "_End":
        """The same, with that much left out before it."""
        return _End(self.at - seconds, self.doubt, self.surely - seconds)


def _end(gate: Gate, start: float, moments: Moments, timeline: Timeline, pace: Pace, now: float) -> _End | Unknown:
    """The end of the gate's window. A length counts from the end of `settle`."""
    window = gate.window
    if gate.recovers_within is not None:
        return _End(round(start + pace.seconds(gate.recovers_within), 3))
    if window.for_ is not None:
        ending = timeline.after(start, window.for_)
        return _after(window.for_, start, ending, pace, now).earlier(window.settle_end)
    to = window.to or STAGE_END
    base = moment(to.model_copy(update={"sessions": 0}), gate, moments, timeline, pace)
    if isinstance(base, Unknown):
        return _End(NOT_YET) if to.moment not in moments else base
    if not to.sessions:
        return _End(base.value).earlier(window.settle_end)
    span = Span(amount=to.sessions, unit="sessions")
    begun = timeline.session(base.value, to.sessions)
    return _after(span, base.value, begun, pace, now).earlier(window.settle_end)


def _after(span: Span, since: float, ending: Evidence[float], pace: Pace, now: float) -> _End:
    """The end of a length in the chain's own measure."""
    surely = since + pace.seconds(span)
    if isinstance(ending, Unknown):
        return _End(NOT_YET, f"{span} from then on are not known: {ending.reason}", surely)
    if too_long := _stretched(span, since, min(ending.value, now), pace):
        return _End(NOT_YET, too_long.reason, surely)
    return _End(ending.value)


def _not_happened(anchor: Anchor) -> Unknown:
    return Unknown(f"{anchor} did not happen")


def _stretched(span: Span, start: float, end: float, pace: Pace) -> Unknown | None:
    """Why a length in blocks or sessions is no measure of time here; None if it took about as long as it should."""
    if end - start <= pace.at_most(span):
        return None
    usual = pace.seconds(span)
    return Unknown(f"{span} took {end - start:.0f} s, and {usual:.0f} s are usual: the chain stood, or was too slow")


def _measured(start: float, end: float, since: float, timeline: Timeline) -> MeasuredWindow:
    first, final = timeline.at(start), timeline.at(end)
    opening = first.value if isinstance(first, Known) else None
    closing = final.value if isinstance(final, Known) else None
    return MeasuredWindow(
        start=start,
        end=end,
        since=since,
        start_block=opening.best if opening else None,
        end_block=closing.best if closing else None,
        start_finalized=opening.finalized if opening else None,
        end_finalized=closing.finalized if closing else None,
        start_session=opening.session if opening else None,
        end_session=closing.session if closing else None,
    )


def instant(when: float) -> Known[MeasuredWindow]:
    """The window of what needs none, because it was seen or measured at one moment."""
    return Known(MeasuredWindow(start=when, end=when, since=when), when, when)


def deadline(gate: Gate, moments: Moments, pace: Pace) -> float:
    """Until when the gate's window may still close, Unix seconds. It does not wait for the stage's end."""
    begun = moments.get(gate.window.from_.moment)
    if begun is None:
        return -math.inf
    sessions = Span(amount=max(anchor.sessions for anchor in gate.window.anchors()), unit="sessions")
    spans = [span for span in (gate.window.for_, gate.recovers_within, sessions) if span is not None and span.amount]
    if not spans:
        return -math.inf
    return begun.value + gate.window.settle + sum(pace.at_most(span) for span in spans)


def spared(gate: Gate, stage: Stage, events: Sequence[Event], window: Evidence[MeasuredWindow]) -> tuple[str, ...]:
    """The nodes that the gate leaves out, because the stage's own fault stopped them in the gate's window."""
    if gate.faulted == "judge" or stage.experiment is None or isinstance(window, Unknown):
        return ()
    mine = [event for event in events if event.stage == stage.name]
    times = anchors(mine)
    over = times.get("recover.confirmed", math.inf)
    if stage.experiment.chosen() not in _SILENCING or window.value.start >= over:
        return ()
    hit = (node for event in mine if event.name == "inject.confirmed" for node in _nodes(event))
    return tuple(sorted(set(hit))) if window.value.end >= times.get("stage.start", 0.0) else ()


def _nodes(event: Event) -> list[str]:
    nodes = event.detail.get("nodes")
    return [node for node in nodes if isinstance(node, str)] if isinstance(nodes, list) else []
