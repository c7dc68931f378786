"""The protocol of a fault for `plan`. Implemented by `held`, for faults that an agent holds, and by `kill`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chaos.scene import Action, Scene
from orchestrator.spec.status import LedgerEntry

SHOWN = 3
"""How many things of a list a sentence names."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The ledger after the last answers, the next actions, and how far the fault is."""

    ledger: tuple[LedgerEntry, ...]
    actions: tuple[Action, ...] = ()
    measured: str | None = None
    """What was measured, once the measurement is right everywhere."""
    refused: str | None = None
    """Why it can never be right."""
    trouble: str | None = None
    """What is not right yet."""


class Blocked(Exception):  # noqa: N818  It says what the experiment is.
    """Injection cannot start. If `for_good`, waiting cannot help."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class Method(Protocol):
    """How a fault is held and how it is undone. Both are called at each step and return what is still to do."""

    injection_limit: float
    """Seconds within which injection must be measured everywhere."""

    def prepare(self, scene: Scene, names: tuple[str, ...]) -> tuple[Action, ...]:
        """The questions to ask before anything is placed. Empty if everything is known and the fault is possible.

        Raises:
            Blocked: the fault is impossible, now or for good.
        """
        ...

    def hold(self, scene: Scene) -> Progress:
        """Places the fault, and places it again when pods are replaced or agents lose it."""
        ...

    def recover(self, scene: Scene) -> Progress:
        """Undoes the fault. Does no harm where nothing was placed."""
        ...


def counted(count: int, thing: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def listed(things: Sequence[str]) -> str:
    """`a, b, c and 7 more`."""
    shown = ", ".join(things[:SHOWN])
    return shown if len(things) <= SHOWN else f"{shown} and {len(things) - SHOWN} more"
