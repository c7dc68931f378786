"""What a machine can do now, and how long its nodes need to compile a runtime with that. Pure. Used by `limits`."""

from dataclasses import dataclass

COMPILE_SECONDS = 0.95
"""CPU time that a runtime costs for each megabyte of its wasm, at speed 1.

Measured with wasmtime on a machine of two cores: 14.8 to 16.6 s for the 17.0 MB of a parachain's runtime, and 11.4 to
13.0 s for the 12.7 MB of a relay chain's. Four validators prepared the former at once, beside a compiler, in 29 s.
"""

REFERENCE_STEPS = 6.8e6
"""Steps of `probe` in a second of CPU time on that machine. Its speed is 1."""

_FREE = 0.95
"""From this share on, a process is taken to have a CPU for itself. The rest is the kernel's own work."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One measurement. Times are in seconds; of many, the 99th of a hundred is taken."""

    cores: int
    speed: float
    """How fast one core is, compared with the machine on which `COMPILE_SECONDS` was measured."""
    share: float
    """Which part of a CPU a process got that wanted a whole one."""
    late: float
    """How much too late a timer wakes a process."""
    sync: float
    """How long a small file takes until it is on the disk of the runs' folder."""
    load: float
    """How many processes ran or waited, on average over the last minute."""
    pressure: float | None
    """In which share of the last ten seconds some process waited for a CPU. None if the kernel does not say it."""

    def cores_for(self, busy: int) -> float:
        """How many cores so many busy processes get, beside those that are busy now.

        If a process gets less than a CPU, others want as much: with `n` others on `c` cores it gets c / (n + 1).
        """
        others = max(0.0, self.cores / self.share - 1) if self.share < _FREE else 0.0
        return min(float(busy), self.cores * busy / (busy + others))

    def compiling(self, megabytes: float, nodes: int) -> float:
        """How long nodes take that all compile a runtime of this size at the same time."""
        if not nodes:
            return 0.0
        return megabytes * COMPILE_SECONDS / self.speed * nodes / self.cores_for(nodes)
