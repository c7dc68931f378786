"""What an engine does with a Pulumi program, whichever it is. Implemented by `embedded`; called by `network`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from orchestrator.render import Manifest

Progress = Callable[[str], None]
Action = Literal["create", "update", "delete", "same"]


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

    def preview(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Change, ...]:
        """What `up` would do, per object; changes nothing."""
        ...

    def up(self, stack: Stack, manifests: Sequence[Manifest], progress: Progress) -> tuple[Change, ...]:
        """Creates, updates and deletes until the cluster holds what is declared; goes on where it was cut off."""
        ...

    def down(self, stack: Stack, progress: Progress) -> tuple[Change, ...]:
        """Deletes everything that the stack made, newest first."""
        ...
