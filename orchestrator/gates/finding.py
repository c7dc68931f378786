"""Findings: what one series, node or policy says about a gate, and which one decides. Pure; used in `gates`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.gates import verdict
from orchestrator.journal import Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """`badness` orders the findings of one gate: greater is worse. `when` is unix seconds. `node` may name a view."""

    verdict: Verdict
    reason: str
    value: float | None = None
    badness: float = -math.inf
    when: float | None = None
    node: str = ""

    def on(self, node: str, label: str | None = None) -> "Finding":
        """The same finding about a node. The reason begins with `label`, by default the node's name."""
        called = label or node
        return replace(self, node=node, reason=f"{called}: {self.reason}" if called else self.reason)


def unknown(reason: str, value: float | None = None, *, badness: float = -math.inf) -> Finding:
    return Finding(Verdict.INCONCLUSIVE, reason, value, badness)


def by_policy(policy: str, reason: str, *, node: str = "") -> Finding:
    """A finding about imperfect evidence, for the policy `fail` or `inconclusive`. Its badness is infinite."""
    found = Verdict.FAILED if policy == "fail" else Verdict.INCONCLUSIVE
    return Finding(found, reason, badness=math.inf, node=node)


def worst(findings: Iterable[Finding]) -> Finding:
    """The finding that decides. Its reason says how many others have the same verdict."""
    found = list(findings)
    if not found:
        return unknown("no samples came")
    merged = verdict.merge(finding.verdict for finding in found)
    alike = sorted((f for f in found if f.verdict is merged), key=lambda f: (-f.badness, f.node, f.reason))
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
