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
from typing import IO, Literal, Protocol, runtime_checkable

Progress = Callable[[str], None]

LOOK = 2.0
"""Seconds between two looks at how far work is."""

SOON, LATEST = 10.0, 26.0
"""Seconds between two lines about the same work: when it has advanced, and when it has not."""


@dataclass(frozen=True, slots=True)
class Far:
    """How far work is: what is done of the total, where that can be counted, and a remark, such as who is awaited."""

    done: int | None = None
    total: int | None = None
    unit: Literal["bytes", "packages", "nodes", "changes"] = "bytes"
    remark: str = ""

    def __str__(self) -> str:
        if self.done is None:
            return ""
        number, unit = (_megabytes, "MB") if self.unit == "bytes" else (str, self.unit)
        of = "" if self.total is None else f" of {number(self.total)}"
        return f"{number(self.done)}{of} {unit}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}" if size < 10_000_000 else f"{size / 1e6:.0f}"


@dataclass(frozen=True, slots=True)
class Work:
    """Work that is under way. How far it is, is asked of it, by other threads: who shows it decides when to look."""

    what: str
    far: Callable[[], Far] = Far

    def line(self, seconds: float) -> str:
        """One line about it, after so many seconds."""
        far = self.far()
        counted = f"{far}, " if str(far) else ""
        remark = f"; {far.remark}" if far.remark else ""
        return f"{self.what}: {counted}{seconds:.0f} s so far{remark}"


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


@contextlib.contextmanager
def watched(progress: Progress, work: Work) -> Iterator[Progress]:
    """Shows a watcher the work, whose doer has lines of its own; gives whom to tell those: a watcher sees enough."""
    if isinstance(progress, Watcher):
        with progress.watch(work):
            yield silent
    else:
        yield progress


def due(waited: float, said: Far, far: Far) -> bool:
    """Whether another line is due, so many seconds after work was said to be so far."""
    return waited >= (LATEST if far == said else SOON)


def tell(progress: Progress, work: Work, ended: Callable[[float], bool], now: Callable[[], float]) -> None:
    """Says a line whenever one is due, until the work has ended; `ended` waits for that for so many seconds."""
    started = shown = now()
    said = work.far()
    while not ended(LOOK):
        at, far = now(), work.far()
        if due(at - shown, said, far):
            shown, said = at, far
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


def written(place: Path, total: int | None = None) -> Callable[[], Far]:
    """Counts the bytes of a file or of a folder's files, once there are some."""

    def far() -> Far:
        found = size(place)
        return Far(found, total, "bytes") if found else Far()

    return far


def taken(stream: IO[bytes]) -> Callable[[], Far]:
    """Counts how much of a file a program has read that was given it, for it shares our place in the file."""
    descriptor = stream.fileno()
    total = os.fstat(descriptor).st_size
    return lambda: Far(os.lseek(descriptor, 0, os.SEEK_CUR), total, "bytes")


def size(place: Path) -> int:
    """The bytes of what is there at this moment: others write, rename and remove meanwhile."""
    try:
        if not place.is_dir():
            return place.stat().st_size
        with os.scandir(place) as entries:
            return sum(
                size(Path(entry.path)) if entry.is_dir(follow_symlinks=False) else _length(entry) for entry in entries
            )
    except OSError:
        return 0


def _length(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
