"""Finds the processes of pods and containers, and whether a pod belongs to our namespace. Called by every fault.

The answers come from the kernel and from files that the kubelet wrote, never from the request. So a stolen token
reaches no further than the namespace that the agent was started for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chaos.agent.faults import Gone
from chaos.agent.processes import ProcessTable

_DEAD = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine's processes, and the namespace whose pods are ours."""

    namespace: str
    proc: Path = Path("/proc")
    host_network: Path = Path("/proc/1/ns/net")
    table: ProcessTable = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", ProcessTable(self.proc))

    def check_ours(self, pod_uid: str) -> None:
        """Refuses pods of other namespaces.

        The kubelet writes a pod's namespace first into its DNS search path. A foreign pod could forge that, but only
        for itself, which harms nobody else. This needs no path on the machine; those differ between clusters.

        Raises:
            Gone: our namespace has no such pod on this machine.
        """
        if not any(self.is_ours(pid) for pid in self._processes(pod_uid, None)):
            raise Gone(f"namespace {self.namespace} has no pod {pod_uid} on this machine")

    def is_ours(self, pid: int) -> bool:
        try:
            lines = (self.proc / str(pid) / "root/etc/resolv.conf").read_text().splitlines()
        except OSError:  # It has ended, or its container has no such file.
            return False
        return any(re.match(rf"search {re.escape(self.namespace)}\.svc\.", line) for line in lines)

    def container_processes(self, pod_uid: str, container_id: str) -> tuple[int, ...]:
        """The live processes of a container. Empty if it is gone."""
        return tuple(self._processes(pod_uid, container_id))

    def pod_process(self, pod_uid: str) -> int:
        """A live process of the pod, through which its network namespace can be entered.

        Raises:
            Gone: the pod has no process left.
        """
        for pid in self._processes(pod_uid, None):
            return pid
        raise Gone(f"pod {pod_uid} has no process on this machine")

    def shares_host_network(self, pid: int) -> bool:
        return (self.proc / str(pid) / "ns/net").readlink() == self.host_network.readlink()

    def state(self, pid: int) -> str | None:
        """The one-letter state of a process. None if it is gone or dead."""
        letter = self.table.state(pid)
        return None if letter is None or letter in _DEAD else letter

    def _processes(self, pod_uid: str, container_id: str | None) -> Iterator[int]:
        # The paths of both cgroup drivers: `…/pod<uid>/<id>` and `…-pod<uid_>.slice/cri-containerd-<id>.scope`.
        uids = (f"pod{pod_uid}", f"pod{pod_uid.replace('-', '_')}.slice")
        for pid, paths in self.table.cgroups():
            if not any(uid in paths for uid in uids):
                continue
            parts = {part for line in paths.splitlines() for part in line.split("/")[1:]}
            ours = _of_pod(parts, uids) and (container_id is None or _of_container(parts, container_id))
            if ours and self.state(pid) is not None:
                yield pid


def _of_pod(parts: set[str], uids: tuple[str, ...]) -> bool:
    return any(part == uid or part.endswith(f"-{uid}") for part in parts for uid in uids)


def _of_container(parts: set[str], container_id: str) -> bool:
    # CRI-O's monitor has its own scope with the same id. It is not a process of the container.
    return any(
        part == container_id or (part.endswith(f"-{container_id}.scope") and "conmon" not in part) for part in parts
    )
