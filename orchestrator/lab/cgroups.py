"""The cgroup that a lab or one of our Docker engines runs in: made in every hierarchy before, removed after.

Called by the processes that hold them, `guardian` and `docker_engine`. The end of a namespace does not remove cgroups.
"""

import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_PATIENCE = 10.0
"""Seconds that killed processes get to leave their cgroups. The kernel does not notify when the last one has left."""


def make(name: str) -> None:
    """Makes the cgroup in every hierarchy. A new cpuset gets the CPUs and memory nodes of its parent."""
    for hierarchy in hierarchies():
        folder = hierarchy / name
        folder.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (folder / setting).exists() and (value := (hierarchy / setting).read_text().strip()):
                (folder / setting).write_text(value)


def remove(name: str) -> None:
    """Removes the cgroup and its children from every hierarchy. Does nothing where there is none."""
    for hierarchy in hierarchies():
        top = hierarchy / name
        if not top.exists():
            continue
        deadline = time.monotonic() + _PATIENCE
        for folder in [*sorted(_below(top), key=lambda path: -len(path.parts)), top]:
            _remove(folder, deadline)


def hierarchies() -> list[Path]:
    """The roots of the mounted cgroup hierarchies: one with version 2, one for each controller with version 1."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    if not ROOT.exists():
        return []
    return sorted(path for path in ROOT.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink())


def _below(top: Path) -> list[Path]:
    return [path for path in top.rglob("*") if path.is_dir()]


def _remove(folder: Path, deadline: float) -> None:
    while folder.exists():
        try:
            folder.rmdir()
        except OSError:  # Its last processes are dying.
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
