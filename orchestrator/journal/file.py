"""The journal's file: `run` appends to it, `gates.judge` and `report` read it.

Each entry is on disk before `record` returns, because the runner may die at any line. An entry whose `record` raised is
not in the file, neither now nor later.
"""

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from orchestrator.errors import InfrastructureError, Mistake, SpecError, UsageError
from orchestrator.journal.entries import FORMAT, AnyEntry, Entry, Event, Measurement, RunFinished, RunStarted

_ENTRY: TypeAdapter[AnyEntry] = TypeAdapter(
    Annotated[AnyEntry, Field(discriminator="kind")], config=ConfigDict(defer_build=True)
)
_ONE_RUN = "each run has a directory of its own; run it again"
_E = TypeVar("_E", bound=Entry)


class JournalWriter:
    """Appends entries to a file that no other process writes. Threads may share it.

    It writes without a buffer: a buffered line that a full disk refused would be written later, once there is room.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Opens a new or existing file. A last line that a crash left incomplete is cut off.

        Raises:
            InfrastructureError: another process writes this journal, or the disk refuses.
        """
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._broken: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise self._refusal(str(error.strerror)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InfrastructureError(f"{path} is being written by another process") from error
        self._file.seek(0)
        self._whole = self._file.readall().rfind(b"\n") + 1
        self._file.truncate(self._whole)

    def record(self, entry: _E) -> _E:
        """Writes the entry to disk. Returns it as written: with a time, if it had none.

        Raises:
            InfrastructureError: the disk refused this entry, or an earlier one. After that nothing more is written.
        """
        with self._lock:
            if self._broken is not None:
                raise self._refusal(self._broken)
            written = entry if entry.at else entry.model_copy(update={"at": self._clock()})
            self._append(_line(written))
        return written

    def _append(self, line: bytes) -> None:
        """Writes the line as a whole or not at all."""
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._broken = str(error.strerror)
            self._cut()
            raise self._refusal(self._broken) from error
        except BaseException:
            self._cut()
            raise
        self._whole += len(line)

    def _cut(self) -> None:
        with contextlib.suppress(OSError):  # The reader leaves out what may be left of the line.
            self._file.truncate(self._whole)

    def _refusal(self, cause: str) -> InfrastructureError:
        return InfrastructureError(
            f"{self._path} cannot be written: {cause}",
            hint="see whether the disk has room and is writable; what the journal holds so far is whole",
        )

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


IMAGES = "images.running"
"""The event with the digests of the running images, written once all pods run."""


@dataclass(frozen=True, slots=True)
class Journal:
    """All entries, in the order of writing. `torn`: the last line was incomplete after a crash and is left out."""

    entries: tuple[AnyEntry, ...]
    torn: bool = False

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads the journal from the file.

        Raises:
            UsageError: the file cannot be read, has another format, or holds two runs.
            SpecError: some lines, except an incomplete last one, are not entries. Names all of them.
        """
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise UsageError(f"cannot read the journal {path}: {error.strerror}") from error
        tail = lines.pop()
        _check_format(path, lines)
        entries, mistakes = [], []
        for number, line in enumerate(lines, start=1):
            try:
                entries.append(_ENTRY.validate_json(line))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                mistakes.append(Mistake(str(path), number, where, f"no journal entry: {first['msg']}"))
        if mistakes:
            raise SpecError(tuple(mistakes))
        if sum(isinstance(entry, RunStarted) for entry in entries) > 1:
            raise UsageError(f"{path} holds two runs, so nothing can be said about either", hint=_ONE_RUN)
        return cls(tuple(entries), torn=bool(tail))

    @classmethod
    def of(cls, entries: Iterable[AnyEntry]) -> Self:
        return cls(tuple(entries))

    def all(self, kind: type[_E]) -> tuple[_E, ...]:
        """All entries of one type."""
        return tuple(entry for entry in self.entries if isinstance(entry, kind))

    @property
    def started(self) -> RunStarted:
        """The first entry.

        Raises:
            UsageError: the run died before it wrote it.
        """
        for entry in self.all(RunStarted):
            return entry
        raise UsageError("the journal holds no run.started, so nothing can be said about the run")

    @property
    def finished(self) -> RunFinished | None:
        """How the run ended. None if it was interrupted. If a run was resumed, the last entry counts."""
        last: RunFinished | None = None
        for entry in self.entries:
            if isinstance(entry, RunFinished):
                last = entry
            elif isinstance(entry, Event | Measurement):
                last = None
        return last

    @property
    def images(self) -> dict[str, str]:
        """The images of the pods, with the digests that the kubelets reported. Empty before the pods ran."""
        return {name: str(digest) for e in self.all(Event) if e.name == IMAGES for name, digest in e.detail.items()}

    def events(self, stage: str | None = None, *names: str) -> tuple[Event, ...]:
        """The events of a stage, or of the run for None. With `names`, only events of these names."""
        return tuple(e for e in self.all(Event) if e.stage == stage and (not names or e.name in names))


def _check_format(path: Path, lines: list[bytes]) -> None:
    """Refuses a journal of another format, before its lines are read as something else."""
    try:
        first = json.loads(lines[0]) if lines else None
    except ValueError:
        return  # The reader names this line as a mistake.
    if not isinstance(first, dict) or first.get("kind") != "run.started" or first.get("format", 1) == FORMAT:
        return
    version = first.get("version", "an unknown version")
    raise UsageError(
        f"{path} was written by coalmine {version} in format {first.get('format', 1)}; this is format {FORMAT}",
        hint=f"judge it with coalmine {version}",
    )


def _line(entry: Entry) -> bytes:
    return entry.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n"


def anchors(events: Iterable[Event]) -> Mapping[str, float]:
    """The first time of each event, by name. Later events of the same name are repetitions after a resume."""
    times: dict[str, float] = {}
    for event in events:
        times.setdefault(event.name, event.at)
    return times
