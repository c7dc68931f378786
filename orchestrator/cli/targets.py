"""Provides a cluster, and images to run there. Starts a lab if needed. Called by the verbs that bring networks up."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator import __version__, lab
from orchestrator.cli import reaching
from orchestrator.cli.options import Where
from orchestrator.cluster import Cluster
from orchestrator.errors import UsageError
from orchestrator.lab import choose, k3s, programs
from orchestrator.progress import Progress
from orchestrator.render import Images
from orchestrator.render.clients import CLIENTS


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster, and the images that it can run."""

    cluster: Cluster
    images: Images


def client_images(said: Sequence[str], load: Callable[[str, Path], str]) -> dict[str, str]:
    """Client name -> image, from texts `CLIENT=IMAGE` or `CLIENT=PATH`. `load` makes the image of a client's programs.

    Raises:
        UsageError: when a text is neither, or names an unknown client.
    """
    images = {}
    for text in said:
        client, separator, value = text.partition("=")
        if not separator or not value or client not in CLIENTS:
            raise UsageError(f"--client {text}: CLIENT=IMAGE is expected", hint=f"clients are {', '.join(CLIENTS)}")
        path = Path(value)
        images[client] = load(client, path) if path.exists() or value.startswith((".", "/")) else value
    return images


def _pulled(where: Where) -> Images:
    """The images that the user's own cluster pulls from a registry."""
    image = where.image or f"coalmine/coalmine:{__version__}"
    clients = client_images(where.clients, _no_programs)
    return Images(coalmine=image, prometheus=where.prometheus_image, clients=clients)


def _no_programs(client: str, path: Path) -> str:
    raise UsageError(
        f"--client {client}={path}: only a lab makes images of programs", hint="push an image, and name it"
    )


@contextlib.contextmanager
def reached(where: Where, *, owned: bool, progress: Progress) -> Iterator[Target]:
    """The cluster to work on: the user's own, else the running lab, else a new one.

    With `owned`, a new cluster ends with the block or this process, and `lab.choose` decides between K3s in Docker and
    a native lab. Without `owned` it stays, and is always a native lab.

    Raises:
        UsageError: when a client's image cannot be made of what the user said.
        LabError: when the lab does not start.
    """
    cluster = reaching.named(where)
    if cluster is not None:
        progress(f"using context {cluster.context}")
        yield Target(cluster, _pulled(where))
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
