"""Finds the pods of our network's nodes on this machine, with the names that their metrics carry. Called by `sampler`.

A node's process says itself who it is (`node_identity`). It could lie, but only to its own network.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from chaos.agent.containers import Machine
from orchestrator.node_identity import NAME_VARIABLE, VARIABLE, NodeIdentity

_POD = re.compile(r"/(?:[^/\n]*-)?pod([0-9A-Za-z_-]+?)(?:\.slice)?(?=/|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class NodePod:
    """A pod of a node: its processes, and the cgroup file of one of them."""

    name: str
    identity: NodeIdentity
    pids: tuple[int, ...]
    cgroup: str


@dataclass(slots=True)
class NodePods:
    """The machine's pods. Who a pod is never changes, so each is asked until it has answered once."""

    machine: Machine
    _known: dict[str, tuple[str, NodeIdentity]] = field(default_factory=dict)

    def here(self) -> Mapping[str, NodePod]:
        """The nodes' pods by their uid, as the kernel knows them now."""
        processes: dict[str, list[int]] = {}
        cgroups: dict[str, str] = {}
        for pid, cgroup in self.machine.table.cgroups():
            if found := _POD.search(cgroup):
                processes.setdefault(found[1], []).append(pid)
                cgroups[found[1]] = cgroup
        self._known = {uid: known for uid, known in self._known.items() if uid in processes}
        for uid, pids in processes.items():
            if uid not in self._known and (known := self._asked(pids)) is not None:
                self._known[uid] = known
        return {
            uid: NodePod(name, identity, tuple(processes[uid]), cgroups[uid])
            for uid, (name, identity) in self._known.items()
        }

    def _asked(self, pids: list[int]) -> tuple[str, NodeIdentity] | None:
        for pid in pids:
            words = self._environment(pid)
            if VARIABLE in words and NAME_VARIABLE in words and self.machine.is_ours(pid):
                try:
                    return words[NAME_VARIABLE], NodeIdentity.model_validate_json(words[VARIABLE])
                except ValidationError:
                    continue
        return None

    def _environment(self, pid: int) -> dict[str, str]:
        """The variables with which a process started. Empty if it has ended."""
        try:
            text = (self.machine.proc / str(pid) / "environ").read_bytes()
        except OSError:
            return {}
        return dict(each.split("=", 1) for each in os.fsdecode(text).split("\0") if "=" in each)
