"""The lattice of verdicts: what several of them mean together. Used by `evaluate` over nodes and by `judge` over gates.

FAILED outranks ERROR, because a breach that was seen stays seen whatever broke afterwards; ERROR outranks INCONCLUSIVE,
because somebody must repair something; PASSED remains when something speaks for it and nothing against it.
"""

from collections.abc import Iterable

from orchestrator.journal import Verdict

_RANK = {Verdict.PASSED: 0, Verdict.INCONCLUSIVE: 1, Verdict.ERROR: 2, Verdict.FAILED: 3}
_EXIT = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.INCONCLUSIVE: 3, Verdict.ERROR: 4}


def rank(verdict: Verdict) -> int:
    """How much it outranks: greater wins."""
    return _RANK[verdict]


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that outranks all others. Of nothing: INCONCLUSIVE, for nothing was shown."""
    return max(verdicts, key=rank, default=Verdict.INCONCLUSIVE)


def exit_code(verdict: Verdict) -> int:
    """The process's exit code for a run of this verdict."""
    return _EXIT[verdict]
