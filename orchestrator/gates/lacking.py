"""What the check of names before a run means for the verdicts after it. Called by `judge` with the journal's events.

A query that says "or zero" for a counter that comes with its first use gives zero for a client that does not have the
counter at all, and zero is what such gates want. So a gate whose metric was known to be missing cannot have passed.
"""

from collections.abc import Iterable

from orchestrator.journal import Event, GateVerdict, Verdict

CHECKED = "names.checked"
"""The event that `run.names` records, with a list `doubts` of `metrics.exposed.Doubt`."""


def lacking(events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """Stage and gate -> why it could not be answered, of those that were certain not to be."""
    found: dict[tuple[str, str], str] = {}
    for event in events:
        doubts = event.detail.get("doubts") if event.name == CHECKED else None
        for doubt in doubts if isinstance(doubts, list) else ():
            if isinstance(doubt, dict) and doubt.get("certain"):
                found.setdefault((str(doubt.get("stage")), str(doubt.get("gate"))), str(doubt.get("reason")))
    return found


def capped(verdict: GateVerdict, lacks: dict[tuple[str, str], str]) -> GateVerdict:
    """The verdict, or INCONCLUSIVE where it would have passed on what its nodes do not have."""
    reason = lacks.get((verdict.stage, verdict.gate))
    if reason is None or verdict.verdict is not Verdict.PASSED:
        return verdict
    told = f"before the run, {reason}; so that it passed says nothing ({verdict.reason})"
    return verdict.model_copy(update={"verdict": Verdict.INCONCLUSIVE, "reason": told})
