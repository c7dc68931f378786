"""The protocol of an engine: what it does with a Pulumi program. Implemented by `embedded` and `automation`.

Called by `network`, which holds the network's lock and has checked that no object belongs to somebody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from orchestrator.engine.lock import HeldLock
from orchestrator.progress import Progress
from orchestrator.render import Manifest

Action = Literal["create", "update", "replace", "delete", "same"]

KEEPS_DATA = frozenset({"StatefulSet", "PersistentVolumeClaim", "Namespace"})
"""Kinds whose deletion deletes data. They are never replaced: a changed field must not cost data."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen, or has happened, to one object. `paths` are the fields that differ."""

    key: str
    action: Action
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """One deployment of one program."""

    program: str
    name: str
    namespace: str


class Engine(Protocol):
    """Makes a cluster hold what a program declares."""

    @property
    def name(self) -> str:
        """The value of `--engine` that chooses it."""
        ...

    def preview(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Change, ...]:
        """What `up` would do to each object, including the repair of drift. Changes nothing."""
        ...

    def up(self, stack: Stack, manifests: Sequence[Manifest], lock: HeldLock, progress: Progress) -> tuple[Change, ...]:
        """Creates, updates and deletes until the cluster holds what is declared. Continues an interrupted `up`.

        Raises:
            ProvisionError: the API server refuses an object, or the lock is lost.
        """
        ...

    def down(self, stack: Stack, lock: HeldLock, progress: Progress) -> tuple[Change, ...]:
        """Deletes everything that the stack created, newest first. Raises as `up` does."""
        ...
