"""`coalmine sweep`."""

from dataclasses import asdict
from typing import Annotated

import typer

from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format


def sweep(
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go, and what stays and why.")] = False,
    output: options.Output = Format.TEXT,
) -> int:
    """Delete networks whose time to live is over and what interrupted work left behind; nothing that is in use."""
    from orchestrator.cli import console, reaching
    from orchestrator.engine import lock
    from orchestrator.provision import sweep as sweeping

    cluster = reaching.existing(options.Where(context, kubeconfig, lab))
    now = lock.now()
    findings = sweeping.judge(sweeping.survey(cluster, now), now)
    swept = () if dry_run else sweeping.sweep(cluster, findings, console.stepper())
    failures = {(item.finding.kind, item.finding.name): item.failure for item in swept if item.failure}
    rows = [{**asdict(finding), "failure": failures.get((finding.kind, finding.name), "")} for finding in findings]
    if output is Format.JSON:
        stdout.data(rows)
    else:
        columns = ["action", "kind", "name", "owner", "why", "failure"]
        console.table("Would be swept" if dry_run else "Swept", columns, [[row[c] for c in columns] for row in rows])
    return 4 if failures else 0
