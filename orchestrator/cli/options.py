"""Options that several verbs share, and what they lead to: a cluster with images to run there."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import __version__, lab
from orchestrator.cli.format import Format
from orchestrator.cluster import Cluster
from orchestrator.engine import choice
from orchestrator.errors import Refused, UsageError
from orchestrator.lab import choose, k3s, programs
from orchestrator.progress import Progress
from orchestrator.render import Images
from orchestrator.render.clients import CLIENTS

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
    choice.Name | None,
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
class Target:
    """A cluster, and the images that its nodes can run."""

    cluster: Cluster
    images: Images


@dataclass(frozen=True, slots=True)
class Where:
    """What the user said about the cluster."""

    context: str | None
    kubeconfig: Path | None
    lab: str
    image: str | None = None
    prometheus_image: str = DEFAULT_PROMETHEUS
    clients: tuple[str, ...] = ()


def foreign(where: Where) -> Target | None:
    """The user's own cluster when they named one; None means a lab.

    Raises:
        Refused: when the context is one that the user's own allow-list does not hold.
    """
    if where.context is None and where.kubeconfig is None:
        return None
    cluster = Cluster.connect(context=where.context, kubeconfig=where.kubeconfig)
    allowed = os.environ.get("COALMINE_CONTEXTS", "").split()
    if allowed and cluster.context not in allowed:
        raise Refused(
            f"context {cluster.context} is not among the allowed ones ({', '.join(allowed)})",
            hint="COALMINE_CONTEXTS lists the contexts that coalmine may change",
        )
    image = where.image or f"coalmine/coalmine:{__version__}"
    clients = client_images(where.clients, _no_programs)
    return Target(cluster, Images(coalmine=image, prometheus=where.prometheus_image, clients=clients))


def client_images(said: Sequence[str], load: Callable[[str, Path], str]) -> dict[str, str]:
    """The image of each client in `CLIENT=IMAGE` or `CLIENT=PATH`; `load` makes one of programs.

    Raises:
        UsageError: when one is neither, or names no client.
    """
    images = {}
    for text in said:
        client, separator, value = text.partition("=")
        if not separator or not value or client not in CLIENTS:
            raise UsageError(f"--client {text}: CLIENT=IMAGE is expected", hint=f"clients are {', '.join(CLIENTS)}")
        path = Path(value)
        images[client] = load(client, path) if path.exists() or value.startswith((".", "/")) else value
    return images


def _no_programs(client: str, path: Path) -> str:
    raise UsageError(
        f"--client {client}={path}: only a lab makes images of programs", hint="push an image, and name it"
    )


@contextlib.contextmanager
def reached(where: Where, *, owned: bool, progress: Progress) -> Iterator[Target]:
    """The cluster to work on: the user's own, else K3s in Docker, else a native lab (`lab.choose`).

    What is started here `owned` ends with the block or this process. A network that is to stay needs a native lab.
    """
    target = foreign(where)
    if target is not None:
        progress(f"using context {target.cluster.context}")
        yield target
        return
    with _local(where.lab, owned=owned, progress=progress) as found:
        coalmine, prometheus = found.images(progress)

        def load(client: str, path: Path) -> str:
            made = programs.made(client, (path,), progress)
            found.load(made, progress)
            return made.reference

        clients = client_images(where.clients, load)
        images = Images(coalmine=coalmine.reference, prometheus=prometheus.reference, clients=clients)
        yield Target(found.cluster(), images)


@contextlib.contextmanager
def _local(name: str, *, owned: bool, progress: Progress) -> Iterator[lab.Lab | k3s.K3s]:
    if not owned:
        yield lab.find(name) or lab.up(name, owner=None, progress=progress)
    elif found := lab.find(name):
        yield found
    elif choose.decide(choose.survey(context=None)) is choose.Kind.K3S:
        with k3s.running(name, progress) as container:
            yield container
    else:
        with lab.running(name, progress=progress) as native:
            yield native


def existing(where: Where) -> Cluster:
    """The cluster to work on, which must be there: a verb that takes down starts nothing.

    Raises:
        UsageError: when neither a context is named nor the lab runs.
    """
    target = foreign(where)
    if target is not None:
        return target.cluster
    found = lab.find(where.lab)
    if found is None:
        raise UsageError(f"lab {where.lab} does not run", hint="name your cluster with --context")
    return found.cluster()
