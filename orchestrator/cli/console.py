"""Prints for people: tables on stdout, everything else on stderr. Imported by verbs when they run.

Data that other programs read is printed by `stdout`.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich.box
import rich.console
import rich.live
import rich.markup
import rich.table
import rich.text

from orchestrator.cli import stdout
from orchestrator.cli.format import Format
from orchestrator.errors import CoalmineError, GenesisError, RuntimeCallError
from orchestrator.progress import Progress, Work

if TYPE_CHECKING:
    from orchestrator.gates.judge import RunVerdict

_LOG_LINES = 20
"""How many log lines of a failed runtime are shown. The last ones say why it failed."""

_LOOKS = 2
"""How often the lines of running work are refreshed, each second."""

_stderr = rich.console.Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
_stdout = rich.console.Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 120)

_COLOURS = {"PASSED": "green", "FAILED": "red", "ERROR": "magenta", "INCONCLUSIVE": "yellow"}


def say(line: str) -> None:
    _stderr.print(line, markup=False)


def stepper() -> Progress:
    """A listener that prints each line with the seconds since its creation. A terminal also shows running work."""
    started = time.monotonic()

    def step(line: str) -> None:
        say(f"[{time.monotonic() - started:6.1f}s] {line}")

    return _OnTerminal(step) if _stderr.is_interactive else step


@dataclass(frozen=True, slots=True)
class _OnTerminal:
    """A listener that also shows one live line for each running work, below the printed lines."""

    step: Progress

    def __call__(self, line: str, /) -> None:
        self.step(line)

    def watch(self, work: Work, /) -> AbstractContextManager[None]:
        return _living.shown(work)


class _Living:
    """The live lines at the bottom of the terminal, one for each running work. They disappear when the work ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: list[tuple[Work, float]] = []
        self._live: rich.live.Live | None = None

    @contextlib.contextmanager
    def shown(self, work: Work) -> Iterator[None]:
        entry = (work, time.monotonic())
        with self._lock:
            self._works.append(entry)
            if self._live is None:
                self._live = self._begun()
        try:
            yield
        finally:
            with self._lock:
                self._works.remove(entry)
                if not self._works and self._live is not None:
                    self._live.stop()
                    self._live = None

    def _begun(self) -> rich.live.Live:
        live = rich.live.Live(
            console=_stderr,
            get_renderable=self._lines,
            refresh_per_second=_LOOKS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        live.start()
        return live

    def _lines(self) -> rich.console.Group:
        now = time.monotonic()
        lines = [work.line(now - began) for work, began in tuple(self._works)]
        return rich.console.Group(*(rich.text.Text(line, no_wrap=True, overflow="ellipsis") for line in lines))


_living = _Living()


def fail(error: CoalmineError) -> None:
    _stderr.print(f"error: {error.message}", style="bold red", markup=False)
    if isinstance(error, RuntimeCallError | GenesisError):
        for line in error.log[-_LOG_LINES:]:
            say(f"runtime: {line}")
    if error.hint:
        say(f"hint: {error.hint}")


def table(title: str, columns: list[str], rows: list[list[str]], *, verdict_column: int | None = None) -> None:
    """Prints a table for people. `verdict_column` is the index of the column that gives a row its colour."""
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


def conclude(line: str) -> None:
    """Prints a line for people below a table."""
    _stdout.print(line, markup=False, soft_wrap=True)


def verdict(name: str, judged: "RunVerdict", directory: Path, output: Format) -> None:
    """Prints the verdict of a run, its gates, and the path of its report; or its result.json."""
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
