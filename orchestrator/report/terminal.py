"""The verdict as rows of text, for `cli` to print as a table."""

from orchestrator.gates.judge import RunVerdict
from orchestrator.report.stages import figure

HEADER = ("verdict", "stage", "gate", "asked", "worst", "node", "why")


def rows(verdict: RunVerdict) -> tuple[tuple[str, ...], ...]:
    """One row for each gate, in the order of the rehearsal. The columns are those of `HEADER`.

    Gates of the run that were left out by those it was judged by come last, for they count too.
    """
    return tuple(
        (gate.verdict.value, gate.stage, gate.gate, gate.threshold, figure(gate), gate.node or "", gate.reason)
        for gate in verdict.every
    )
