"""Judges one series: checks that there are enough samples, handles resets, and applies the gate's threshold. Pure."""

import math
from functools import partial

from orchestrator.gates.decide import Claim, Finding, by_policy, decide, unknown
from orchestrator.gates.samples import growth, values
from orchestrator.gates.samples.strip import Strip
from orchestrator.gates.threshold import GROWTH, Meaning
from orchestrator.gates.timeline import Pace
from orchestrator.journal import Verdict
from orchestrator.spec import Gate


def judge(gate: Gate, meaning: Meaning, pace: Pace, strip: Strip) -> Finding:
    """Judges the series by the gate's threshold, and its holes by the gate's policies."""
    if strip.why.odd and gate.policy.not_a_number == "fail":
        return by_policy("fail", f"{strip.why.odd} of {strip.asked} samples are not a number")
    if strip.why.stale and gate.policy.stale == "fail":
        return by_policy("fail", strip.gaps())
    if strip.why.fewer and gate.policy.fewer == "fail":
        return by_policy("fail", strip.gaps())
    found = _judged(gate, meaning, pace, strip)
    gaps = strip.why.unanswered / strip.asked if strip.asked else 0.0
    if found.verdict is Verdict.INCONCLUSIVE and gate.policy.gaps == "fail" and gaps > gate.tolerate:
        certain = strip.window.complete or (gate.tolerate == 0 and gate.recovers_within is None)
        return by_policy("fail", strip.gaps()) if certain else found
    return found


def _judged(gate: Gate, meaning: Meaning, pace: Pace, strip: Strip) -> Finding:
    enough = partial(_enough, gate, meaning, pace)
    fall = strip.fall() if meaning.resets else None
    if fall is None or gate.policy.counter_reset == "ignore":
        return enough(strip)
    if gate.policy.counter_reset == "rebase":
        return enough(strip.rebased(from_zero=meaning.counter))
    index, before, after = fall
    found = enough(strip.until(index))
    if found.verdict is not Verdict.INCONCLUSIVE:  # What was certain before the reset stays.
        return found
    told = f"{meaning.title} fell from {before:g} to {after:g}, which is a reset"
    if gate.policy.counter_reset == "fail":
        claim = Claim(told, fails=True, holds=False, value=after, badness=math.inf, when=strip.at(index))
        return decide(claim, strip.window, gate)
    if gate.chosen() not in GROWTH and meaning.figure == "samples":
        found = enough(strip)
        if found.verdict is Verdict.FAILED:  # A reset does not excuse a value that breaches.
            return found
    return unknown(f"{told}; say with counterReset what that means", after)


def _enough(gate: Gate, meaning: Meaning, pace: Pace, strip: Strip) -> Finding:
    """Judges by the threshold, if there are enough samples."""
    pairs = gate.chosen() in GROWTH or meaning.figure != "samples"
    needed, known = max(gate.min_samples, 2 if pairs else 1), strip.asked - strip.holes
    if known < needed:
        gaps = f"; {strip.gaps()}" if strip.holes else ""
        return unknown(f"there are {known} samples, and at least {needed} are needed{gaps}")
    return decide(_claim(gate, meaning, pace, strip), strip.window, gate)


def _claim(gate: Gate, meaning: Meaning, pace: Pace, strip: Strip) -> Claim:
    if gate.stalls is not None:
        return growth.stalls(gate, meaning, strip)
    if gate.progresses is not None:
        return growth.progresses(gate, meaning, strip)
    if gate.recovers_within is not None:
        return growth.recovers(gate, meaning, strip, pace)
    if gate.increases_by is not None or gate.rate_per_minute is not None or meaning.figure != "samples":
        return values.figure(gate, meaning, strip)
    return values.samples(gate, meaning, strip)
