"""The database: one file of JSON lines that only grows. Replaying it restores a node's state.

Records reach the kernel before any message that follows from them is sent. So if the process is killed, nothing is lost
that a peer may have seen. A half-written last line is cut off.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from simnode.core.outbox import Record


class Database:
    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / "journal.jsonl"
        self._path.touch()
        self._file = self._path.open("r+b")

    def read(self) -> Iterator[Record]:
        """All records, oldest first. Afterwards the file is open for appending."""
        good = 0
        for line in self._file:
            try:
                record = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            good += len(line)
            yield record
        self._file.seek(good)
        self._file.truncate()

    def append(self, record: Record) -> None:
        self._file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
