"""Thresholds on values, sample by sample, and on one figure for the whole window, computed from its growth. Pure.

Every function claims that the gate fails only if it does so whatever the holes hide, and that it holds only if it does
so whatever they hide. So a number that breaches fails even beside NaN, and an open window can fail but not pass.
"""

import math

import numpy as np

from orchestrator.gates.decide import Claim, still_open
from orchestrator.gates.samples.strip import Marks, Strip
from orchestrator.gates.threshold import Meaning, bounds, breach
from orchestrator.spec import Gate
from orchestrator.units import format_percent

_EPSILON = 1e-9


def samples(gate: Gate, meaning: Meaning, strip: Strip) -> Claim:
    """Claims how many samples breach, in all and in a row. To hold, each hole counts as a breach."""
    numbers = strip.numbers()
    low, high = float(numbers.min()), float(numbers.max())
    value = low if breach(gate, low) > breach(gate, high) else high
    bad, when = breach(gate, value), strip.at(int(np.argmax(strip.values == value)))
    breaches = _breaches(gate, strip)
    count = int(np.count_nonzero(breaches)) if bad > 0 else 0
    told = f"{meaning.title} was {meaning.said(value)}{_tolerated(gate, strip, count)}"
    share_is_sure = strip.window.complete or gate.tolerate == 0
    too_many = share_is_sure and count / strip.asked > gate.tolerate + _EPSILON
    hidden = meaning.resets and strip.holes > 0  # A counter may have been reset inside a hole.
    doubtful = breaches | np.isnan(strip.values)
    missing = (count + strip.holes) / strip.asked > gate.tolerate + _EPSILON
    return Claim(
        told,
        fails=too_many or (count > 0 and _in_a_row(breaches) > _limit(gate)),
        holds=not (hidden or missing or (gate.consecutive is not None and _in_a_row(doubtful) > gate.consecutive)),
        doubt=strip.gaps(),
        value=value,
        badness=bad,
        when=when,
    )


def _breaches(gate: Gate, strip: Strip) -> Marks:
    low, high = bounds(gate)
    below = strip.values < low if low is not None else np.zeros(strip.asked, dtype=np.bool_)
    return below | (strip.values > high) if high is not None else below


def _tolerated(gate: Gate, strip: Strip, count: int) -> str:
    """What the gate's tolerance covers here, so that nobody takes three samples of a hundred for a hundred."""
    if not gate.tolerate or not (count or strip.holes):
        return ""
    said = [f"{count} of {strip.asked} samples breach"] if count else []
    said += [f"{strip.holes} of {strip.asked} samples are missing"] if strip.holes else []
    return f", {' and '.join(said)}, and {format_percent(gate.tolerate)} are tolerated"


def _limit(gate: Gate) -> float:
    return gate.consecutive if gate.consecutive is not None else math.inf


def _in_a_row(marks: Marks) -> int:
    """The length of the longest run of marks."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8)))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def figure(gate: Gate, meaning: Meaning, strip: Strip) -> Claim:
    """Claims one figure for the window: growth, growth a minute, or seconds for each unit of growth."""
    known = strip.known()
    start, end = int(known[0]), int(known[-1])
    first, last = float(strip.values[start]), float(strip.values[end])
    value, told = _figure(gate, meaning, last - first, (end - start) * strip.step)
    if gate.chosen() in {"increases_by", "rate_per_minute"}:
        told += f", from {first:g} to {last:g}"
    bad = breach(gate, value)
    _, high = bounds(gate)
    for_good = meaning.figure == "growth" and high is not None and value > high  # A count can only rise.
    edges = strip.covers_start and strip.covers_end
    endless = math.isinf(value) and bad <= 0
    certain = strip.window.complete and edges and not endless and (strip.complete or (bad > 0 and not meaning.resets))
    return Claim(
        told,
        fails=for_good or (bad > 0 and certain),
        holds=bad <= 0 and edges and not endless and strip.complete,
        doubt=_doubt(gate, strip, edges=edges, endless=endless),
        value=value,
        badness=bad,
        when=strip.at(end),
    )


def _doubt(gate: Gate, strip: Strip, *, edges: bool, endless: bool) -> str:
    if not strip.window.complete:
        return still_open(strip.window.value, gate)
    if not edges:
        return f"the window's edges are not covered: {strip.gaps()}"
    return "nothing grew, so there is no time between two of them" if endless else strip.gaps()


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
