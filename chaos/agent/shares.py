"""Computes which share of what a pod wanted it did not get, from two readings of the kernel's counters. Pure.

Every counter is a part of a whole, and both only grow: the time without progress of all time, the stolen time of the
CPUs' time. The share of a stretch of time is the growth of the part over the growth of the whole. What cannot be read
is absent and never zero. Called by `sampler`; `counters` reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Scarce = Literal["cpu_wait", "cpu_delay", "memory_stall", "io_stall", "cpu_throttled", "cpu_steal"]
"""What a node may not get: a CPU, memory, its disk, more than its CPU limit, what the hypervisor gave to others."""

NANOSECONDS = 1e9
_SLACK = 0.1
"""Seconds. The threads of a reading are read one after the other, so a thread's own time may be a little longer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole, both in the same unit."""

    part: float
    whole: float

    @property
    def ratio(self) -> float:
        """From 0 to 1. Who wanted nothing went without nothing."""
        return self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True, slots=True)
class Thread:
    """How long a thread was on a CPU and how long it waited for one, in nanoseconds since it began."""

    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters of one pod at one moment, in seconds of a clock that never goes back.

    `threads` has the threads of all its processes by their ids. It is None where the kernel does not count.
    """

    at: float
    threads: Mapping[int, Thread] | None
    totals: Mapping[Scarce, Part]


def growth(before: Reading, after: Reading) -> dict[Scarce, Part]:
    """What came between two readings of the same pod. What one of them lacks is absent."""
    found = {name: _grown(before.totals[name], now) for name, now in after.totals.items() if name in before.totals}
    if before.threads is not None and after.threads is not None:
        seconds = after.at - before.at
        waited = _waited(before.threads, after.threads, seconds)
        found["cpu_wait"] = waited
        found["cpu_delay"] = Part(min(waited.part / NANOSECONDS, seconds), seconds)
    return {name: part for name, part in found.items() if part is not None}


def shares(growths: Iterable[Mapping[Scarce, Part]]) -> dict[Scarce, float]:
    """The ratios over all of these stretches of time together. What no stretch knows is absent."""
    sums: dict[Scarce, Part] = {}
    for each in growths:
        for name, part in each.items():
            so_far = sums.get(name, Part(0.0, 0.0))
            sums[name] = Part(so_far.part + part.part, so_far.whole + part.whole)
    return {name: part.ratio for name, part in sums.items()}


def _grown(before: Part, after: Part) -> Part | None:
    """The growth of a counter. None if it fell: it is another one, of a new control group.

    The two files of a part and its whole are not read at the same moment, so the part is at most the whole.
    """
    part, whole = after.part - before.part, after.whole - before.whole
    return None if part < 0 or whole < 0 else Part(min(part, whole), whole)


def _waited(before: Mapping[int, Thread], after: Mapping[int, Thread], seconds: float) -> Part:
    """The time that threads waited, of the time that they waited or ran.

    A thread that ended takes the rest of its time with it. A new one brings all its time, which must fit into the time
    since the last reading: one with more is older, came from another pod or was overlooked, and counts from now on.
    """
    waiting = running = 0
    longest = (seconds + _SLACK) * NANOSECONDS
    for number, now in after.items():
        then = before.get(number)
        if (
            then is None or now.running < then.running or now.waiting < then.waiting
        ):  # New, or its number is used again.
            if now.running + now.waiting <= longest:
                waiting, running = waiting + now.waiting, running + now.running
        else:
            waiting, running = waiting + now.waiting - then.waiting, running + now.running - then.running
    return Part(waiting, waiting + running)
