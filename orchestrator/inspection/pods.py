"""What a pod's status says of it. Pure; called by `networks` and by the readiness ladder's first rungs."""

from typing import Any


def trouble(pod: dict[str, Any]) -> str | None:
    """Why a pod is not ready, in a few words; None when it is."""
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
    """How often the kubelet has restarted a container that it holds back now because it keeps ending."""
    held_back = [c for c in _containers(pod) if _waiting(c).get("reason") == "CrashLoopBackOff"]
    return max((int(container["restartCount"]) for container in held_back), default=0)


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """What the kubelet says of each of a pod's containers."""
    status = pod.get("status") or {}
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _waiting(container: dict[str, Any]) -> dict[str, Any]:
    """Why a container does not run yet, or not again; empty when it does."""
    return container.get("state", {}).get("waiting") or {}


def absent(name: str) -> dict[str, Any]:
    """The document of a pod that is not there."""
    return {"metadata": {"name": name}, "status": {"phase": "not there yet"}}
