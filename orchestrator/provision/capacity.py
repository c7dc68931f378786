"""Checks that a cluster has room for the pods that are about to be created. Pure except `read`. Called by `network`.

It counts as the scheduler counts: requests against what is allocatable and not requested yet, machine by machine. A
machine that is cordoned, not ready, or has a taint that keeps pods out offers nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, ProvisionError
from orchestrator.render import Manifest
from orchestrator.units import quantity

AUTOSCALERS = ("cluster-autoscaler", "karpenter")
_EFFECTS = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Amount:
    """Cores, bytes of memory, and pods."""

    cpu: float = 0.0
    memory: float = 0.0
    pods: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.cpu + other.cpu, self.memory + other.memory, self.pods + other.pods)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.cpu - other.cpu, self.memory - other.memory, self.pods - other.pods)

    def __mul__(self, count: int) -> "Amount":
        return Amount(self.cpu * count, self.memory * count, self.pods * count)

    def fits(self, room: "Amount") -> bool:
        return self.cpu <= room.cpu + 1e-9 and self.memory <= room.memory and self.pods <= room.pods

    def __str__(self) -> str:
        return f"{self.cpu:.2f} cores, {self.memory / 1024**3:.2f} GiB, {self.pods} pods"


@dataclass(frozen=True, slots=True)
class Demand:
    """Equal pods of one object. A DaemonSet ignores `count`: it has one pod on every machine."""

    key: str
    each: Amount
    count: int
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that takes pods, and how much of it is free."""

    name: str
    free: Amount


@dataclass(frozen=True, slots=True)
class Capacity:
    """The free room of a cluster. With an autoscaler it may grow."""

    machines: tuple[Machine, ...]
    autoscaler: bool = False


def demands(manifests: Iterable[Manifest], live: Mapping[str, dict[str, Any] | None]) -> tuple[Demand, ...]:
    """The pods that do not exist yet: those of new objects, and more replicas of existing ones.

    If a template asks for more than before, only the difference counts: a pod frees its room before it starts again.
    """
    found = []
    for manifest in manifests:
        document, before = manifest.document, live.get(manifest.key)
        if manifest.kind not in {"StatefulSet", "Deployment", "DaemonSet", "Job"}:
            continue
        count, had = _replicas(document), _replicas(before) if before else 0
        each, old = _requests(document), _requests(before) if before else Amount()
        if manifest.kind == "DaemonSet":
            found.append(Demand(manifest.key, each, int(before is None), everywhere=True))
            continue
        found.append(Demand(manifest.key, each, max(0, count - had)))
        grown = Amount(max(0.0, each.cpu - old.cpu), max(0.0, each.memory - old.memory))
        if had and (grown.cpu or grown.memory):
            found.append(Demand(f"{manifest.key} (as it grows)", grown, min(count, had)))
    return tuple(demand for demand in found if demand.count)


def shortage(wanted: Sequence[Demand], capacity: Capacity) -> str | None:
    """Why the pods do not fit, with figures. None if they fit.

    Pods are placed by first fit decreasing: the largest first, each on the first machine with room. This nearly always
    finds a placement if there is one (at worst it needs 11/9 of the machines). The scheduler does no better.
    """
    everywhere = _sum(demand.each for demand in wanted if demand.everywhere)
    room = [machine.free - everywhere for machine in capacity.machines]
    placeable = [demand for demand in wanted if not demand.everywhere]
    total, free = _sum(demand.each * demand.count for demand in placeable), _sum(room)
    if not total.fits(free):
        return f"the network asks for {total}; {len(capacity.machines)} machines have {free} free"
    largest_first = sorted(placeable, key=lambda demand: -_size(demand.each, free))
    for demand in largest_first:
        first = 0  # Pods are equal: a machine without room for one has none for the next.
        for placed in range(demand.count):
            while first < len(room) and not demand.each.fits(room[first]):
                first += 1
            if first == len(room):
                return (
                    f"{demand.count - placed} of {demand.count} pods of {demand.key} ({demand.each} each) fit on no "
                    f"machine, though {len(room)} machines have {free} free together"
                )
            room[first] -= demand.each
    return None


def require(wanted: Sequence[Demand], capacity: Capacity) -> str | None:
    """Returns None if the pods fit, or a warning if only an autoscaler can make them fit.

    Raises:
        ProvisionError: the pods do not fit. (Not Refused: the cluster is too small, the file is correct.)
    """
    why = shortage(wanted, capacity)
    if why is None:
        return None
    if capacity.autoscaler:
        return f"WARNING: {why}; the cluster has an autoscaler and may grow, so this continues"
    raise ProvisionError(
        why, hint="fewer nodes, smaller `resources`, or more machines; `coalmine sweep --dry-run` shows what could go"
    )


def read(cluster: Cluster) -> Capacity | None:
    """The free room of the cluster. None if we are not allowed to list its machines."""
    try:
        machines, pods = cluster.list_all("Node"), cluster.list_all("Pod")
    except ClusterError as error:
        if error.status == 403:
            return None
        raise
    return capacity_of(machines, pods)


def capacity_of(machines: Iterable[dict[str, Any]], pods: Iterable[dict[str, Any]]) -> Capacity:
    """The free room, computed from the cluster's Nodes and Pods."""
    used: dict[str, Amount] = {}
    autoscaler = False
    for pod in pods:
        names = {pod["metadata"]["name"], *(pod["metadata"].get("labels") or {}).values()}
        autoscaler = autoscaler or any(str(name).startswith(AUTOSCALERS) for name in names)
        if pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}:
            machine = pod["spec"].get("nodeName", "")
            used[machine] = used.get(machine, Amount()) + _pod_requests(pod["spec"])
    room = []
    for machine in machines:
        if _takes_pods(machine):
            name, there = machine["metadata"]["name"], machine["status"]["allocatable"]
            whole = Amount(quantity(there["cpu"]), quantity(there["memory"]), int(quantity(there["pods"])))
            room.append(Machine(name, whole - used.get(name, Amount())))
    return Capacity(tuple(room), autoscaler)


def _takes_pods(machine: dict[str, Any]) -> bool:
    spec = machine.get("spec", {})
    ready = {c["type"]: c["status"] for c in machine["status"].get("conditions", [])}.get("Ready")
    tainted = any(taint.get("effect") in _EFFECTS for taint in spec.get("taints") or [])
    return ready == "True" and not spec.get("unschedulable") and not tainted


def _replicas(document: dict[str, Any]) -> int:
    spec = document["spec"]
    return int(spec.get("parallelism", 1) if document["kind"] == "Job" else spec.get("replicas", 1))


def _requests(document: dict[str, Any]) -> Amount:
    return _pod_requests(document["spec"]["template"]["spec"])


def _pod_requests(spec: dict[str, Any]) -> Amount:
    """A pod's requests as the scheduler counts: all containers together or the largest init container, and overhead."""
    first = spec.get("initContainers") or []
    sidecars = [container for container in first if container.get("restartPolicy") == "Always"]
    together = _sum(_container(container) for container in (*spec.get("containers", []), *sidecars))
    largest = [_container(container) for container in first if container not in sidecars]
    overhead = _amount(spec.get("overhead") or {})
    cpu = max([together.cpu, *(amount.cpu for amount in largest)])
    memory = max([together.memory, *(amount.memory for amount in largest)])
    return Amount(cpu, memory, 1) + overhead


def _container(container: dict[str, Any]) -> Amount:
    """A container's requests. If only a limit is given, the limit is the request."""
    resources = container.get("resources") or {}
    return _amount({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _amount(resources: dict[str, Any]) -> Amount:
    return Amount(quantity(str(resources.get("cpu", "0"))), quantity(str(resources.get("memory", "0"))))


def _sum(amounts: Iterable[Amount]) -> Amount:
    total = Amount()
    for amount in amounts:
        total += amount
    return total


def _size(each: Amount, free: Amount) -> float:
    """The largest share of the free room that a pod asks for, over all resources."""
    shares = [part / whole for part, whole in ((each.cpu, free.cpu), (each.memory, free.memory)) if whole > 0]
    return max(shares, default=0.0)
