"""Compares a run with an earlier run: the figure of each node or view, then and now. Pure; called by `samples`.

The same code computes the earlier run's figures from its journal. They are written to this run's journal, so that the
verdict can be repeated when the earlier run is gone.
"""

import math
from collections.abc import Sequence

from orchestrator.gates.decide import Claim, Finding, decide, still_open, unknown
from orchestrator.gates.samples.strip import Strip
from orchestrator.gates.samples.views import STATISTICS, Judge
from orchestrator.gates.threshold import Meaning, higher_is_worse
from orchestrator.journal import Baseline
from orchestrator.spec import Gate

_EPSILON = 1e-9


def compared(gate: Gate, meaning: Meaning, baseline: Baseline | None) -> Judge:
    """A judge that compares each series with the same series of the earlier run."""
    wanted = gate.no_worse_than
    assert wanted is not None

    def judge(label: str, strip: Strip) -> Finding:
        if baseline is None:
            return unknown(f"run {wanted.run} was not read, so there is nothing to compare with")
        then = baseline.figures.get(label)
        if then is None:
            why = baseline.lacking.get(label) or baseline.lacking.get("") or f"{label} was not there"
            return unknown(f"run {wanted.run} has no figure: {why}")
        now, why = figure(gate, meaning, strip)
        if now is None:
            return unknown(why)
        higher = higher_is_worse(gate)
        if higher is None:
            return unknown(f"nobody said which way is worse for {meaning.title}; say it with `worse`", now)
        worse = (now - then if higher else then - now) - abs(then) * wanted.percent
        told = f"{meaning.title}: {wanted.figure} {meaning.said(now)}, in run {wanted.run} {meaning.said(then)}"
        fails = worse > _EPSILON
        claim = Claim(told, fails, holds=not fails, value=now, badness=worse, when=strip.at(strip.asked - 1))
        return decide(claim, strip.window, gate)

    return judge


def figure(gate: Gate, meaning: Meaning, strip: Strip) -> tuple[float | None, str]:
    """The series as one figure, and an empty reason. None and the reason if the figure is not known for certain."""
    assert gate.no_worse_than is not None
    if why := _unfit(gate, meaning, strip):
        return None, why
    if meaning.counter and gate.policy.counter_reset == "rebase":
        strip = strip.rebased(from_zero=True)
    numbers = strip.numbers()
    growth, elapsed = float(numbers[-1] - numbers[0]), (strip.asked - 1) * strip.step
    if meaning.figure == "seconds-per-growth":
        return (elapsed / growth, "") if growth > 0 else (None, "nothing grew")
    if gate.no_worse_than.figure == "growth-per-minute":
        return 60 * growth / elapsed, ""
    return float(STATISTICS[gate.no_worse_than.figure](numbers)), ""


def _unfit(gate: Gate, meaning: Meaning, strip: Strip) -> str:
    """Why no figure can be computed from the series; empty if one can."""
    needed = max(2, gate.min_samples)
    if not strip.window.complete:
        return still_open(strip.window.value, gate)
    if not strip.complete:
        return strip.gaps()
    if strip.asked < needed:
        return f"there are {strip.asked} samples; at least {needed} are needed"
    reset = meaning.counter and strip.fall() is not None
    if reset and gate.policy.counter_reset in {"inconclusive", "fail"}:
        return f"{meaning.title} was reset; say with counterReset what that means"
    return ""


def noting(gate: Gate, meaning: Meaning, figures: dict[str, float], lacking: dict[str, str]) -> Judge:
    """A judge that only notes the earlier run's figures by label, or in `lacking` why there is none."""

    def judge(label: str, strip: Strip) -> Finding:
        value, why = figure(gate, meaning, strip)
        if value is None or not math.isfinite(value):
            lacking[label] = why
            return unknown(why)
        figures[label] = value
        return decide(Claim("", fails=False, holds=True, value=value, badness=0.0), strip.window, gate)

    return judge


def of(gate: Gate, stage: str, recorded: Sequence[Baseline]) -> Baseline | None:
    """The recorded baseline for this gate, or for another gate that needs the same figures; None if there is none."""
    return next((one for one in recorded if one.stage == stage and _key(one.gate) == _key(gate)), None)


def _key(gate: Gate) -> object:
    free: dict[str, object] = {"name": "", "why": None, "abort_on": None, "tolerate": 0.0}
    wanted = gate.no_worse_than
    if wanted is not None:
        name = wanted.gate or gate.name
        free["no_worse_than"] = wanted.model_copy(update={"percent": 0.0, "gate": name})
    return gate.model_copy(update=free)
