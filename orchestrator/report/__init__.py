"""Reports on a run, each from its journal and verdict alone. Called by `coalmine run`, `judge` and `report`."""

from collections.abc import Callable
from pathlib import Path

from orchestrator.gates.judge import RunVerdict
from orchestrator.journal import Journal
from orchestrator.report import html as _html
from orchestrator.report import junit as _junit
from orchestrator.report import markdown as _markdown
from orchestrator.report import result as _result
from orchestrator.report.story import Story, tell
from orchestrator.report.terminal import HEADER, rows

__all__ = ["FORMATS", "HEADER", "html", "json_text", "junit", "markdown", "rows", "write"]

FORMATS: dict[str, tuple[str, Callable[[Story], str]]] = {
    "html": ("report.html", _html.render),
    "junit": ("junit.xml", _junit.render),
    "markdown": ("summary.md", _markdown.render),
    "json": ("result.json", _result.render),
}
"""Format -> the file's name in a run's folder, and what renders it."""


def html(journal: Journal, verdict: RunVerdict) -> str:
    """One page that needs no network and no scripts."""
    return _html.render(tell(journal, verdict))


def junit(journal: Journal, verdict: RunVerdict) -> str:
    """A suite for each stage, a case for each gate."""
    return _junit.render(tell(journal, verdict))


def markdown(journal: Journal, verdict: RunVerdict) -> str:
    """At most twenty gates and 900 kB."""
    return _markdown.render(tell(journal, verdict))


def json_text(journal: Journal, verdict: RunVerdict) -> str:
    """Stable keys under one `schemaVersion`."""
    return _result.render(tell(journal, verdict))


def write(journal: Journal, verdict: RunVerdict, folder: Path) -> tuple[Path, ...]:
    """All formats into the run's folder; the files written."""
    story = tell(journal, verdict)
    written = []
    for name, render in FORMATS.values():
        (folder / name).write_text(render(story), encoding="utf-8")
        written.append(folder / name)
    return tuple(written)
