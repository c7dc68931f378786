"""What is known about the chains at a time: heights, sessions, and how far the chain's clock is from ours. Pure.

`run.clock` notes the chains about once a second. A note counts for `LASTS` seconds, for nobody knows what happened in a
longer silence: a window of twenty blocks does not last ten seconds because the note before it was an old one.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from orchestrator.gates.evidence import Evidence, Known, Unknown
from orchestrator.journal import Clock
from orchestrator.spec import Span
from orchestrator.spec.testnet import RELAY

LASTS = 5.0
"""Seconds for which a note of the chains counts. On a loaded machine a note takes two or three."""

NOT_YET = math.inf
"""The time of what has not happened as far as the chains were noted."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the relay chain should be: seconds a slot, and slots a session."""

    slot: float
    session_slots: int

    def seconds(self, span: Span) -> float:
        """How long a span takes on a healthy chain."""
        unit = {"seconds": 1.0, "blocks": self.slot, "sessions": self.slot * self.session_slots}[span.unit]
        return span.amount * unit

    def at_most(self, span: Span) -> float:
        """How long a span may take before it measures no time any more: twice as long, and three slots.

        A chain with a third of its authors away loses a third of its blocks and no session. A chain that halts
        stretches every length in blocks and sessions, and then a growth that took ten minutes fits into "2 sessions".
        """
        return span.amount if span.unit == "seconds" else 2 * self.seconds(span) + 3 * self.slot


@dataclass(frozen=True, slots=True)
class Timeline:
    """The notes about the chains, in the order of time. All times are in Unix seconds."""

    clocks: Sequence[Clock]

    @classmethod
    def of(cls, clocks: Iterable[Clock]) -> "Timeline":
        return cls(tuple(sorted(clocks, key=_at)))

    def at(self, when: float) -> Evidence[Clock]:
        """The last note up to that time, if it is young enough."""
        index = self._after(when)
        if not index:
            return Unknown("nobody had noted the chains' heights")
        clock = self.clocks[index - 1]
        if when - clock.at > LASTS:
            return Unknown(f"nobody had noted the chains' heights for {when - clock.at:.0f} s")
        return Known(clock, clock.at, clock.at + LASTS)

    def block(self, when: float | None) -> int | None:
        """The relay chain's best block at that time, for a reader; None if it is not known."""
        clock = self.at(when) if when is not None else None
        return clock.value.best if isinstance(clock, Known) else None

    def finalized(self, when: float, chain: str) -> Evidence[int]:
        """The finalised height of a chain at that time."""
        clock = self.at(when)
        if isinstance(clock, Unknown):
            return clock
        height = clock.value.finalized if chain == RELAY else clock.value.parachains.get(chain)
        if height is None:
            return Unknown(f"nobody had noted how far {chain} was final")
        return Known(height, clock.valid_from, clock.valid_to)

    def became_final(self, start: float, end: float, chain: str) -> Evidence[tuple[int, int]]:
        """The finalised heights of a chain at two times: what became final after the first, up to the second."""
        first, last = self.finalized(start, chain), self.finalized(end, chain)
        if isinstance(first, Unknown) or isinstance(last, Unknown):
            missing = first if isinstance(first, Unknown) else last
            assert isinstance(missing, Unknown)
            return Unknown(f"{chain}: {missing.reason} at the window's edges")
        return Known((first.value, last.value), start, end)

    def between(self, start: float, end: float) -> Sequence[Clock]:
        """The notes after `start` and up to `end`."""
        return self.clocks[self._after(start) : self._after(end)]

    def silence(self, start: float, end: float) -> float:
        """The longest time, in seconds, between two notes from `start` to `end`, or between a note and an edge."""
        first = max(0, self._after(start) - 1)
        times = [clock.at for clock in islice(self.clocks, first, self._after(end))]
        if not times:
            return math.inf
        if times[0] > start:
            times.insert(0, start)
        return max(later - earlier for earlier, later in pairwise([*times, end]))

    def chain_ahead(self, start: float, end: float) -> Evidence[float | None]:
        """Seconds that the chain's clock is ahead of ours, by the timestamps of new blocks. None if there were none.

        A block is seen later than its timestamp. So the chain's clock is at least as far ahead as the freshest block
        shows. A chain that stands still shows nothing.
        """
        fresh = [clock for before, clock in pairwise(self.between(start, end)) if clock.best > before.best]
        ahead = [clock.stamp - clock.at for clock in fresh if clock.stamp is not None]
        if fresh and not ahead:
            return Unknown("nobody noted the timestamps of the chain's blocks")
        return Known(max(ahead, default=None), start, end)

    def session(self, start: float, later: int) -> Evidence[float]:
        """When the session began that is `later` sessions after the one at `start`; `NOT_YET` if it has not."""
        then = self.at(start)
        if isinstance(then, Unknown):
            return then
        wanted = then.value.session + later
        return self._first(start, lambda clock: clock.session >= wanted)

    def after(self, start: float, span: Span) -> Evidence[float]:
        """The time at which `span` has passed since `start`; `NOT_YET` if it has not."""
        if span.unit == "seconds":
            return Known(start + span.amount, start, start + span.amount)
        then = self.at(start)
        if isinstance(then, Unknown):
            return then
        if span.unit == "blocks":
            height = then.value.best + span.amount
            return self._first(start, lambda clock: clock.best >= height)
        session = then.value.session
        if self.clocks[0].session >= session:  # Its beginning was not seen, so wait a session more.
            return self._first(start, lambda clock: clock.session >= session + span.amount + 1)
        began = self._first(-math.inf, lambda clock: clock.session >= session)
        reached = self._first(start, lambda clock: clock.session >= session + span.amount)
        if isinstance(began, Unknown) or isinstance(reached, Unknown):
            return began if isinstance(began, Unknown) else reached
        return Known(reached.value + (start - began.value), reached.valid_from, reached.valid_to)

    def _first(self, start: float, holds: Callable[[Clock], bool]) -> Evidence[float]:
        """The first note after `start` for which it holds. Unknown if it came to hold in a silence."""
        index = self._after(start)
        before = start if math.isfinite(start) else (self.clocks[0].at if self.clocks else start)
        for clock in islice(self.clocks, index, None):
            if holds(clock):
                if clock.at - before > LASTS:
                    return Unknown(f"nobody noted the chains' heights for {clock.at - before:.0f} s")
                return Known(clock.at, before, clock.at)
            before = clock.at
        return Known(NOT_YET, before, NOT_YET)

    def _after(self, when: float) -> int:
        return bisect_right(self.clocks, when, key=_at)


def _at(clock: Clock) -> float:
    return clock.at
