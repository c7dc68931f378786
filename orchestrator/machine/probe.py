"""Measures the machine that this process runs on, in about three seconds. Called by `check`."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from orchestrator.machine.figures import REFERENCE_STEPS, Figures

_BURN = 1.0
"""Seconds of wanting a CPU. A busy machine gives turns of milliseconds, so that is hundreds of them."""

_NAP = 0.01
_NAPS = 100
_WRITES = 20
_PRESSURE = Path("/proc/pressure/cpu")
_OWN = Path("/proc/thread-self/schedstat")


def measured(folder: Path) -> Figures:
    """What the machine can do now. `folder` is where the runs are kept."""
    speed, share = _burnt(_BURN)
    return Figures(
        cores=len(os.sched_getaffinity(0)),
        speed=round(speed, 3),
        share=round(share, 3),
        late=round(_worst([_late() for _ in range(_NAPS)]), 6),
        sync=round(_worst([_synced(folder) for _ in range(_WRITES)]), 6),
        load=os.getloadavg()[0],
        pressure=_pressure(),
    )


def _burnt(seconds: float) -> tuple[float, float]:
    """Speed and share, from wanting a CPU all the time.

    The kernel counts how long this thread waited for a turn. Where it does not, the CPU time of the elapsed time stands
    for it.
    """
    turns = _turns()
    began, used = time.monotonic(), time.thread_time()
    number, thousands = 1, 0
    while time.monotonic() < began + seconds:
        for _ in range(1000):
            number = (number * 1103515245 + 12345) & 0x7FFFFFFF
        thousands += 1
    elapsed, used = time.monotonic() - began, time.thread_time() - used
    after = _turns()
    share = used / elapsed
    if turns is not None and after is not None:
        running, waiting = after[0] - turns[0], after[1] - turns[1]
        share = running / (running + waiting) if running else share
    return thousands * 1000 / used / REFERENCE_STEPS, min(1.0, share)


def _turns() -> tuple[int, int] | None:
    """How long this thread ran and how long it waited, in nanoseconds."""
    try:
        running, waiting, _ = _OWN.read_text().split()
    except (OSError, ValueError):
        return None
    return int(running), int(waiting)


def _late() -> float:
    due = time.monotonic() + _NAP
    time.sleep(_NAP)
    return max(0.0, time.monotonic() - due)


def _synced(folder: Path) -> float:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(4096))
        file.flush()
        began = time.monotonic()
        os.fsync(file.fileno())
        return time.monotonic() - began


def _worst(times: Sequence[float]) -> float:
    """The 99th of a hundred; of fewer, the last."""
    return sorted(times)[int(0.99 * len(times)) - 1] if len(times) >= 100 else max(times)


def _pressure() -> float | None:
    """The kernel's own word, as a share of the last ten seconds."""
    try:
        some = _PRESSURE.read_text().split("avg10=", 1)[1]
    except (OSError, IndexError):
        return None
    return float(some.split()[0]) / 100
