"""The judgement of one node's series. Pure; `evaluate` merges the findings of all nodes.

Every function answers twice: what is certain to have failed whatever the holes hide, and what is certain to have held.
Between the two lies INCONCLUSIVE. A number that breaches is therefore FAILED even beside NaN, and a window that is
still open can fail but not pass, recovery excepted, for what has recovered has recovered.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.gates.evidence import Evidence, Sample, rebased
from orchestrator.journal import Verdict
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Gate

GROWTH = ("increases_by", "stalls", "recovers_within")
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Finding:
    """What one series shows. `badness` orders findings of one gate: greater is worse."""

    verdict: Verdict
    reason: str
    value: float | None = None
    badness: float = -math.inf
    when: float | None = None
    node: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the numbers of a gate are: of a signal as the catalogue says, of a query of one's own as it is used."""

    title: str
    unit: str
    counter: bool
    monotone: bool
    resets: bool
    ratio: bool

    @classmethod
    def of(cls, gate: Gate) -> "Meaning":
        signal = CATALOGUE[gate.signal] if gate.signal is not None else None
        if signal is None:
            return cls("The query's value", "", False, False, gate.chosen() in GROWTH, False)
        counter = signal.kind != "gauge"
        grows = gate.chosen() in {"increases_by", "stalls"}
        return cls(
            title=signal.title,
            unit=signal.unit,
            counter=counter,
            monotone=signal.monotone,
            resets=counter or (signal.monotone and grows),
            ratio=signal.derive == "seconds-per-growth",
        )

    def figure(self, value: float) -> str:
        """A value with its unit, as a sentence says it."""
        number = "infinite" if math.isinf(value) else f"{value:.4g}" if abs(value) < 1000 else f"{value:g}"
        return f"{number} {self.unit}".strip() if math.isfinite(value) else number


def judge(gate: Gate, meaning: Meaning, evidence: Evidence) -> Finding:
    """What the gate's threshold makes of the series."""
    needed = max(gate.min_samples, 2 if gate.chosen() in GROWTH or meaning.ratio else 1)
    if len(evidence.known) < needed:
        odd = f", and {evidence.odd} that are not numbers" if evidence.odd else ""
        return _unknown(f"there are {len(evidence.known)} samples{odd}; at least {needed} are needed")
    if meaning.resets and (falls := evidence.falls()):
        return _after_reset(gate, meaning, evidence, falls[0])
    return _judgement(gate, meaning)(gate, meaning, evidence)


_Judgement = Callable[[Gate, Meaning, Evidence], Finding]


def _judgement(gate: Gate, meaning: Meaning) -> _Judgement:
    if meaning.ratio:
        return _ratio
    return {"increases_by": _increase, "stalls": _stall, "recovers_within": _recovery}.get(gate.chosen(), _values)


def _unknown(reason: str, value: float | None = None, *, badness: float = -math.inf) -> Finding:
    return Finding(Verdict.INCONCLUSIVE, reason, value, badness)


def never_closed(gate: Gate) -> str:
    """Why a window is still open, for a reason."""
    end = gate.recovers_within or gate.window.for_ or gate.window.to or "stage.end"
    return f"the window never closed, for {end} never came"


def _after_reset(gate: Gate, meaning: Meaning, evidence: Evidence, fall: tuple[Sample, Sample]) -> Finding:
    (_, earlier), (when, later) = fall
    told = f"{meaning.title} fell from {earlier:g} to {later:g}, which is a reset"
    if gate.policy.counter_reset == "fail":
        return Finding(Verdict.FAILED, told, later, math.inf, when)
    if gate.policy.counter_reset == "inconclusive":
        finding = _judgement(gate, meaning)(gate, meaning, evidence)
        if finding.verdict is Verdict.FAILED and gate.chosen() not in GROWTH:
            return finding  # A value that breached is no less of a breach for a reset beside it.
        return _unknown(f"{told}; say with counterReset what that means", later)
    if gate.policy.counter_reset == "rebase":
        known = rebased(evidence.known, from_zero=meaning.counter)
        evidence = _with(evidence, known)
    return _judgement(gate, meaning)(gate, meaning, evidence)


def _with(evidence: Evidence, known: tuple[Sample, ...]) -> Evidence:
    e = evidence
    return Evidence(e.window, known, e.before, e.asked, e.holes, e.odd, e.at_start, e.at_end)


def breach(gate: Gate, value: float) -> float:
    """How far the value is beyond a value threshold; 0 or less is within."""
    if gate.at_least is not None:
        return gate.at_least - value
    if gate.at_most is not None:
        return value - gate.at_most
    if gate.between is not None:
        return max(gate.between.low - value, value - gate.between.high)
    assert gate.equals is not None
    return abs(value - gate.equals)


def _values(gate: Gate, meaning: Meaning, evidence: Evidence) -> Finding:
    """Value thresholds: a share of the samples may breach, and each hole counts as one that does."""
    breaches = sum(breach(gate, value) > 0 for _, value in evidence.known)
    when, worst = max(evidence.known, key=lambda sample: (breach(gate, sample[1]), -sample[0]))
    told = f"{meaning.title} was {meaning.figure(worst)}"
    if gate.tolerate and breaches:
        told += f", {breaches} of {evidence.asked} samples breach"
    bad = breach(gate, worst)
    sure = not evidence.window.open or gate.tolerate == 0
    if sure and breaches / evidence.asked > gate.tolerate + _EPSILON:
        return Finding(Verdict.FAILED, told, worst, bad, when)
    if evidence.window.open:
        return _unknown(never_closed(gate), worst, badness=bad)
    hidden = meaning.resets and evidence.holes > 0  # A counter may have been reset where nothing is known.
    if hidden or (breaches + evidence.holes) / evidence.asked > gate.tolerate + _EPSILON:
        return _unknown(evidence.gaps(), worst, badness=bad)
    return Finding(Verdict.PASSED, told, worst, bad, when)


def _ratio(gate: Gate, meaning: Meaning, evidence: Evidence) -> Finding:
    """Seconds per unit of growth, one figure for the window."""
    if evidence.window.open:
        return _unknown(never_closed(gate))
    if not (evidence.at_start and evidence.at_end):
        return _unknown(f"the window's edges are not covered: {evidence.gaps()}")
    (start, first), (end, last) = evidence.known[0], evidence.known[-1]
    value = (end - start) / (last - first) if last > first else math.inf
    if math.isinf(value) and gate.at_least is not None:
        return _unknown("nothing grew, so there is no time between two of them", value)
    told = f"{meaning.title} was {meaning.figure(value)}, {last - first:g} blocks in {end - start:.0f} s"
    bad = breach(gate, value)
    if bad > 0:
        return Finding(Verdict.FAILED, told, value, bad, end)
    if not evidence.complete:
        return _unknown(evidence.gaps(), value, badness=bad)
    return Finding(Verdict.PASSED, told, value, bad, end)


def _increase(gate: Gate, meaning: Meaning, evidence: Evidence) -> Finding:
    assert gate.increases_by is not None
    (_, first), (when, last) = evidence.known[0], evidence.known[-1]
    growth = last - first
    told = f"{meaning.title} grew by {meaning.figure(growth)}, from {first:g} to {last:g}"
    if evidence.window.open:
        return _unknown(never_closed(gate), growth, badness=-growth)
    if growth < gate.increases_by and evidence.at_start and evidence.at_end and not meaning.resets:
        return Finding(Verdict.FAILED, told, growth, -growth, when)
    if not evidence.complete:
        return _unknown(evidence.gaps(), growth, badness=-growth)
    verdict = Verdict.PASSED if growth >= gate.increases_by else Verdict.FAILED
    return Finding(verdict, told, growth, -growth, when)


def _stall(gate: Gate, meaning: Meaning, evidence: Evidence) -> Finding:
    """The greatest rise between any two moments, so that a fall in between hides nothing."""
    assert gate.stalls is not None
    low, rise, when = math.inf, 0.0, evidence.known[0][0]
    for moment, value in evidence.known:
        low = min(low, value)
        if value - low > rise:
            rise, when = value - low, moment
    told = f"{meaning.title} grew by {meaning.figure(rise)}"
    if rise > gate.stalls:
        return Finding(Verdict.FAILED, told, rise, rise, when)
    if evidence.window.open:
        return _unknown(never_closed(gate), rise, badness=rise)
    if not evidence.complete:
        return _unknown(evidence.gaps(), rise, badness=rise)
    return Finding(Verdict.PASSED, told, rise, rise, when)


def _recovery(gate: Gate, meaning: Meaning, evidence: Evidence) -> Finding:
    """Seconds until the value exceeds the one at the window's start."""
    base = _base(meaning, evidence)
    if base is None:
        return _unknown("its value at the window's start is not known, so neither is whether it exceeded that")
    start, end = evidence.window.start, evidence.window.end
    recovered = next((when for when, value in evidence.known if value > base), None)
    if recovered is not None and meaning.resets and not evidence.complete:
        return _unknown(f"{evidence.gaps()}, so a reset may be among them", badness=math.inf)
    if recovered is not None:
        seconds = recovered - start
        told = f"{meaning.title} exceeded {base:g} after {seconds:.1f} s"
        return Finding(Verdict.PASSED, told, seconds, seconds, recovered)
    told = f"{meaning.title} had not exceeded {base:g} after {end - start:.1f} s"
    if evidence.window.open:
        return _unknown(f"{told}; {never_closed(gate)}", badness=math.inf)
    if not (evidence.at_end and (evidence.complete or meaning.monotone)):
        return _unknown(f"{told}, but {evidence.gaps()}", badness=math.inf)
    return Finding(Verdict.FAILED, told, math.inf, math.inf, end)


def _base(meaning: Meaning, evidence: Evidence) -> float | None:
    """The value at the window's start.

    A node that was just brought back answers a little later. Where a signal only grows, its value at the start lay
    between the last one before and the first one after, and the greater of the two is the harder to exceed.
    """
    if evidence.at_start:
        return evidence.known[0][1]
    if meaning.monotone and evidence.before is not None:
        return max(evidence.before[1], evidence.known[0][1])
    return None
