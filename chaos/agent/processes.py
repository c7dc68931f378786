"""Reads the machine's processes and their cgroups, once for all callers at the same time. Called by `containers`.

A fault on a hundred pods asks a few hundred times per second. Each caller needs a scan that began after its call.
Callers that wait at the same time share one scan, so the cost depends on the scans and not on the calls.
"""

import os
import threading
import time
from pathlib import Path


class ProcessTable:
    """Scans `/proc`."""

    def __init__(self, proc: Path) -> None:
        self._proc = str(proc)
        self._lock = threading.Lock()
        self._began = -1.0
        self._rows: tuple[tuple[int, str], ...] = ()

    def cgroups(self) -> tuple[tuple[int, str], ...]:
        """Process ids and the text of their cgroup files, read after this call began."""
        asked = time.monotonic()
        with self._lock:
            if self._began < asked:
                self._began = time.monotonic()
                self._rows = self._look()
            return self._rows

    def _look(self) -> tuple[tuple[int, str], ...]:
        names = os.listdir(self._proc)  # noqa: PTH208  A third of the time that a Path for each process takes.
        rows = ((int(name), read(f"{self._proc}/{name}/cgroup")) for name in names if name.isdigit())
        return tuple((pid, text) for pid, text in rows if text is not None)

    def state(self, pid: int) -> str | None:
        """The one-letter state of a process. None if it is gone."""
        stat = read(f"{self._proc}/{pid}/stat")
        return None if stat is None else stat.rpartition(")")[2].split()[0]


def read(path: str) -> str | None:
    """The text of a small file in `/proc`. None if its process has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        return os.read(descriptor, 65536).decode(errors="replace")
    except ProcessLookupError:
        return None
    finally:
        os.close(descriptor)
