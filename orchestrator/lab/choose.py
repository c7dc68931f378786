"""Which Kubernetes to rehearse on, where the user named none: decided from what this machine offers.

`decide` is the policy, pure; `survey` looks. A Docker engine that can have K3s is preferred, for it needs no root and
little time; the native lab is for all other Linux machines. Called by `cli` and by tests.
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
    """What there is: a context that the user named, a Docker engine, K3s's image for it, Linux, and root on it."""

    context: bool
    engine: bool
    image: bool
    linux: bool
    root: bool


def decide(offer: Offer) -> Kind:
    """The first that can be had of: the named context, K3s in Docker, the native lab.

    Raises:
        LabError: when there is none, with what is nearest to hand.
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
    """Looks what this machine offers; asks no engine or registry when a context is named."""
    engine = docker_engine.answering() if context is None and _has_docker() else None
    return Offer(
        context=context is not None,
        engine=engine is not None,
        image=engine is not None and k3s.obtainable(engine),
        linux=sys.platform == "linux",
        root=os.geteuid() == 0,
    )


def _has_docker() -> bool:
    """Whether it is worth asking: most machines without a client have no engine either."""
    return "DOCKER_HOST" in os.environ or shutil.which("docker") is not None
