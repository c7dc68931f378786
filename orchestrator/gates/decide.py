"""Decides what evidence means for a gate. `decide` is the only place in coalmine where a gate passes.

Whoever judges makes a `Claim`: whether the gate fails whatever is unknown, and whether it holds whatever is unknown. If
neither is certain, the claim says why. `decide` adds what the window's end means. `worst` merges the findings of a
gate: one node that breaches fails it, and a missing node makes it inconclusive.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.gates import verdict
from orchestrator.gates.evidence import Evidence, Unknown
from orchestrator.journal import MeasuredWindow, Verdict
from orchestrator.spec import Gate


@dataclass(frozen=True, slots=True)
class Claim:
    """What evidence shows of a threshold.

    `told` says what was measured and `doubt` why nothing is certain, as parts of a sentence. `badness` orders the
    claims of one gate: greater is worse. `when` is the worst moment, in Unix seconds. `final`: more time could not
    change that it holds, so that it need not wait for the window's end.
    """

    told: str
    fails: bool
    holds: bool
    doubt: str = ""
    value: float | None = None
    badness: float = -math.inf
    when: float | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one node, view or policy means for a gate. `node` may name a view."""

    verdict: Verdict
    reason: str
    value: float | None = None
    badness: float = -math.inf
    when: float | None = None
    node: str = ""

    def on(self, node: str) -> "Finding":
        """The same finding about a node, which its reason names first."""
        return replace(self, node=node, reason=f"{node}: {self.reason}" if node else self.reason)


def decide(claim: Claim, window: Evidence[MeasuredWindow], gate: Gate | None = None) -> Finding:
    """FAILED if the claim certainly fails. PASSED if it certainly holds and the window has closed. Else INCONCLUSIVE.

    A window that is open can fail and cannot pass, except by a claim that is final. `gate` says what the window waits
    for; what a run or an experiment noted by itself has no gate.
    """
    if isinstance(window, Unknown):
        return unknown(window.reason)
    if claim.fails:
        return Finding(Verdict.FAILED, claim.told, claim.value, claim.badness, claim.when)
    if not claim.holds:
        return unknown(claim.doubt, claim.value, badness=claim.badness)
    if not window.complete and not claim.final:
        return unknown(still_open(window.value, gate), claim.value, badness=claim.badness)
    return Finding(Verdict.PASSED, claim.told, claim.value, claim.badness, claim.when)


def still_open(window: MeasuredWindow, gate: Gate | None) -> str:
    """Why a window is open, as a part of a sentence."""
    if window.doubt or gate is None:
        return window.doubt or "the window never closed"
    end = gate.recovers_within or gate.window.for_ or gate.window.to or "stage.end"
    return f"the window never closed: {end} did not happen"


def unknown(reason: str, value: float | None = None, *, badness: float = -math.inf) -> Finding:
    """A finding that keeps its gate from passing, because something is not known."""
    return Finding(Verdict.INCONCLUSIVE, reason, value, badness)


def broken(reason: str) -> Finding:
    """A finding that something must be repaired before the gate can be judged."""
    return Finding(Verdict.ERROR, reason)


def by_policy(policy: str, reason: str, *, node: str = "") -> Finding:
    """A finding about imperfect evidence, for the policy `fail` or `inconclusive`. Its badness is infinite."""
    found = Verdict.FAILED if policy == "fail" else Verdict.INCONCLUSIVE
    return Finding(found, reason, badness=math.inf, node=node)


def gravity(finding: Finding) -> tuple[int, float, str, str]:
    """A key that sorts findings, the worst first."""
    return -verdict.rank(finding.verdict), -finding.badness, finding.node, finding.reason


def worst(findings: Iterable[Finding]) -> Finding:
    """The finding that decides. Its reason says how many others have the same verdict."""
    found = list(findings)
    if not found:
        return unknown("no samples came")
    merged = verdict.merge(finding.verdict for finding in found)
    alike = sorted((finding for finding in found if finding.verdict is merged), key=gravity)
    first, others = alike[0], len(alike) - 1
    if not others:
        return first
    if not first.node:
        told = "; ".join(dict.fromkeys(finding.reason for finding in alike if not finding.node))
    elif merged is Verdict.PASSED:
        told = f"{first.reason} (the worst of {len(alike)})"
    else:
        told = f"{first.reason} (and {others} more like it)"
    return replace(first, reason=told)
