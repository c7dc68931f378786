"""Records on disk what the agent is about to place, so that its successor can undo it. Called by `keeper`.

Times are of the boot clock (CLOCK_BOOTTIME), so that a change of the wall clock does not change a fault's length. After
a reboot of the machine nothing is left to undo; the kernel's boot id shows a reboot.
"""

import logging
import os
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from chaos.wire import Order

_LOG = logging.getLogger(__name__)


def boot_clock() -> float:
    """Seconds since the machine started, including sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class FaultRecord(BaseModel):
    """One fault: its order, and when it expires by the boot clock, in seconds."""

    model_config = ConfigDict(frozen=True)

    id: str
    order: Order
    expires: float
    boot: str
    effect: str = ""


class Ledger:
    """A directory with one file per fault."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, entry: FaultRecord) -> None:
        """Writes the record; it is on disk when this returns. A reader sees the old file or the new one, never half."""
        path = self._path(entry.id)
        draft = path.with_suffix(".draft")
        with draft.open("w") as file:
            file.write(entry.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def remove(self, fault_id: str) -> None:
        self._path(fault_id).unlink(missing_ok=True)

    def load(self) -> tuple[FaultRecord, ...]:
        """The faults that earlier agents placed since the machine started."""
        entries = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                entry = FaultRecord.model_validate_json(path.read_text())
            except ValidationError:
                # An unreadable entry, for example of another version, must not stop this agent.
                _LOG.exception("ledger entry %s cannot be read and is set aside", path.name)
                path.replace(path.with_suffix(".unreadable"))
                continue
            if entry.boot == boot_id():
                entries.append(entry)
            else:
                path.unlink()
        return tuple(entries)

    def _path(self, fault_id: str) -> Path:
        return self._directory / f"{fault_id}.json"
