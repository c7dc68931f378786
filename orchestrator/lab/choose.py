"""Chooses the Kubernetes to rehearse on from what this machine offers, when the user named none.

`decide` is the policy and is pure; `survey` looks at the machine. A Docker engine that can run K3s is preferred, as it
needs no root and little time. The native lab is for all other Linux machines. Called by `cli` and by tests.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.errors import LabError
from orchestrator.lab import docker_engine, k3s


class Kind(StrEnum):
    """Where the cluster comes from."""

    CONTEXT = "context"
    K3S = "k3s"
    NATIVE = "native"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Whether there is a context that the user named, a Docker engine, K3s's image for it, Linux, and root on it."""

    context: bool
    engine: bool
    image: bool
    linux: bool
    root: bool


def decide(offer: Offer) -> Kind:
    """The first one available of: the named context, K3s in Docker, the native lab.

    Raises:
        LabError: when none is available, with the easiest remedy as its hint.
    """
    if offer.context:
        return Kind.CONTEXT
    if offer.engine and offer.image:
        return Kind.K3S
    if offer.linux and offer.root:
        return Kind.NATIVE
    lacking = f"the Docker engine has no {k3s.IMAGE} and cannot pull it" if offer.engine else "no Docker engine answers"
    if offer.linux:
        raise LabError(f"{lacking}, and a native lab needs root", hint="run as root, or name a cluster with --context")
    raise LabError(f"{lacking}, and a native lab needs Linux", hint="start Docker, or name a cluster with --context")


def survey(*, context: str | None) -> Offer:
    """Looks at what this machine offers. Asks no engine and no registry when a context is named."""
    engine = docker_engine.answering() if context is None and _has_docker() else None
    return Offer(
        context=context is not None,
        engine=engine is not None,
        image=engine is not None and k3s.obtainable(engine),
        linux=sys.platform == "linux",
        root=os.geteuid() == 0,
    )


def _has_docker() -> bool:
    """Whether an engine is likely. Most machines without the client have no engine either."""
    return "DOCKER_HOST" in os.environ or shutil.which("docker") is not None
