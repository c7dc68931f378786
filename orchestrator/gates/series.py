"""Judges one series: checks that there are enough samples, handles resets, and applies the gate's threshold. Pure."""

from collections.abc import Callable

from orchestrator.gates import growth, values
from orchestrator.gates.finding import Finding, by_policy, unknown
from orchestrator.gates.meaning import GROWTH, Meaning
from orchestrator.gates.strip import Strip
from orchestrator.journal import Verdict
from orchestrator.spec import Gate

_Judgement = Callable[[Gate, Meaning, Strip], Finding]

_JUDGEMENTS: dict[str, _Judgement] = {
    "increases_by": values.figure,
    "rate_per_minute": values.figure,
    "stalls": growth.stalls,
    "progresses": growth.progresses,
    "recovers_within": growth.recovers,
}


def judge(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    """Judges the series by the gate's threshold, and its holes by the gate's policies."""
    if strip.why.odd and gate.policy.not_a_number == "fail":
        return by_policy("fail", f"{strip.why.odd} of {strip.asked} samples are not a number")
    if strip.why.stale and gate.policy.stale == "fail":
        return by_policy("fail", strip.gaps())
    if strip.why.fewer and gate.policy.fewer == "fail":
        return by_policy("fail", strip.gaps())
    found = _judged(gate, meaning, strip)
    gaps = strip.why.unanswered / strip.asked if strip.asked else 0.0
    if found.verdict is Verdict.INCONCLUSIVE and gate.policy.gaps == "fail" and gaps > gate.tolerate:
        certain = not strip.window.open or (gate.tolerate == 0 and gate.recovers_within is None)
        return by_policy("fail", strip.gaps()) if certain else found
    return found


def _judged(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    if meaning.resets and (fall := strip.fall()) is not None:
        return _after_reset(gate, meaning, strip, *fall)
    return _enough(gate, meaning, strip)


def _enough(gate: Gate, meaning: Meaning, strip: Strip) -> Finding:
    """Judges by the threshold, if there are enough samples."""
    pairs = gate.chosen() in GROWTH or meaning.figure != "samples"
    needed, known = max(gate.min_samples, 2 if pairs else 1), strip.asked - strip.holes
    if known < needed:
        gaps = f"; {strip.gaps()}" if strip.holes else ""
        return unknown(f"there are {known} samples, and at least {needed} are needed{gaps}")
    plain = values.samples if meaning.figure == "samples" else values.figure
    return _JUDGEMENTS.get(gate.chosen(), plain)(gate, meaning, strip)


def _after_reset(gate: Gate, meaning: Meaning, strip: Strip, index: int, before: float, after: float) -> Finding:
    """A verdict that was certain before the reset stays. For the rest, the policy decides."""
    policy = gate.policy.counter_reset
    if policy == "rebase":
        return _enough(gate, meaning, strip.rebased(from_zero=meaning.counter))
    if policy == "ignore":
        return _enough(gate, meaning, strip)
    found = _enough(gate, meaning, strip.until(index))
    if found.verdict is not Verdict.INCONCLUSIVE:
        return found
    told = f"{meaning.title} fell from {before:g} to {after:g}, which is a reset"
    if policy == "fail":
        return Finding(Verdict.FAILED, told, after, float("inf"), strip.at(index))
    if gate.chosen() not in GROWTH and meaning.figure == "samples":
        found = _enough(gate, meaning, strip)
        if found.verdict is Verdict.FAILED:  # A reset does not excuse a value that breaches.
            return found
    return unknown(f"{told}; say with counterReset what that means", after)
