"""Reads a pod's status. Pure. Called by `networks` and by the readiness ladder's first rungs."""

from typing import Any


def trouble(pod: dict[str, Any]) -> str | None:
    """Why a pod is not ready, in a few words. None if it is ready."""
    status = pod.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions", [])}
    if conditions.get("Ready", {}).get("status") == "True":
        return None
    for container in _containers(pod):
        waiting = _waiting(container)
        if waiting.get("reason") not in {None, "PodInitializing", "ContainerCreating"}:
            return f"{waiting['reason']}: {str(waiting.get('message', ''))[:80]}".strip(": ")
        ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
        if ended and ended.get("exitCode"):
            return f"container {container['name']} ended with {ended['exitCode']} ({ended.get('reason', '')})"
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"not scheduled: {scheduled.get('message', '')}"
    return str(status.get("phase", "not there")).lower()


def restarts_held_back(pod: dict[str, Any]) -> int:
    """The restarts of a container in CrashLoopBackOff; the highest number if there are several, 0 if there is none."""
    held_back = [c for c in _containers(pod) if _waiting(c).get("reason") == "CrashLoopBackOff"]
    return max((int(container["restartCount"]) for container in held_back), default=0)


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """The kubelet's status of each container of the pod, init containers first."""
    status = pod.get("status") or {}
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _waiting(container: dict[str, Any]) -> dict[str, Any]:
    """Why a container waits to be started or restarted. Empty if it does not wait."""
    return container.get("state", {}).get("waiting") or {}


def absent(name: str) -> dict[str, Any]:
    """A document that stands for a pod that does not exist yet."""
    return {"metadata": {"name": name}, "status": {"phase": "not there yet"}}
