"""How the command line speaks: tables on stdout, all else on stderr. Called by verbs once they run.

What others read on goes through `stdout`.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import rich.box
import rich.console
import rich.markup
import rich.table

from orchestrator.cli import stdout
from orchestrator.cli.format import Format
from orchestrator.errors import CoalmineError, GenesisError, RuntimeCallError

if TYPE_CHECKING:
    from orchestrator.gates.judge import RunVerdict

_LOG_LINES = 20
"""Of a runtime that failed; what it said last says why."""

_stderr = rich.console.Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
_stdout = rich.console.Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 120)

_COLOURS = {"PASSED": "green", "FAILED": "red", "ERROR": "magenta", "INCONCLUSIVE": "yellow"}


def say(line: str) -> None:
    _stderr.print(line, markup=False)


def stepper() -> Callable[[str], None]:
    """A progress callback that stamps each line with the seconds since it was made."""
    started = time.monotonic()

    def step(line: str) -> None:
        say(f"[{time.monotonic() - started:6.1f}s] {line}")

    return step


def fail(error: CoalmineError) -> None:
    _stderr.print(f"error: {error.message}", style="bold red", markup=False)
    if isinstance(error, RuntimeCallError | GenesisError):
        for line in error.log[-_LOG_LINES:]:
            say(f"runtime: {line}")
    if error.hint:
        say(f"hint: {error.hint}")


def table(title: str, columns: list[str], rows: list[list[str]], *, verdict_column: int | None = None) -> None:
    """A table for people."""
    grid = rich.table.Table(title=title, title_justify="left", title_style="bold", box=rich.box.SIMPLE_HEAD)
    for column in columns:
        grid.add_column(column, overflow="fold", min_width=len(max(_COLOURS, key=len)) if column == "verdict" else None)
    for row in rows:
        style = _COLOURS.get(row[verdict_column], "") if verdict_column is not None else ""
        cells = [rich.markup.escape(cell) for cell in row]
        if verdict_column is not None and style:
            cells[verdict_column] = f"[{style}]{row[verdict_column]}[/]"
        grid.add_row(*cells)
    _stdout.print(grid)


def verdict(name: str, judged: "RunVerdict", directory: Path, output: Format) -> None:
    """The verdict of a run, its gates, and where its reports are."""
    from orchestrator import report

    if output is Format.JSON:
        stdout.text((directory / "result.json").read_text(encoding="utf-8"))
        return
    rows = [dict(zip(report.HEADER, row, strict=True)) for row in report.rows(judged)]
    columns = ["verdict", "stage", "gate", "worst", "asked"]
    table(f"Rehearsal {name}", columns, [[row[column] for column in columns] for row in rows], verdict_column=0)
    for row in rows:
        if row["verdict"] != "PASSED":
            _stdout.print(f"{row['stage']} / {row['gate']}: {row['why']}", markup=False, soft_wrap=True)
    _stdout.print(
        f"[bold {_COLOURS[judged.verdict]}]{judged.verdict}[/] {rich.markup.escape(judged.reason)}", soft_wrap=True
    )
    _stdout.print(f"report: {directory / 'report.html'}", soft_wrap=True)
