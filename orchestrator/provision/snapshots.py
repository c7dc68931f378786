"""Takes a snapshot of a running node's database. Called by `cli.snapshot`.

An ordinary pause experiment stops the node's processes: it is verified, the agents keep its time limit, and it ends
even if this process dies. The copy is what the database would find after `kill -9`. RocksDB, ParityDB and simnode's
journal are made to recover from that. Afterwards this module checks that the node was paused the whole time; otherwise
it throws the copy away.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import spec, tcp_ports
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, Refused, SnapshotError
from orchestrator.inspection.networks import NodeState
from orchestrator.progress import Progress

_POLL = 0.5
_PATIENCE = 120.0
_SAY_EVERY = 10.0
_OURS = {"app.kubernetes.io/managed-by": "coalmine", "app.kubernetes.io/component": "snapshot"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A finished archive."""

    file: Path
    sha256: str
    length: int
    files: int
    left_out: tuple[str, ...]


def take(cluster: Cluster, node: NodeState, file: Path, *, limit: float, progress: Progress) -> Taken:
    """Writes the node's base path into an archive. The node is paused for as long as that takes.

    Args:
        cluster: where the node runs.
        node: the node; it must have a pod.
        file: the archive to write.
        limit: seconds after which the node runs again in any case.
        progress: gets a line for every step.

    Raises:
        SnapshotError: the archive could not be made, or the node was not paused the whole time. No file is left then.
    """
    if not node.machine:
        raise SnapshotError(f"{node.name} has no pod on a machine ({node.trouble})")
    part = file.with_name(file.name + ".part")
    try:
        with _stopped(cluster, node, limit, progress) as still, _served(cluster, node, limit, progress) as pod:
            found, length = _received(cluster, pod, node.namespace, part, progress)
            summary = _summary(cluster, pod, node.namespace)
            if summary.get("sha256") != found:
                raise SnapshotError(f"the archive did not come whole: {summary.get('error', 'its sum is another')}")
            still()
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return Taken(file, found, length, int(summary["files"]), tuple(summary["left_out"]))


def take_volume_snapshot(
    cluster: Cluster, node: NodeState, name: str, *, volume_class: str | None, limit: float, progress: Progress
) -> None:
    """Makes a VolumeSnapshot of the node's volume, in the network's namespace. Raises as `take` does.

    Raises:
        Refused: the cluster does not know VolumeSnapshots.
    """
    try:
        cluster.list("VolumeSnapshot", node.namespace)
    except ClusterError as error:
        if error.status != 404:
            raise
        hint = "write an archive instead, which works on every cluster: -o FILE.tar.zst"
        raise Refused(f"{cluster.context} has no VolumeSnapshots (snapshot.storage.k8s.io/v1)", hint=hint) from error
    body: dict[str, Any] = {"source": {"persistentVolumeClaimName": _claim(node)}}
    if volume_class is not None:
        body["volumeSnapshotClassName"] = volume_class
    metadata = {"name": name, "namespace": node.namespace, "labels": _OURS}
    document = {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshot",
        "metadata": metadata,
        "spec": body,
    }
    with _stopped(cluster, node, limit, progress) as still:
        cluster.create(document)
        progress(f"VolumeSnapshot {name}: waiting until it is taken")
        _until(lambda: _volume_status(cluster, name, node.namespace).get("creationTime"), limit, f"{name} is not taken")
        still()
    ready = _volume_status
    _until(lambda: ready(cluster, name, node.namespace).get("readyToUse"), 10 * limit, f"{name} is not ready to use")


# The node is paused


@contextlib.contextmanager
def _stopped(cluster: Cluster, node: NodeState, limit: float, progress: Progress) -> Iterator[Callable[[], None]]:
    """Stops the node's processes within the block. The function that it gives raises if they run again."""
    name = _name(node)
    _clear(cluster, node)
    pause = {"pause": {"target": {"nodes": [node.name]}}, "duration": f"{limit:g}s"}
    metadata = {"name": name, "namespace": node.namespace, "labels": _OURS}
    cluster.create(
        {"apiVersion": spec.API_VERSION, "kind": "ChaosExperiment", "metadata": metadata, "spec": pause},
    )
    try:
        _until(lambda: _phase(cluster, node) == "Active", _PATIENCE, f"{node.name} was not stopped")
        progress(f"{node.name} is paused, for {limit:g} s at most")
        yield lambda: _still(cluster, node)
    finally:
        cluster.delete("ChaosExperiment", name, node.namespace)
        gone = f"{name} was not undone; the agents end it at its time limit"
        _until(lambda: cluster.get("ChaosExperiment", name, node.namespace) is None, _PATIENCE, gone)
        progress(f"{node.name} runs again")


def _clear(cluster: Cluster, node: NodeState) -> None:
    """Removes what a killed call left behind.

    Raises:
        SnapshotError: another call is still at work.
    """
    name, namespace = _name(node), node.namespace
    found = cluster.get("ChaosExperiment", name, namespace)
    if found is not None and (found.get("status") or {}).get("phase") not in {"Recovered", "Failed"}:
        hint = f"`kubectl -n {namespace} delete chaosexperiment {name}` ends it"
        raise SnapshotError(f"a snapshot of {node.name} is being taken already", hint=hint)
    for kind in ("ChaosExperiment", "Pod"):
        cluster.delete(kind, name, namespace)

        def gone(kind: str = kind) -> bool:
            return cluster.get(kind, name, namespace) is None

        _until(gone, _PATIENCE, f"{kind} {name} is still there")


def _phase(cluster: Cluster, node: NodeState) -> str:
    found = cluster.get("ChaosExperiment", _name(node), node.namespace)
    status = (found or {}).get("status") or {}
    if status.get("phase") == "Failed":
        raise SnapshotError(f"{node.name} was not stopped: {status.get('cause')}")
    return str(status.get("phase", "Pending"))


def _still(cluster: Cluster, node: NodeState) -> None:
    if (phase := _phase(cluster, node)) != "Active":
        hint = "give it more time with --limit"
        raise SnapshotError(f"{node.name} ran again before the copy was complete (the pause is {phase})", hint=hint)


# The pod that serves the volume


@contextlib.contextmanager
def _served(cluster: Cluster, node: NodeState, limit: float, progress: Progress) -> Iterator[str]:
    pod = _name(node)
    cluster.create(_pod(node, limit))
    try:
        _until(lambda: _ready(cluster.get("Pod", pod, node.namespace)), _PATIENCE, f"pod {pod} is not ready")
        progress("copying its volume")
        yield pod
    finally:
        cluster.delete("Pod", pod, node.namespace, grace=0)


def _pod(node: NodeState, limit: float) -> dict[str, Any]:
    """The pod's manifest. It runs on the node's machine, because the volume is only there, and only reads."""
    metadata = {
        "name": _name(node),
        "namespace": node.namespace,
        "labels": {**_OURS, "coalmine.dev/network": node.testnet},
    }
    container = {
        "name": "snapshot",
        "image": _coalmine_image(node),
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "orchestrator.snapshot", "--data", "/data", "--port", str(tcp_ports.SNAPSHOT)],
        "ports": [{"name": "http", "containerPort": tcp_ports.SNAPSHOT}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": tcp_ports.SNAPSHOT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
    }
    body = {
        "nodeName": node.machine,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": int(limit) + 60,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": _claim(node)}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body}


def _received(cluster: Cluster, pod: str, namespace: str, part: Path, progress: Progress) -> tuple[str, int]:
    """Streams the archive into a file. Returns its SHA-256 and its length in bytes."""
    digest, length, told = hashlib.sha256(), 0, time.monotonic()
    with part.open("wb") as out:
        for piece in cluster.proxy_stream("pods", pod, tcp_ports.SNAPSHOT, "/archive", namespace):
            out.write(piece)
            digest.update(piece)
            length += len(piece)
            if time.monotonic() - told > _SAY_EVERY:
                told = time.monotonic()
                progress(f"copied {length >> 20} MiB")
    return digest.hexdigest(), length


def _summary(cluster: Cluster, pod: str, namespace: str) -> dict[str, Any]:
    _, answer = cluster.proxy("pods", pod, tcp_ports.SNAPSHOT, "/summary", namespace)
    found: dict[str, Any] = json.loads(answer)
    return found


def _coalmine_image(node: NodeState) -> str:
    return str(next(c["image"] for c in node.pod["spec"]["initContainers"] if c["name"] == "init"))


def _ready(pod: dict[str, Any] | None) -> bool:
    status = (pod or {}).get("status", {})
    if status.get("phase") == "Failed":
        raise SnapshotError(f"the pod that copies the volume failed: {status.get('message') or status.get('reason')}")
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


def _volume_status(cluster: Cluster, name: str, namespace: str) -> dict[str, Any]:
    found = cluster.get("VolumeSnapshot", name, namespace)
    status: dict[str, Any] = (found or {}).get("status") or {}
    if error := status.get("error"):
        raise SnapshotError(f"VolumeSnapshot {name}: {error.get('message')}")
    return status


def _claim(node: NodeState) -> str:
    """The claim that a StatefulSet makes from the template `data`."""
    return f"data-{node.name}"


def _name(node: NodeState) -> str:
    return f"snapshot-{node.name}"


def _until(reached: Callable[[], object], patience: float, otherwise: str) -> None:
    deadline = time.monotonic() + patience
    while not reached():
        if time.monotonic() > deadline:
            raise SnapshotError(f"{otherwise} after {patience:g} s")
        time.sleep(_POLL)
