"""What the agent has placed, on the machine's disk before it is placed, so that its successor can take it back.

Times are of the boot clock (CLOCK_BOOTTIME): a stepped wall clock neither prolongs nor cuts a fault. After a reboot of
the machine there is nothing left to take back, which the kernel's boot id tells. Called by `keeper`.
"""

import logging
import os
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from chaos.wire import Order

_LOG = logging.getLogger(__name__)


def boot_clock() -> float:
    """Seconds since the machine started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class FaultRecord(BaseModel):
    """One fault: what was ordered, and until when."""

    model_config = ConfigDict(frozen=True)

    id: str
    order: Order
    expires: float
    boot: str
    effect: str = ""


class Ledger:
    """A directory with one file a fault."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, entry: FaultRecord) -> None:
        """On disk when this returns; a reader sees the old file or the new one, never half of one."""
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
        """What earlier agents placed since the machine started."""
        entries = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                entry = FaultRecord.model_validate_json(path.read_text())
            except ValidationError:
                # An entry of another version must not keep this agent from serving the others.
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
