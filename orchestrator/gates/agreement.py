"""Judges whether nodes agree on each chain: one value at one finalised height. Pure; called by `evaluate`.

All nodes are asked at the lowest finalised height among them: when the window has closed, and for a gate that may end
the run also while it is open. A disagreement in any round fails the gate, because what is final does not change. The
last round alone shows agreement. All nodes agree about genesis, and about what was final before the window began. So
the relay chain's height must be newer than that, and any other chain's must be above zero.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from orchestrator.gates.finding import Finding, by_policy, unknown
from orchestrator.gates.values import never_closed
from orchestrator.journal import MeasuredWindow, Reading, Readings, Target, Verdict
from orchestrator.spec import Gate
from orchestrator.spec.testnet import RELAY


def findings(
    gate: Gate, window: MeasuredWindow, rounds: Sequence[Readings], left: tuple[Target, ...]
) -> Iterator[Finding]:
    """What the rounds of one gate show about the nodes that are `left` to judge."""
    chains = sorted({target.chain or "" for target in left})
    for done in rounds:
        for chain in chains:
            yield from _divided(window, chain, [read for read in _answers(done, left) if read.target.chain == chain])
    if not rounds:
        yield unknown("the nodes were never asked")
        return
    answers = _answers(rounds[-1], left)
    answered = {read.target for read in answers}
    for target in left:
        if target not in answered:
            yield _silent(gate, window, target, rounds[-1])
    for chain in chains:
        yield _agreed(gate, window, chain, [read for read in answers if read.target.chain == chain])


def _answers(done: Readings, left: tuple[Target, ...]) -> list[Reading]:
    return [read for read in done.reads if read.target in left and read.error is None and read.value is not None]


def _silent(gate: Gate, window: MeasuredWindow, target: Target, done: Readings) -> Finding:
    read = next((read for read in done.reads if read.target == target), None)
    why = (read.error or f"has nothing at height {read.height}") if read is not None else "was not asked"
    policy = gate.policy.missing if read is not None and not window.open else "inconclusive"
    return by_policy(policy, f"{target}: {why}", node=str(target))


def _divided(window: MeasuredWindow, chain: str, answers: list[Reading]) -> Iterator[Finding]:
    """A finding for each height at which nodes of the chain disagreed in one round."""
    for height in sorted({read.height or 0 for read in answers}):
        same = [read for read in answers if (read.height or 0) == height]
        votes = Counter(read.value for read in same)
        if len(votes) > 1:
            (common, _), *_ = votes.most_common(1)
            other = next(read for read in same if read.value != common)
            reason = f"{chain}: {len(votes)} different values at finalised height {height}; "
            reason += f"{other.target.node} has {other.value}"
            yield Finding(Verdict.FAILED, reason, float(len(votes)), float("inf"), window.end, str(other.target))


def _agreed(gate: Gate, window: MeasuredWindow, chain: str, answers: list[Reading]) -> Finding:
    if len(answers) < 2:
        return unknown(f"{chain}: {len(answers)} nodes answered, and agreement takes two")
    height = min(read.height or 0 for read in answers)
    if len({read.height for read in answers}) > 1:
        return unknown(f"{chain}: the nodes were not asked about one height")
    known = (window.start_finalized if chain == RELAY else None) or 0
    if height <= known:
        reason = f"{chain}: a node has finalised {height} only, which was final before the window began"
        return unknown(reason, float(height))
    if window.open:
        return unknown(f"{chain}: {never_closed(gate)}")
    reason = f"{chain}: one value at height {height} on {len(answers)} nodes"
    return Finding(Verdict.PASSED, reason, 1.0, 0.0, window.end)
