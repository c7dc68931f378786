"""`coalmine gates`: the gates and sets in the library, what they mean, and what the gates of a file would notice."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format
from orchestrator.cli.record import Run
from orchestrator.errors import UsageError

app = typer.Typer(help="Gates and sets of gates that come with coalmine.", no_args_is_help=True)


@app.command(name="list")
def list_(output: options.Output = Format.TEXT) -> int:
    """List the sets and, concern by concern, the gates."""
    from orchestrator.cli import library_pages as pages

    if output is Format.JSON:
        stdout.data(pages.names())
    else:
        stdout.text(pages.listed())
    return 0


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A set or a gate, as `list` has it.")],
    output: options.Output = Format.TEXT,
) -> int:
    """Show a gate, or all gates of a set: why each is there, where its numbers come from, what it says."""
    from orchestrator.cli import library_pages as pages

    found = pages.page(name)
    if found is None:
        raise UsageError(f"no set or gate {name} in the library", hint="coalmine gates list")
    if output is Format.JSON:
        stdout.data(found)
    else:
        stdout.text(pages.written(name, found))
    return 0


@app.command()
def mutate(
    run: Run,
    gates: Annotated[
        Path | None,
        typer.Option(help="A file whose Rehearsal has other gates for the same stages.", exists=True),
    ] = None,
    output: options.Output = Format.TEXT,
) -> int:
    """Change a recorded run as the world would, and say which changes no gate notices, and which gate would."""
    from orchestrator.cli import console, mutations
    from orchestrator.cli.record import directory
    from orchestrator.gates import judge as judging
    from orchestrator.gates.library import expand
    from orchestrator.gates.mutate import examined
    from orchestrator.journal import Journal
    from orchestrator.metrics.check import check
    from orchestrator.progress import Far, Work, under_way
    from orchestrator.run import kept
    from orchestrator.spec.load import load

    journal = Journal.read(directory(run) / "journal.jsonl")
    other = load([gates], checks=[check], expand=expand).rehearsal() if gates is not None else None
    figures = judging.baselines(other, lambda name: kept.earlier(run, name)) if other is not None else ()
    far = [Far()]

    def tell(done: int, total: int) -> None:
        far[0] = Far(done, total, "changes")

    with under_way(console.stepper(), Work("judging the changed runs", lambda: far[0])):
        trial = examined(journal, other, figures, tell)
    mutations.shown((other or journal.started.rehearsal).name, trial, output)
    return 1 if trial.missed else 0
