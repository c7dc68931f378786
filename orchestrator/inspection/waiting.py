"""Waits for conditions of a network. Called by the readiness ladder, rung by rung, and by `coalmine wait`, for several.

Nodes' RPC offers no watch through the API server's proxy, so a condition is looked at twice a second.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.errors import ReadinessError

Progress = Callable[[str], None]
Missing = Mapping[str, str]
"""By node or parachain, why it does not meet a condition yet; empty when the condition holds."""

POLL = 0.5
"""Seconds between two looks."""

WORDS = "ready, best=N, finalized=N, session=N, parachain-included=ID[,ID…]"
"""What `coalmine wait` can wait for; `conditions` reads it, and the command line says it without its libraries."""

CHANGED, UNCHANGED = 5.0, 30.0
"""Seconds between two lines about a condition: when something has changed, and when nothing has."""


class Condition(Protocol):
    """Something to wait for."""

    @property
    def name(self) -> str: ...

    def missing(self) -> Missing: ...


class Clock(Protocol):
    """Time, as `time` has it."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


def _no_hint(_: Missing) -> str | None:
    return None


def wait(
    conditions: Iterable[Condition],
    timeout: float,
    progress: Progress,
    clock: Clock = time,
    *,
    hint: Callable[[Missing], str | None] = _no_hint,
) -> float:
    """Waits until every condition has held once; returns the seconds that it took.

    Raises:
        ReadinessError: when `timeout` seconds are over, naming what is missing; `hint` may find out why.
    """
    started = clock.monotonic()
    open_ = [_Open(condition, shown=started) for condition in conditions]
    while True:
        open_ = [one for one in open_ if not one.holds(started, clock, progress)]
        elapsed = clock.monotonic() - started
        if not open_:
            return elapsed
        if elapsed >= timeout:
            late = open_[0]
            message = f"{late.condition.name}: not within {timeout:g} s: {summary(late.missing)}"
            raise ReadinessError(message, hint=hint(late.missing))
        clock.sleep(min(POLL, timeout - elapsed))


@dataclass(slots=True)
class _Open:
    """A condition that has not held yet, what was missing last, and when something was last said of it."""

    condition: Condition
    shown: float
    said: str = ""
    missing: Missing = field(default_factory=dict)

    def holds(self, started: float, clock: Clock, progress: Progress) -> bool:
        self.missing = self.condition.missing()
        now = clock.monotonic()
        if not self.missing:
            progress(f"{self.condition.name} ({now - started:.1f} s)")
            return True
        text = summary(self.missing)
        if now - self.shown >= (UNCHANGED if text == self.said else CHANGED):
            self.shown, self.said = now, text
            progress(f"{self.condition.name}: waiting for {text}")
        return False


def summary(missing: Missing) -> str:
    """The first three of what is missing, and how many more there are."""
    shown = [f"{name} ({why})" for name, why in list(missing.items())[:3]]
    more = len(missing) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
