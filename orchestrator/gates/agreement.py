"""Whether nodes agree on the chain: one hash at one finalised height, chain by chain. Pure; called by `evaluate`.

All nodes are asked at the lowest finalised height among them. Everybody agrees about genesis, and about what was final
before the window began; so the relay chain's height must be a newer one, and any other chain's a height above zero.
"""

from collections import Counter
from collections.abc import Iterator

from orchestrator.gates.series import Finding, never_closed
from orchestrator.journal import HashRead, Measurement, Verdict
from orchestrator.metrics.signals import RELAY


def findings(measurement: Measurement) -> Iterator[Finding]:
    """One finding for each chain, and one for each node that did not answer."""
    window = measurement.window
    assert window is not None
    left = [target for target in measurement.expected if target.node not in measurement.spared]
    reads = {read.target: read for read in measurement.hashes}
    chains = sorted({target.chain or "" for target in left})
    for chain in chains:
        answers = []
        for target in (t for t in left if (t.chain or "") == chain):
            read = reads.get(target)
            if read is None or read.error is not None or read.hash is None:
                yield _silent(measurement, str(target), read)
            else:
                answers.append(read)
        yield _agreement(measurement, chain, answers)


def _silent(measurement: Measurement, node: str, read: HashRead | None) -> Finding:
    why = (read.error or f"has no block at height {read.height}") if read is not None else "was not asked"
    failed = measurement.gate.policy.missing == "fail"
    return Finding(Verdict.FAILED if failed else Verdict.INCONCLUSIVE, f"{node}: {why}", node=node)


def _agreement(measurement: Measurement, chain: str, answers: list[HashRead]) -> Finding:
    window = measurement.window
    assert window is not None
    if len(answers) < 2:
        return Finding(Verdict.INCONCLUSIVE, f"{chain}: {len(answers)} nodes answered, and agreement takes two")
    votes = Counter(read.hash for read in answers)
    height = min(read.height or 0 for read in answers)
    if len(votes) > 1:
        (common, _), *_ = votes.most_common(1)
        other = next(read for read in answers if read.hash != common)
        reason = (
            f"{chain}: {len(votes)} different hashes at finalised height {height}; {other.target.node} has {other.hash}"
        )
        return Finding(Verdict.FAILED, reason, float(len(votes)), float("inf"), window.end, str(other.target))
    known = (window.start_finalized if chain == RELAY else None) or 0
    if height <= known:
        reason = f"{chain}: a node has finalised {height} only, which was final before the window began"
        return Finding(Verdict.INCONCLUSIVE, reason, float(height))
    if window.open:
        return Finding(Verdict.INCONCLUSIVE, f"{chain}: {never_closed(measurement.gate)}")
    return Finding(
        Verdict.PASSED, f"{chain}: one hash at height {height} on {len(answers)} nodes", 1.0, 0.0, window.end
    )
