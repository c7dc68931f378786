"""Where a lab keeps what it is: one directory a lab, one cache for all. Used by every module of `lab`."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cache import folder

ROOT = Path("/var/lib/coalmine/labs")
"""Not below /run, over which a lab mounts its own."""

INDEXES = range(60)
"""So many labs find addresses on one machine."""


def cache() -> Path:
    """What can be made again and takes long: binaries, image layers."""
    return folder()


@dataclass(frozen=True, slots=True)
class LabState:
    """All that a lab's processes must agree on. `index` picks its addresses, so that labs stand side by side."""

    name: str
    index: int
    binaries: str
    owner: int | None

    @property
    def directory(self) -> Path:
        return ROOT / self.name

    @property
    def logs(self) -> Path:
        """In the cache, so that they outlive a lab that failed; made anew at each start."""
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
        """All that must be free on this machine."""
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
        """A fact that another process of the lab waits for, as a small file that appears at once and whole."""
        partial = self.directory / f".{name}"
        partial.write_text(text)
        partial.rename(self.directory / name)

    def noted(self, name: str) -> str | None:
        try:
            return (self.directory / name).read_text()
        except FileNotFoundError:
            return None

    def guardian(self) -> int | None:
        """The process that holds the lab, while it lives. Its number alone proves nothing: others get it later."""
        pid = self.noted("guardian")
        if pid is None:
            return None
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return int(pid) if f"orchestrator.lab\0guardian\0{self.name}\0".encode() in command else None

    def fail(self, why: str) -> None:
        """Keeps the reason of a lab's end where it outlives the lab."""
        (self.logs / "failure").write_text(why)

    def failure(self) -> str:
        """Why the lab ended, as far as it could tell."""
        for log in ("failure", "guardian"):
            if (self.logs / log).exists() and (said := (self.logs / log).read_text(errors="replace").strip()):
                return said[-500:]
        return "it was ended from outside"


def load(name: str) -> LabState | None:
    """The state of the lab called so, or None where there is none."""
    try:
        return LabState(**json.loads((ROOT / name / "lab.json").read_text()))
    except FileNotFoundError:
        return None


def names() -> list[str]:
    return sorted(path.parent.name for path in ROOT.glob("*/lab.json"))
