"""Thresholds on how a series moves: `stalls`, `progresses` and `recoversWithin`. Pure; works like `values`."""

import math

import numpy as np
import numpy.typing as npt

from orchestrator.gates.decide import Claim, still_open
from orchestrator.gates.samples.strip import Strip
from orchestrator.gates.threshold import Meaning
from orchestrator.gates.timeline import Pace
from orchestrator.spec import Gate

STANDS = 10
"""Slots without growth after which a chain that had recovered is said to stand again. Finality comes in bursts of a few
blocks while nodes catch up, and a parachain builds one block in two or three slots."""


def stalls(gate: Gate, meaning: Meaning, strip: Strip) -> Claim:
    """Claims the greatest rise between any two moments, so that a fall in between hides nothing."""
    assert gate.stalls is not None
    numbers = strip.numbers()
    rises = numbers - np.minimum.accumulate(numbers)
    at = int(np.argmax(rises))
    rise, when = float(rises[at]), strip.at(int(strip.known()[at]))
    told = f"{meaning.title} grew by {meaning.said(rise)}"
    return Claim(
        told, fails=rise > gate.stalls, holds=strip.complete, doubt=strip.gaps(), value=rise, badness=rise, when=when
    )


def progresses(gate: Gate, meaning: Meaning, strip: Strip) -> Claim:
    """Claims the longest time, in seconds, in which the value did not exceed what it had reached.

    A hole ends such a time, unless the value never falls. Then an equal value after the hole shows that it stood still.
    """
    assert gate.progresses is not None
    known = strip.known()
    begins = _rises(strip)
    if not meaning.monotone:
        begins[1:] |= np.diff(known) > 1
    stood = known - known[begins][np.cumsum(begins) - 1]
    at = int(np.argmax(stood))
    seconds = float(stood[at]) * strip.step
    told = f"{meaning.title} stood still for {seconds:.1f} s at most"
    return Claim(
        told,
        fails=seconds > gate.progresses,
        holds=strip.complete,
        doubt=strip.gaps(),
        value=seconds,
        badness=seconds,
        when=strip.at(int(known[at])),
    )


def _rises(strip: Strip) -> npt.NDArray[np.bool_]:
    """Marks for the known values: whether one exceeds all before it. The first one does."""
    numbers = strip.numbers()
    reached = np.concatenate([[-math.inf], np.maximum.accumulate(numbers)[:-1]])
    return numbers > reached


def recovers(gate: Gate, meaning: Meaning, strip: Strip, pace: Pace) -> Claim:
    """Claims the seconds until the value exceeds all that it had reached by the window's start, and goes on from there.

    One rise is not yet a recovery: the value must rise again. A chain's height must then not stand still for `STANDS`
    slots up to the end of what was recorded. A recovery holds even while the window is open, unless a policy of the
    gate is `fail`: then later samples could still fail it.
    """
    base = _base(meaning, strip)
    window = strip.window.value
    start, end = window.start, window.end
    if base is None:
        return _never("its value at the window's start is not known, so neither is whether it exceeded that")
    above = np.flatnonzero(strip.values > base)
    if not len(above):
        told = f"{meaning.title} had not exceeded {base:g} after {end - start:.1f} s"
        certain = strip.window.complete and strip.covers_end and (strip.complete or meaning.monotone)
        return Claim(
            told,
            fails=certain,
            holds=False,
            doubt=f"{told}, but {strip.gaps()}"
            if strip.window.complete
            else f"{told}; {still_open(strip.window.value, gate)}",
            value=math.inf if certain else None,
            badness=math.inf,
            when=end,
        )
    if meaning.resets and np.isnan(strip.values[: above[0]]).any():
        return _never(f"{strip.gaps()}, so a reset may be among them")
    return _recovered(gate, meaning, strip, int(above[0]), base, pace)


def _recovered(gate: Gate, meaning: Meaning, strip: Strip, index: int, base: float, pace: Pace) -> Claim:
    seconds = strip.at(index) - strip.window.value.start
    told = f"{meaning.title} exceeded {base:g} after {seconds:.1f} s"
    rises = strip.known()[_rises(strip)]
    after = rises[rises >= index]
    last = int(strip.known()[-1])
    pauses = np.diff(np.append(after, last)) * strip.step
    stood = float(pauses.max()) if meaning.height else 0.0
    if stood > STANDS * pace.slot:
        told = f"{told}, and then stood still for {stood:.1f} s"
        return Claim(told, fails=True, holds=False, value=math.inf, badness=math.inf, when=strip.at(last))
    strict = "fail" in gate.policy.model_dump().values()
    return Claim(
        told,
        fails=False,
        holds=len(after) > 1,
        doubt=f"{told}, and did not rise again",
        value=seconds,
        badness=seconds,
        when=strip.at(index),
        final=not strict,
    )


def _never(doubt: str) -> Claim:
    return Claim("", fails=False, holds=False, doubt=doubt, badness=math.inf)


def _base(meaning: Meaning, strip: Strip) -> float | None:
    """What must be exceeded: the value at the window's start; None if it is not known.

    What only grows must exceed the highest that was known in the stage up to then: a node that was wiped and started
    anew has not recovered with its first block. A node that was just brought back answers a little later; its value at
    the start was between the last sample before and the first one after, and the greater is harder to exceed.
    """
    if strip.covers_start:
        first = float(strip.values[0])
        return max(first, strip.reached) if meaning.monotone and strip.reached is not None else first
    numbers = strip.numbers()
    if meaning.monotone and strip.reached is not None and len(numbers):
        return max(strip.reached, float(numbers[0]))
    return None
