"""Thresholds on values, sample by sample, and on one figure for the whole window, computed from its growth. Pure.

Every function gives FAILED if the gate failed whatever the holes hide, and PASSED if it held whatever they hide. All
else is INCONCLUSIVE. So a number that breaches is FAILED even beside NaN, and an open window can fail but not pass.
"""

import math
from itertools import groupby

from orchestrator.gates.bounds import bounds, breach
from orchestrator.gates.finding import Finding, unknown
from orchestrator.gates.meaning import Meaning
from orchestrator.gates.strip import Strip
from orchestrator.journal import Verdict
from orchestrator.spec import Gate

_EPSILON = 1e-9


def never_closed(gate: Gate) -> str:
    """A sentence about why a window is still open, for use in a reason."""
    end = gate.recovers_within or gate.window.for_ or gate.window.to or "stage.end"
    return f"the window never closed: {end} did not happen"


def samples(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    """Judges how many samples breach, in all and in a row. To pass, each hole counts as a breach."""
    numbers = strip.numbers()
    low, high = min(numbers), max(numbers)
    value = low if breach(gate, low) > breach(gate, high) else high
    bad, when = breach(gate, value), strip.at(strip.values.index(value))
    told = f"{meaning.title} was {meaning.said(value)}"
    breaches = [] if bad <= 0 else [v is not None and breach(gate, v) > 0 for v in strip.values]
    count = sum(breaches)
    if gate.tolerate and count:
        told += f", {count} of {strip.asked} samples breach"
    share_is_sure = not strip.window.open or gate.tolerate == 0
    too_many = share_is_sure and count / strip.asked > gate.tolerate + _EPSILON
    if too_many or _in_a_row(breaches) > _limit(gate):
        return Finding(Verdict.FAILED, told, value, bad, when)
    if strip.window.open:
        return unknown(never_closed(gate), value, badness=bad)
    holes = strip.holes
    hidden = meaning.resets and holes > 0  # A counter may have been reset inside a hole.
    if hidden or (count + holes) / strip.asked > gate.tolerate + _EPSILON or _longest_doubt(gate, strip):
        return unknown(strip.gaps(), value, badness=bad)
    return Finding(Verdict.PASSED, told, value, bad, when)


def _limit(gate: Gate) -> float:
    return gate.consecutive if gate.consecutive is not None else math.inf


def _in_a_row(marks: list[bool]) -> int:
    return max((len(list(run)) for marked, run in groupby(marks) if marked), default=0)


def _longest_doubt(gate: Gate, strip: Strip) -> bool:
    """Whether more samples in a row than are allowed to breach are breaches or holes."""
    if gate.consecutive is None:
        return False
    return _in_a_row([v is None or breach(gate, v) > 0 for v in strip.values]) > gate.consecutive


def figure(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    """Judges one figure for the window: growth, growth a minute, or seconds for each unit of growth."""
    (start, first), (end, last) = strip.ends()
    growth, elapsed = last - first, (end - start) * strip.step
    value, told = _figure(gate, meaning, growth, elapsed)
    if gate.chosen() in {"increases_by", "rate_per_minute"}:
        told += f", from {first:g} to {last:g}"
    bad = breach(gate, value)
    found = Finding(Verdict.FAILED if bad > 0 else Verdict.PASSED, told, value, bad, strip.at(end))
    if meaning.figure == "growth" and _above(gate, value):
        return found  # A count can only rise, whatever is missing around it.
    if strip.window.open:
        return unknown(never_closed(gate), value, badness=bad)
    if not (strip.covers_start and strip.covers_end):
        return unknown(f"the window's edges are not covered: {strip.gaps()}", value, badness=bad)
    if math.isinf(value) and bad <= 0:
        return unknown("nothing grew, so there is no time between two of them", value)
    certain = strip.complete or (bad > 0 and not meaning.resets)
    return found if certain else unknown(strip.gaps(), value, badness=bad)


def _figure(gate: Gate, meaning: Meaning, growth: float, elapsed: float) -> tuple[float, str]:
    if meaning.figure == "seconds-per-growth":
        value = elapsed / growth if growth > 0 else math.inf
        return value, f"{meaning.title} was {meaning.said(value)}, {growth:g} blocks in {elapsed:.0f} s"
    if gate.rate_per_minute is not None:
        value = 60 * growth / elapsed
        return value, f"{meaning.title} grew by {meaning.said(value)} a minute"
    if meaning.figure == "growth":
        return growth, f"{meaning.title}: {growth:g} in the window"
    return growth, f"{meaning.title} grew by {meaning.said(growth)}"


def _above(gate: Gate, value: float) -> bool:
    _, high = bounds(gate)
    return high is not None and value > high
