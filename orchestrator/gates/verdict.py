"""Merges several verdicts into one. `decide` uses it for the findings of a gate, `judge` for the gates of a run.

FAILED outranks ERROR, because an observed breach stays true whatever broke afterwards. ERROR outranks INCONCLUSIVE,
because somebody must repair something. The result is PASSED only if there is a verdict and all are PASSED.
"""

from collections.abc import Iterable

from orchestrator.journal import Verdict

_RANK = {Verdict.PASSED: 0, Verdict.INCONCLUSIVE: 1, Verdict.ERROR: 2, Verdict.FAILED: 3}
_EXIT = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.INCONCLUSIVE: 3, Verdict.ERROR: 4}


def rank(verdict: Verdict) -> int:
    """The rank of a verdict. The greater one wins."""
    return _RANK[verdict]


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that outranks all others. Without verdicts: INCONCLUSIVE, because nothing was shown."""
    return max(verdicts, key=rank, default=Verdict.INCONCLUSIVE)


def exit_code(verdict: Verdict) -> int:
    """The process's exit code for a run of this verdict."""
    return _EXIT[verdict]
