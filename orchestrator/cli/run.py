"""`coalmine run`."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.format import Format


def run(
    files: options.Files,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    image: options.Image = None,
    prometheus_image: options.PrometheusImage = options.DEFAULT_PROMETHEUS,
    client: options.Clients = [],  # noqa: B006  Typer copies it.
    engine: options.EngineName = None,
    runs: Annotated[Path, typer.Option(help="Where runs are kept, a directory each.")] = Path("runs"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave the network up afterwards.")] = False,
    output: options.Output = Format.TEXT,
) -> int:
    """Rehearse: bring the network up, put it through every stage, judge, report, take it down."""
    from orchestrator.cli import console, targets
    from orchestrator.engine import choice
    from orchestrator.gates.library import expand
    from orchestrator.metrics.check import check
    from orchestrator.provision import network
    from orchestrator.run import lifecycle
    from orchestrator.spec.load import load

    loaded = load(files, checks=[check], expand=expand)
    rehearsal = loaded.rehearsal()
    testnet = loaded.testnets[rehearsal.spec.testnet]
    progress = console.stepper()
    directory = runs / lifecycle.new_run(rehearsal)
    with targets.reached(
        options.Where(context, kubeconfig, lab, image, prometheus_image, tuple(client)), owned=True, progress=progress
    ) as target:
        chosen = choice.choose(engine, target.cluster, testnet.name)
        plan = lifecycle.Plan(testnet, rehearsal, target.cluster, chosen, target.images, directory)
        try:
            verdict = lifecycle.rehearse(plan, progress)
        finally:
            if not keep:
                network.down(target.cluster, chosen, testnet.name, progress)
    console.verdict(rehearsal.name, verdict, directory, output)
    return verdict.exit_code
