"""Reads nodes and agents from their pods. Used by everything in `chaos` that decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
_LABEL = "coalmine.dev/"


@dataclass(frozen=True, slots=True)
class Node:
    """A node and its current pod. `container_id` is None while its container does not run."""

    name: str
    group: str
    role: str
    chain: str
    para_id: int | None
    pod_uid: str
    machine: str
    ips: tuple[str, ...]
    container_id: str | None
    ready: bool

    @property
    def ip(self) -> str:
        return self.ips[0] if self.ips else ""

    @property
    def ordinal(self) -> int:
        return int(self.name.rpartition("-")[2])

    @property
    def running(self) -> bool:
        return self.container_id is not None and bool(self.ips)


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent of a machine. It is asked even if it is not ready, because recovery cannot wait."""

    machine: str
    ip: str
    ready: bool


def node_of(pod: Document) -> Node | None:
    """The node in a pod. None if the pod has finished, is not scheduled, or is not a node of ours."""
    labels = pod["metadata"].get("labels", {})
    status = pod.get("status", {})
    machine = pod["spec"].get("nodeName")
    if (
        labels.get("app.kubernetes.io/component") != "node"
        or not machine
        or status.get("phase") in {"Succeeded", "Failed"}
    ):
        return None
    para_id = labels.get(_LABEL + "para-id")
    return Node(
        name=pod["metadata"]["name"],
        group=labels[_LABEL + "group"],
        role=labels[_LABEL + "role"],
        chain=labels[_LABEL + "chain"],
        para_id=int(para_id) if para_id is not None else None,
        pod_uid=pod["metadata"]["uid"],
        machine=machine,
        ips=tuple(address["ip"] for address in status.get("podIPs", ())),
        container_id=_container_id(status),
        ready=_ready(pod),
    )


def agent_of(pod: Document) -> Agent | None:
    labels = pod["metadata"].get("labels", {})
    machine, ip = pod["spec"].get("nodeName"), pod.get("status", {}).get("podIP")
    if labels.get("app.kubernetes.io/component") != "agent" or not machine or not ip or _leaving(pod):
        return None
    return Agent(machine=machine, ip=ip, ready=_ready(pod))


def _container_id(status: Document) -> str | None:
    """The id of the running container `node`, without the container runtime's prefix. None if it does not run."""
    for container in status.get("containerStatuses", ()):
        if container["name"] == "node" and "running" in container.get("state", {}):
            return str(container["containerID"]).rpartition("//")[2]
    return None


def _ready(pod: Document) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return not _leaving(pod) and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _leaving(pod: Document) -> bool:
    return "deletionTimestamp" in pod["metadata"]
