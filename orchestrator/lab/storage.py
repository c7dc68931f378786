"""Volumes for claims: a directory of the lab each. Run by the supervisor as `python -m orchestrator.lab storage NAME`.

Kubernetes has no provisioner of its own for local directories; this one watches claims and makes a volume for each.
"""

import shutil
import sys
import time
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError
from orchestrator.lab import state

PROVISIONER = "coalmine.dev/lab"

_PLACED = "volume.kubernetes.io/selected-node"
"""What the scheduler notes on a claim when it has found a machine for its pod."""

CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": PROVISIONER,
    "reclaimPolicy": "Delete",
    # Bound when its pod is placed: a pod that is looked at before its claim is bound may wait five minutes for the next
    # look, for the scheduler can miss the binding when many pods come at once.
    "volumeBindingMode": "WaitForFirstConsumer",
}


class Provisioner:
    """Answers claims of the lab's class."""

    def __init__(self, cluster: Cluster, lab: state.LabState) -> None:
        self._cluster = cluster
        self._folder = lab.directory / "volumes"

    def serve(self) -> None:
        """Follows all claims for as long as the lab lives."""
        while True:
            try:
                for kind, claim in self._cluster.watch_all("PersistentVolumeClaim", timeout=300):
                    if kind == "DELETED":
                        self._release(claim)
                    elif claim["status"].get("phase") == "Pending" and _PLACED in claim["metadata"].get(
                        "annotations", {}
                    ):
                        self._provide(claim)
            except ClusterError as error:
                sys.stderr.write(f"{error}\n")
                time.sleep(0.5)

    def _provide(self, claim: dict[str, Any]) -> None:
        name, metadata = _volume(claim), claim["metadata"]
        path = self._folder / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o777)  # hostPath knows no fsGroup; whoever runs in the pod must be able to write.
        self._cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
                "spec": {
                    "accessModes": claim["spec"]["accessModes"],
                    "capacity": claim["spec"]["resources"]["requests"],
                    "claimRef": {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "name": metadata["name"],
                        "namespace": metadata["namespace"],
                        "uid": metadata["uid"],
                    },
                    "hostPath": {"path": str(path), "type": "Directory"},
                    "persistentVolumeReclaimPolicy": "Retain",  # We delete it ourselves, directory and all.
                    "storageClassName": claim["spec"].get("storageClassName", "standard"),
                },
            }
        )

    def _release(self, claim: dict[str, Any]) -> None:
        name = _volume(claim)
        self._cluster.delete("PersistentVolume", name)
        shutil.rmtree(self._folder / name, ignore_errors=True)


def _volume(claim: dict[str, Any]) -> str:
    return f"pv-{claim['metadata']['uid']}"


def main(name: str) -> None:
    lab = state.load(name)
    assert lab is not None
    Provisioner(Cluster.connect(kubeconfig=lab.kubeconfig), lab).serve()
