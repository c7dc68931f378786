"""Reads the kernel's counters of pods and of the machine, from `/proc` and the control groups. Called by `sampler`.

A pod's own control group says how long its processes stood still for memory and disk. Where it does not (version 1 of
control groups), the machine's figures stand for it: on a machine that only runs the network they are nearly the same.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chaos.agent.processes import read
from chaos.agent.shares import Part, Reading, Scarce, Thread

_POD = re.compile(r"(?:^|-)pod[0-9A-Za-z_-]+(?:\.slice)?$")
_SOME = re.compile(r"^some .*total=(\d+)", re.MULTILINE)
_NUMBER = re.compile(r"^(\w+) (\d+)$", re.MULTILINE)
_STALLS: tuple[tuple[Scarce, str], ...] = (("memory_stall", "memory"), ("io_stall", "io"))
_STEAL = 7
_GUEST = 8
"""Fields of the first line of `/proc/stat`. Guests' time is also in the fields before, so it does not count again."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Where the kernel's files are. The control groups are seen through process 1, as an agent sees only its own."""

    proc: Path = Path("/proc")
    cgroups: Path = Path("/proc/1/root/sys/fs/cgroup")

    def pod(self, pids: Iterable[int], cgroup: str, machine: Mapping[Scarce, Part], at: float) -> Reading:
        """A pod's counters at the time `at`. `cgroup` is the cgroup file of one of its processes."""
        paths = _pod_paths(cgroup)
        totals = dict(machine)
        if "" in paths:  # Never a mixture of both: then what the pod's file lacks is absent.
            stalls = self._stalls(self._unified / paths[""], ".pressure", at)
            totals = {name: part for name, part in machine.items() if name not in dict(_STALLS)} | stalls
        folders = [self.cgroups / "cpu" / paths["cpu"]] if "cpu" in paths else []
        folders += [self._unified / paths[""]] if "" in paths else []
        limited = next((found for folder in folders if (found := _limited(folder)) is not None), None)
        return Reading(at, self._threads(pids), totals | ({"cpu_throttled": limited} if limited is not None else {}))

    def machine(self, at: float) -> dict[Scarce, Part]:
        """The machine's counters: the hypervisor's share, and the time in which some process stood still."""
        found = self._stalls(self.proc / "pressure", "", at)
        fields = (_text(f"{self.proc}/stat") or "").partition("\n")[0].split()[1:]
        if len(fields) > _STEAL:
            found["cpu_steal"] = Part(float(fields[_STEAL]), float(sum(map(int, fields[:_GUEST]))))
        return found

    @property
    def _unified(self) -> Path:
        """The root of version 2 of control groups, which machines that also have version 1 mount beside it."""
        return self.cgroups if (self.cgroups / "cgroup.controllers").exists() else self.cgroups / "unified"

    def _stalls(self, folder: Path, ending: str, at: float) -> dict[Scarce, Part]:
        found: dict[Scarce, Part] = {}
        for name, what in _STALLS:
            if (total := _SOME.search(_text(f"{folder}/{what}{ending}") or "")) is not None:
                found[name] = Part(int(total[1]) / 1e6, at)
        return found

    def _threads(self, pids: Iterable[int]) -> dict[int, Thread] | None:
        """The threads of processes. None if the kernel does not count: then no thread has ever had a turn."""
        found: dict[int, Thread] = {}
        turns = 0
        for number, text in self._schedstats(pids):
            running, waiting, slices = (int(field) for field in text.split())
            found[number] = Thread(running, waiting)
            turns += slices
        return found if turns else None

    def _schedstats(self, pids: Iterable[int]) -> Iterator[tuple[int, str]]:
        for pid in pids:
            tasks = f"{self.proc}/{pid}/task"
            try:
                numbers = os.listdir(tasks)  # noqa: PTH208  As in `processes`: hundreds of threads every second.
            except OSError:  # The process has ended.
                continue
            for number in numbers:
                if text := _text(f"{tasks}/{number}/schedstat"):
                    yield int(number), text


def _pod_paths(cgroup: str) -> dict[str, str]:
    """The path of the pod's control group by controller, from a process's cgroup file. "" is version 2's.

    A path that climbs is that of another namespace of control groups, and leads nowhere here.
    """
    found = {}
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        parts = path.split("/")
        ends = [index for index, part in enumerate(parts) if _POD.search(part)]
        if ends and ".." not in parts:
            for controller in controllers.split(","):
                found[controller] = "/".join(parts[1 : ends[-1] + 1])
    return found


def _limited(pod: Path) -> Part | None:
    """In how many periods of its CPU limit the pod or one of its containers used it up, of how many.

    The throttled time would be summed over CPUs and pass the time that went by. Without a limit there are no periods.
    """
    stats = (dict(_NUMBER.findall(_text(f"{folder}/cpu.stat") or "")) for folder in _with_children(pod))
    found = [(int(stat["nr_throttled"]), int(stat["nr_periods"])) for stat in stats if "nr_throttled" in stat]
    return Part(sum(part for part, _ in found), sum(whole for _, whole in found)) if found else None


def _with_children(folder: Path) -> Iterator[Path]:
    yield folder
    try:
        yield from (Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:  # It is gone, or was never there.
        return


def _text(path: str) -> str | None:
    """A small file of the kernel. None if it cannot be read, for whatever reason."""
    try:
        return read(path)
    except OSError:
        return None
