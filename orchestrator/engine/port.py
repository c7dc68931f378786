"""What an engine does with a Pulumi program, whichever it is. Implemented by `embedded` and `automation`.

Called by `network`, which holds the network's lock and has made sure that no object belongs to somebody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from orchestrator.engine.lock import Held
from orchestrator.progress import Progress
from orchestrator.render import Manifest

Action = Literal["create", "update", "replace", "delete", "same"]

KEEPS_DATA = frozenset({"StatefulSet", "PersistentVolumeClaim", "Namespace"})
"""Kinds that take data with them when they go: never replaced, for no change of a field is meant to do that."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen, or has happened, to one object; `paths` are the fields that differ."""

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
    """Brings a cluster to what a program declares."""

    @property
    def name(self) -> str:
        """As it is chosen by `--engine`."""
        ...

    def preview(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Change, ...]:
        """What `up` would do, per object, drift included; changes nothing."""
        ...

    def up(self, stack: Stack, manifests: Sequence[Manifest], lock: Held, progress: Progress) -> tuple[Change, ...]:
        """Creates, updates and deletes until the cluster holds what is declared; goes on where it was cut off.

        Raises:
            ProvisionError: when the API server refuses an object, or the lock is lost.
        """
        ...

    def down(self, stack: Stack, lock: Held, progress: Progress) -> tuple[Change, ...]:
        """Deletes everything that the stack made, newest first; raises as `up` does."""
        ...
