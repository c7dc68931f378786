"""What long work tells of itself: a sentence when something is done, and meanwhile how far it is. Used by all layers.

A `Progress` is any function that takes a sentence. Whoever does what may take longer than ten seconds does it inside
`under_way`, which sees to it that no listener is left without a word for longer than thirty. A listener that can show
more than sentences, as a terminal can, is a `Watcher`, and is given the work itself.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

Progress = Callable[[str], None]

LOOK = 2.0
"""Seconds between two looks at how far work is."""

SOON, LATEST = 10.0, 26.0
"""Seconds between two lines about the same work: when it has advanced, and when it has not."""


@dataclass(frozen=True, slots=True)
class Count:
    """How far work is; `total` is None where nobody knows it. A remark says more, such as who is waited for."""

    done: int
    total: int | None
    unit: Literal["bytes", "packages", "nodes"]
    remark: str = ""

    def __str__(self) -> str:
        written = _megabytes if self.unit == "bytes" else str
        unit = "MB" if self.unit == "bytes" else self.unit
        of = "" if self.total is None else f" of {written(self.total)}"
        return f"{written(self.done)}{of} {unit}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}" if size < 10_000_000 else f"{size / 1e6:.0f}"


def _uncountable() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Work:
    """Work that is under way. How far it is, is asked of it, never told: who shows it decides when to look.

    `count` is called by other threads, and answers None where there is nothing to count, or not yet.
    """

    what: str
    count: Callable[[], Count | None] = _uncountable

    def line(self, seconds: float) -> str:
        """One line about it, after so many seconds."""
        count = self.count()
        far = "" if count is None else f"{count}, "
        remark = f"; {count.remark}" if count is not None and count.remark else ""
        return f"{self.what}: {far}{seconds:.0f} s so far{remark}"


@runtime_checkable
class Watcher(Protocol):
    """A listener that shows by itself what is under way."""

    def __call__(self, line: str, /) -> None: ...

    def watch(self, work: Work, /) -> AbstractContextManager[object]:
        """Shows the work for the length of the block."""
        ...


def under_way(progress: Progress, work: Work) -> AbstractContextManager[object]:
    """Tells of the work for the length of the block: to a watcher the work itself, to others a line now and then."""
    return progress.watch(work) if isinstance(progress, Watcher) else _in_lines(progress, work)


def due(waited: float, said: Count | None, count: Count | None) -> bool:
    """Whether another line is due, so many seconds after the one that said so much."""
    return waited >= (LATEST if count == said else SOON)


def tell(progress: Progress, work: Work, ended: Callable[[float], bool], now: Callable[[], float]) -> None:
    """Says a line whenever one is due, until the work has ended; `ended` waits for that for so many seconds."""
    started = shown = now()
    said = work.count()
    while not ended(LOOK):
        at, count = now(), work.count()
        if due(at - shown, said, count):
            shown, said = at, count
            progress(work.line(at - started))


@contextlib.contextmanager
def _in_lines(progress: Progress, work: Work) -> Iterator[None]:
    ended = threading.Event()
    teller = threading.Thread(target=tell, args=(progress, work, ended.wait, time.monotonic), daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def silent(line: str, /) -> None:
    """A listener that does not listen."""


def written(place: Path, total: int | None = None) -> Callable[[], Count | None]:
    """Counts the bytes of a file or of a folder's files, once there are some."""

    def count() -> Count | None:
        size = _size(place)
        return Count(size, total, "bytes") if size else None

    return count


def _size(place: Path) -> int:
    """Of what is there at this moment: others write, rename and remove meanwhile."""
    try:
        if not place.is_dir():
            return place.stat().st_size
        with os.scandir(place) as entries:
            return sum(
                _size(Path(entry.path)) if entry.is_dir(follow_symlinks=False) else _length(entry) for entry in entries
            )
    except OSError:
        return 0


def _length(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
