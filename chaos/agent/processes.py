"""The machine's processes and their cgroups, read once for all who ask at the same time. Called by `containers`.

A fault on a hundred pods asks a few hundred times within a second, each for a look that is not older than its question.
Whoever waits for a look that began after he asked shares it, so the cost is that of the looks and not of the questions.
"""

import os
import threading
import time
from pathlib import Path


class ProcessTable:
    """Looks at `/proc`."""

    def __init__(self, proc: Path) -> None:
        self._proc = str(proc)
        self._lock = threading.Lock()
        self._began = -1.0
        self._rows: tuple[tuple[int, str], ...] = ()

    def cgroups(self) -> tuple[tuple[int, str], ...]:
        """Process ids and the text of their cgroup files, no older than this call."""
        asked = time.monotonic()
        with self._lock:
            if self._began < asked:
                self._began = time.monotonic()
                self._rows = self._look()
            return self._rows

    def _look(self) -> tuple[tuple[int, str], ...]:
        names = os.listdir(self._proc)  # noqa: PTH208  A third of the time that a Path for each process takes.
        rows = ((int(name), _read(f"{self._proc}/{name}/cgroup")) for name in names if name.isdigit())
        return tuple((pid, text) for pid, text in rows if text is not None)

    def state(self, pid: int) -> str | None:
        """The one-letter state of a process, None when it is gone."""
        stat = _read(f"{self._proc}/{pid}/stat")
        return None if stat is None else stat.rpartition(")")[2].split()[0]


def _read(path: str) -> str | None:
    """A small file of the kernel's; None when its process has ended."""
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
