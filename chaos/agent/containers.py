"""Whose process is it: finds the processes of pods and containers, and whether a pod belongs to our namespace.

Called by every fault. The answers come from the kernel and from what the kubelet wrote, never from the request, so that
a stolen token reaches no further than the namespace that the agent was started for.
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
    """The machine's processes as we see them, and the namespace whose pods are ours."""

    namespace: str
    proc: Path = Path("/proc")
    host_network: Path = Path("/proc/1/ns/net")
    table: ProcessTable = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", ProcessTable(self.proc))

    def check_ours(self, pod_uid: str) -> None:
        """Refuses pods of other namespaces.

        The kubelet puts a pod's namespace first into its DNS search path. A foreign pod could only forge that for
        itself, which harms nobody else; and no path on the machine has to be known, as they differ between clusters.

        Raises:
            Gone: when the pod is none of our namespace's pods on this machine.
        """
        if not any(self._searches_ours(pid) for pid in self._processes(pod_uid, None)):
            raise Gone(f"namespace {self.namespace} has no pod {pod_uid} on this machine")

    def _searches_ours(self, pid: int) -> bool:
        try:
            lines = (self.proc / str(pid) / "root/etc/resolv.conf").read_text().splitlines()
        except OSError:  # It ended meanwhile, or its container has no such file.
            return False
        return any(re.match(rf"search {re.escape(self.namespace)}\.svc\.", line) for line in lines)

    def container_processes(self, pod_uid: str, container_id: str) -> tuple[int, ...]:
        """Live processes of a container; empty when it is gone."""
        return tuple(self._processes(pod_uid, container_id))

    def pod_process(self, pod_uid: str) -> int:
        """Some live process of the pod, by which its network namespace is entered.

        Raises:
            Gone: when the pod has no process left.
        """
        for pid in self._processes(pod_uid, None):
            return pid
        raise Gone(f"pod {pod_uid} has no process on this machine")

    def shares_host_network(self, pid: int) -> bool:
        return (self.proc / str(pid) / "ns/net").readlink() == self.host_network.readlink()

    def state(self, pid: int) -> str | None:
        """The one-letter state of a process, None when it is gone or dead."""
        letter = self.table.state(pid)
        return None if letter is None or letter in _DEAD else letter

    def _processes(self, pod_uid: str, container_id: str | None) -> Iterator[int]:
        # Both cgroup drivers: `…/pod<uid>/<id>` and `…-pod<uid_>.slice/cri-containerd-<id>.scope`.
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
    # CRI-O puts its monitor into a scope of its own with the same id; it is no process of the container.
    return any(
        part == container_id or (part.endswith(f"-{container_id}.scope") and "conmon" not in part) for part in parts
    )
