"""What `plan` needs of a fault. Implemented by `held` (for faults that an agent holds) and `kill`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chaos.scene import Action, Scene
from orchestrator.spec.status import LedgerEntry

SHOWN = 3
"""How many of many things a sentence names."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The ledger after the last answers, what to do next, and where that leaves the fault."""

    ledger: tuple[LedgerEntry, ...]
    actions: tuple[Action, ...] = ()
    measured: str | None = None
    """What was measured, once it is as it should be everywhere."""
    refused: str | None = None
    """Why it can never be."""
    trouble: str | None = None
    """What is not yet as it should be."""


class Blocked(Exception):  # noqa: N818  It says what the experiment is.
    """Injection cannot start. `for_good` tells whether waiting could help."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class Method(Protocol):
    """A fault as a pair: held until recovered. Both are asked again at each step and say what is still to do."""

    injection_limit: float
    """Seconds in which injection must be measured everywhere."""

    def prepare(self, scene: Scene, names: tuple[str, ...]) -> tuple[Action, ...]:
        """What to ask before anything is placed; empty when all is known and good.

        Raises:
            Blocked: when it cannot be done, now or ever.
        """
        ...

    def hold(self, scene: Scene) -> Progress:
        """Brings the fault about, and keeps it so when pods are replaced or agents forget."""
        ...

    def recover(self, scene: Scene) -> Progress:
        """Takes it back; harmless where nothing was placed."""
        ...


def counted(count: int, thing: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def listed(things: Sequence[str]) -> str:
    """`a, b, c and 7 more`."""
    shown = ", ".join(things[:SHOWN])
    return shown if len(things) <= SHOWN else f"{shown} and {len(things) - SHOWN} more"
