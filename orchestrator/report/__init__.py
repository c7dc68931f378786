"""Writes reports on a run, from its journal and verdict alone. Called by `coalmine run`, `judge` and `report`."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from orchestrator.gates.judge import RunVerdict
from orchestrator.journal import Journal
from orchestrator.report import html, junit, markdown, result
from orchestrator.report.links import NOWHERE, Links
from orchestrator.report.story import Story, tell
from orchestrator.report.terminal import HEADER, rows

__all__ = ["FORMATS", "HEADER", "NOWHERE", "Format", "Links", "render", "rows", "write"]

Format = Literal["html", "junit", "markdown", "json"]

FORMATS: dict[Format, tuple[str, Callable[[Story], str]]] = {
    "html": ("report.html", html.render),
    "junit": ("junit.xml", junit.render),
    "markdown": ("summary.md", markdown.render),
    "json": ("result.json", result.render),
}
"""Format -> the name of its file in a run's folder, and the function that renders it."""


def render(journal: Journal, verdict: RunVerdict, form: Format, links: Links = NOWHERE) -> str:
    """The report in one format."""
    return FORMATS[form][1](tell(journal, verdict, links))


def write(journal: Journal, verdict: RunVerdict, folder: Path, links: Links = NOWHERE) -> tuple[Path, ...]:
    """Writes all formats into the run's folder. Returns the files."""
    story = tell(journal, verdict, links)
    written = []
    for name, form in FORMATS.values():
        (folder / name).write_text(form(story), encoding="utf-8")
        written.append(folder / name)
    return tuple(written)
