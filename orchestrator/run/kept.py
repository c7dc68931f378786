"""A run that is kept, read from its journal alone: no cluster, and nothing that talks to one. Called by `judge` too."""

from pathlib import Path

from orchestrator import report
from orchestrator.gates.judge import RunVerdict, judge
from orchestrator.journal import Journal


def conclude(directory: Path, links: report.Links = report.NOWHERE) -> RunVerdict:
    """Judges and writes all reports. `links` say where the report's queries can be looked at."""
    journal = Journal.read(directory / "journal.jsonl")
    verdict = judge(journal)
    report.write(journal, verdict, directory, links)
    return verdict


def earlier(directory: Path, run: str) -> Journal:
    """The journal of a run that is kept beside the one in `directory`.

    Raises:
        UsageError: when there is none.
    """
    return Journal.read(directory.resolve().parent / run / "journal.jsonl")
