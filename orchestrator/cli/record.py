"""`coalmine judge | report`: work on the journal of a run, without a cluster."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format
from orchestrator.errors import UsageError

Run = Annotated[Path, typer.Argument(help="A run's directory, such as runs/quickstart-20261123-101500-1a2b.")]


def judge(
    run: Run,
    gates: Annotated[
        Path | None,
        typer.Option(
            help="A file whose Rehearsal has other gates for the same stages, as far as the recorded samples reach.",
            exists=True,
        ),
    ] = None,
    output: options.Output = Format.TEXT,
) -> int:
    """Give the verdict again from the journal, also with other gates, and show what differs from the first."""
    from orchestrator.cli import console
    from orchestrator.gates import judge as judging
    from orchestrator.gates.library import expand
    from orchestrator.journal import Journal
    from orchestrator.metrics.check import check
    from orchestrator.report import render as rendered
    from orchestrator.run import kept
    from orchestrator.spec.load import load

    journal = Journal.read(directory(run) / "journal.jsonl")
    first = judging.first(journal)
    if gates is None:
        verdict = judging.judge(journal)
    else:
        other = load([gates], checks=[check], expand=expand).rehearsal()
        figures = judging.baselines(other, lambda name: kept.earlier(run, name))
        verdict = judging.judge(journal, other, figures)
    changes = judging.compare(first, verdict)
    for change in changes:
        old, new = (side.verdict if side else "absent" for side in (change.before, change.after))
        console.say(
            f"{change.stage} / {change.gate}: {old} -> {new}{f': {change.after.reason}' if change.after else ''}"
        )
    if not changes:
        console.say("every gate says what it said first")
    for gate in verdict.left_out:
        console.say(f"{gate.stage} / {gate.gate}: a gate of the run that {gates} leaves out; it counts: {gate.verdict}")
    if output is Format.JSON:
        stdout.text(rendered(journal, verdict, "json"))
    else:
        console.verdict(journal.started.rehearsal.name, verdict, run, output)
    return verdict.exit_code


def report(
    run: Run,
    prometheus_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Your Prometheus; charts link to their query there, at the run's time."),
    ] = None,
    grafana_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Your Grafana; charts link to their query there, in its default data source."),
    ] = None,
) -> int:
    """Write the reports of a run again from its journal."""
    from orchestrator.report import Links
    from orchestrator.run import kept

    kept.conclude(directory(run), Links(prometheus_url, grafana_url))
    stdout.text(str(run / "report.html"))
    return 0


def directory(run: Path) -> Path:
    if not (run / "journal.jsonl").is_file():
        raise UsageError(f"{run} is not a run: it has no journal.jsonl", hint="runs are kept below runs/, newest last")
    return run
