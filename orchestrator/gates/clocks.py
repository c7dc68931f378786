"""Comparisons of clocks: collected with the samples, and judged for every window. Windows use our clock.

Samples have Prometheus' times, and blocks the chain's. If a clock is further from ours than `clockSkew`, a window is
another stretch of time than was meant. A comparison that is too coarse to tell is no comparison.
"""

from collections.abc import Iterator

from orchestrator.errors import CoalmineError
from orchestrator.gates.case import Case
from orchestrator.gates.decide import Finding, by_policy, unknown
from orchestrator.gates.evidence import Unknown
from orchestrator.gates.ports import Sources
from orchestrator.gates.timeline import LASTS
from orchestrator.journal import ClockCheck

_LATE = 6.0
"""Seconds by which blocks may be late although no clock is wrong: a slot of a live network."""


def compare(sources: Sources) -> ClockCheck | None:
    """Prometheus' clock compared with ours. None if it does not answer; its queries will then report the error."""
    try:
        before = sources.now()
        theirs = sources.prometheus.clock()
        after = sources.now()
    except CoalmineError:
        return None
    return ClockCheck(at=after, prometheus=theirs - (before + after) / 2, uncertainty=(after - before) / 2)


def judge(case: Case, *, prometheus: bool) -> Iterator[Finding]:
    """Findings if a clock is not known to agree with ours. Prometheus' clock matters only to its own samples."""
    if case.gate.policy.clocks == "ignore":
        return
    if prometheus:
        yield from _prometheus(case)
    if (silence := case.record.silence(case.start, case.end)) > LASTS:
        told = "at all" if silence == float("inf") else f"for {silence:.0f} s"
        yield unknown(f"nobody noted the chains' heights {told} in the window")
        return
    ahead, limit = case.record.chain_ahead(case.start, case.end), case.gate.policy.clock_skew
    if isinstance(ahead, Unknown):
        yield unknown(ahead.reason)
    elif ahead.value is not None and not -limit - _LATE <= ahead.value <= limit:
        yield by_policy(case.gate.policy.clocks, f"the chain's clock is {_apart(ahead.value)} ours")


def _prometheus(case: Case) -> Iterator[Finding]:
    limit = case.gate.policy.clock_skew
    checks = list(case.record.checked(case.start, case.end))
    if not checks:
        yield unknown("nobody compared Prometheus' clock with ours")
        return
    apart = max(checks, key=lambda check: abs(check.prometheus) - check.uncertainty)
    closest = min(checks, key=lambda check: abs(check.prometheus) + check.uncertainty)
    if abs(apart.prometheus) - apart.uncertainty > limit:
        yield by_policy(case.gate.policy.clocks, f"Prometheus' clock is {_apart(apart.prometheus)} ours")
    elif abs(closest.prometheus) + closest.uncertainty > limit:
        measured = f"{closest.prometheus:+.1f} s, give or take {closest.uncertainty:.1f} s"
        yield unknown(f"Prometheus' clock was compared with ours too coarsely to tell: {measured}")


def _apart(ahead: float) -> str:
    return f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'}"
