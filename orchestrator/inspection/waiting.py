"""Waits for conditions of a network. The readiness ladder waits for one at a time, `coalmine wait` for several.

Conditions are checked twice a second, because nodes' RPC offers no watch through the API server's proxy.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.errors import ReadinessError
from orchestrator.progress import Far, Progress, Work, silent, watched

Missing = Mapping[str, str]
"""Why a condition does not hold yet, by node or parachain. Empty if it holds."""

POLL = 0.5
"""Seconds between two checks."""

WORDS = "ready, best=N, finalized=N, session=N, parachain-included=ID[,ID…]"
"""What `coalmine wait` can wait for; `conditions` reads it, and the command line says it without its libraries."""

CHANGED, UNCHANGED = 5.0, 30.0
"""Seconds between two progress lines about a condition, if something has changed and if nothing has."""


class Condition(Protocol):
    """Something to wait for; `asked` are the names of the nodes that it asks, none where it asks for something else."""

    @property
    def name(self) -> str: ...

    @property
    def asked(self) -> frozenset[str]: ...

    def missing(self) -> Missing: ...


class Clock(Protocol):
    """The part of the module `time` that waiting needs; tests give another."""

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
    """Waits until every condition has held once. Returns how many seconds it took.

    Raises:
        ReadinessError: `timeout` seconds are over. Names what is missing; `hint` may add the cause.
    """
    started = clock.monotonic()
    with ExitStack() as stack:
        open_ = [_Open.begun(condition, started, progress, stack) for condition in conditions]
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
    """A condition that has not held yet, what was missing last, and when its last progress line was written."""

    condition: Condition
    shown: float
    close: Callable[[], None]
    said: str = ""
    missing: Missing = field(default_factory=dict)
    lines: Progress = silent

    @classmethod
    def begun(cls, condition: Condition, at: float, progress: Progress, stack: ExitStack) -> "_Open":
        """The condition at the begin of a wait, shown to who watches until it holds, or the stack ends."""
        own = stack.enter_context(ExitStack())
        one = cls(condition, at, own.close)
        one.lines = own.enter_context(watched(progress, Work(condition.name, one.far)))
        return one

    def far(self) -> Far:
        """How many of the nodes that are asked meet it, and what is missing, as far as somebody has looked."""
        asked, missing = self.condition.asked, self.missing
        if not missing:
            return Far()
        remark = f"waiting for {summary(missing)}"
        return Far(len(asked - missing.keys()), len(asked), "nodes", remark) if asked else Far(remark=remark)

    def holds(self, started: float, clock: Clock, progress: Progress) -> bool:
        self.missing = self.condition.missing()
        now = clock.monotonic()
        if not self.missing:
            self.close()
            progress(f"{self.condition.name} ({now - started:.1f} s)")
            return True
        far = self.far()
        text = f"{far}, {far.remark}" if str(far) else far.remark
        if now - self.shown >= (UNCHANGED if text == self.said else CHANGED):
            self.shown, self.said = now, text
            self.lines(f"{self.condition.name}: {text}")
        return False


def summary(missing: Missing) -> str:
    """The first three of what is missing, and how many more there are."""
    shown = [f"{name} ({why})" for name, why in list(missing.items())[:3]]
    more = len(missing) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
