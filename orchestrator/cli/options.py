"""Options that several verbs share. `reaching` and `targets` turn them into a cluster and images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.format import Format
from orchestrator.engine.names import Name as Engine

Files = Annotated[
    list[Path], typer.Argument(help="YAML files with Testnets and Rehearsals.", exists=True, dir_okay=False)
]
Output = Annotated[Format, typer.Option("-o", "--output", help="How to print.")]
Context = Annotated[
    str | None,
    typer.Option(help="A cluster of your kubeconfig. Without it, coalmine uses a local lab of its own."),
]
Kubeconfig = Annotated[Path | None, typer.Option(help="A kubeconfig file.", exists=True, dir_okay=False)]
LabName = Annotated[str, typer.Option("--lab", help="Which local lab, where no --context is given.")]
Image = Annotated[str | None, typer.Option(help="The coalmine image; in a lab it is built from this installation.")]
PrometheusImage = Annotated[str, typer.Option(help="The Prometheus image, outside of a lab.")]
EngineName = Annotated[
    Engine | None,
    typer.Option("--engine", help="By default the one that brought the network up; else Pulumi where it is installed."),
]
Clients = Annotated[
    list[str],
    typer.Option("--client", help="CLIENT=IMAGE, or in a lab CLIENT=PATH of its programs, such as polkadot=./bin."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

DEFAULT_LAB = "coalmine"
DEFAULT_PROMETHEUS = "prom/prometheus:v2.55.1"


@dataclass(frozen=True, slots=True)
class Where:
    """The user's options about the cluster and its images."""

    context: str | None
    kubeconfig: Path | None
    lab: str
    image: str | None = None
    prometheus_image: str = DEFAULT_PROMETHEUS
    clients: tuple[str, ...] = ()
