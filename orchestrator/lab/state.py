"""A lab's state on disk: one directory for each lab, and one cache for all. Used by every module of `lab`."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cache import folder

ROOT = Path("/var/lib/coalmine/labs")
"""Not below /run, because a lab mounts its own tmpfs there."""

INDEXES = range(60)
"""The indexes of labs. There are addresses for so many labs on one machine."""


def cache() -> Path:
    """The folder for files that can be made again but take long: binaries, image layers."""
    return folder()


@dataclass(frozen=True, slots=True)
class LabState:
    """Everything that a lab's processes must agree on.

    `index` determines the lab's addresses, so that several labs can run side by side. `owner` is a PID.
    """

    name: str
    index: int
    binaries: str
    owner: int | None

    @property
    def directory(self) -> Path:
        return ROOT / self.name

    @property
    def logs(self) -> Path:
        """The folder of the logs. It is in the cache, so that it outlives a failed lab. Each start empties it."""
        return cache() / "logs" / self.name

    @property
    def node(self) -> str:
        return f"lab-{self.name}"

    @property
    def cgroup(self) -> str:
        return f"coalmine-lab-{self.name}"

    @property
    def host_ip(self) -> str:
        return f"10.243.{self.index}.1"

    @property
    def lab_ip(self) -> str:
        return f"10.243.{self.index}.2"

    @property
    def pod_network(self) -> str:
        return f"10.{100 + self.index}.0.0/16"

    @property
    def bridge_ip(self) -> str:
        return f"10.{100 + self.index}.0.1"

    @property
    def service_network(self) -> str:
        return f"10.{180 + self.index}.0.0/16"

    @property
    def api_ip(self) -> str:
        return f"10.{180 + self.index}.0.1"

    @property
    def dns_ip(self) -> str:
        return f"10.{180 + self.index}.0.10"

    @property
    def networks(self) -> tuple[str, ...]:
        """All networks that must be free on this machine."""
        return (self.pod_network, self.service_network, f"{self.host_ip}/32", f"{self.lab_ip}/32")

    @property
    def host_link(self) -> str:
        return f"coal{self.index}h"

    @property
    def lab_link(self) -> str:
        return f"coal{self.index}l"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "admin.kubeconfig"

    def save(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "lab.json").write_text(json.dumps(dataclasses.asdict(self)))

    def note(self, name: str, text: str = "") -> None:
        """Writes a fact that another process of the lab waits for, as a small file, atomically."""
        partial = self.directory / f".{name}"
        partial.write_text(text)
        partial.rename(self.directory / name)

    def noted(self, name: str) -> str | None:
        try:
            return (self.directory / name).read_text()
        except FileNotFoundError:
            return None

    def guardian(self) -> int | None:
        """The PID of the lab's guardian while it runs, else None. A reused PID is recognised by its command line."""
        pid = self.noted("guardian")
        if pid is None:
            return None
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return int(pid) if f"orchestrator.lab\0guardian\0{self.name}\0".encode() in command else None

    def fail(self, why: str) -> None:
        """Writes the reason why the lab ended to the logs, where it outlives the lab."""
        (self.logs / "failure").write_text(why)

    def failure(self) -> str:
        """Why the lab ended, as far as the logs say; at most 500 characters."""
        for log in ("failure", "guardian"):
            if (self.logs / log).exists() and (said := (self.logs / log).read_text(errors="replace").strip()):
                return said[-500:]
        return "it was ended from outside"


def load(name: str) -> LabState | None:
    """The state of the lab of this name, or None if there is none."""
    try:
        return LabState(**json.loads((ROOT / name / "lab.json").read_text()))
    except FileNotFoundError:
        return None


def names() -> list[str]:
    return sorted(path.parent.name for path in ROOT.glob("*/lab.json"))
