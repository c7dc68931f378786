"""Thresholds on how a series moves: `stalls`, `progresses` and `recoversWithin`. Pure; works like `values`."""

import math
from itertools import accumulate
from operator import sub

from orchestrator.gates.finding import Finding, unknown
from orchestrator.gates.meaning import Meaning
from orchestrator.gates.strip import Strip
from orchestrator.gates.values import never_closed
from orchestrator.journal import Verdict
from orchestrator.spec import Gate


def stalls(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    """Judges the greatest rise between any two moments, so that a fall in between hides nothing."""
    assert gate.stalls is not None
    numbers = strip.numbers()
    rises = list(map(sub, numbers, accumulate(numbers, min)))
    rise = max(rises)
    when = strip.known()[rises.index(rise)][0] if rise else 0
    told = f"{meaning.title} grew by {meaning.said(rise)}"
    if rise > gate.stalls:
        return Finding(Verdict.FAILED, told, rise, rise, strip.at(when))
    if strip.window.open:
        return unknown(never_closed(gate), rise, badness=rise)
    if not strip.complete:
        return unknown(strip.gaps(), rise, badness=rise)
    return Finding(Verdict.PASSED, told, rise, rise, strip.at(when))


def progresses(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    """Judges the longest time, in seconds, in which the value did not exceed what it had reached.

    A hole ends such a time, unless the value never falls. Then an equal value after the hole shows that it stood still.
    """
    assert gate.progresses is not None
    reached, since, before = -math.inf, 0, -1
    longest, when = 0, 0
    for moment, value in strip.known():
        if value > reached or (moment > before + 1 and not meaning.monotone):
            reached, since = max(value, reached), moment
        elif moment - since > longest:
            longest, when = moment - since, moment
        before = moment
    seconds = longest * strip.step
    told = f"{meaning.title} stood still for {seconds:.1f} s at most"
    if seconds > gate.progresses:
        return Finding(Verdict.FAILED, told, seconds, seconds, strip.at(when))
    if strip.window.open:
        return unknown(never_closed(gate), seconds, badness=seconds)
    if not strip.complete:
        return unknown(strip.gaps(), seconds, badness=seconds)
    return Finding(Verdict.PASSED, told, seconds, seconds, strip.at(when))


def recovers(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    """Judges the seconds until the value exceeds the one at the window's start.

    A recovery passes even while the window is open, unless a policy of the gate is `fail`: then later samples could
    still fail it.
    """
    base = _base(meaning, strip)
    if base is None:
        return unknown("its value at the window's start is not known, so neither is whether it exceeded that")
    start, end = strip.window.start, strip.window.end
    recovered = next((index for index, value in enumerate(strip.values) if value is not None and value > base), None)
    if recovered is not None:
        return _recovered(gate, meaning, strip, recovered, base)
    told = f"{meaning.title} had not exceeded {base:g} after {end - start:.1f} s"
    if strip.window.open:
        return unknown(f"{told}; {never_closed(gate)}", badness=math.inf)
    if not (strip.covers_end and (strip.complete or meaning.monotone)):
        return unknown(f"{told}, but {strip.gaps()}", badness=math.inf)
    return Finding(Verdict.FAILED, told, math.inf, math.inf, end)


def _recovered(gate: Gate, meaning: Meaning, strip: Strip, index: int, base: float) -> Finding:
    if meaning.resets and None in strip.values[:index]:
        return unknown(f"{strip.gaps()}, so a reset may be among them", badness=math.inf)
    seconds = strip.at(index) - strip.window.start
    told = f"{meaning.title} exceeded {base:g} after {seconds:.1f} s"
    if strip.window.open and "fail" in gate.policy.model_dump().values():
        return unknown(f"{told}; {never_closed(gate)}", seconds, badness=seconds)
    return Finding(Verdict.PASSED, told, seconds, seconds, strip.at(index))


def _base(meaning: Meaning, strip: Strip) -> float | None:
    """The value at the window's start; None if it is not known.

    A node that was just brought back answers a little later. If a signal only grows, its value at the start was between
    the last sample before and the first one after. The greater of the two is used, because it is harder to exceed.
    """
    if strip.covers_start:
        return strip.values[0]
    numbers = strip.numbers()
    if meaning.monotone and strip.earlier is not None and numbers:
        return max(strip.earlier[1], numbers[0])
    return None
