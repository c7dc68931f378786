"""Reports on a run, each from its journal and verdict alone. Called by `coalmine run`, `judge` and `report`."""

from orchestrator.gates.judge import RunVerdict
from orchestrator.journal import Journal


def json_text(journal: Journal, verdict: RunVerdict) -> str:
    """`result.json`."""
    raise NotImplementedError


def junit(journal: Journal, verdict: RunVerdict) -> str:
    """`junit.xml`."""
    raise NotImplementedError


def markdown(journal: Journal, verdict: RunVerdict) -> str:
    """`summary.md`."""
    raise NotImplementedError


def html(journal: Journal, verdict: RunVerdict) -> str:
    """`report.html`, one file that needs no network."""
    raise NotImplementedError


def terminal(verdict: RunVerdict) -> tuple[tuple[str, ...], ...]:
    """Header and rows of a table: stage, gate, verdict, worst, reason."""
    raise NotImplementedError
