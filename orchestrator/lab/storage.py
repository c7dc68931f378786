"""Makes a volume for each claim: a directory of the lab. The supervisor runs `python -m orchestrator.lab storage NAME`.

Kubernetes has no provisioner for local directories. This one watches claims and makes a volume for each.
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
"""The annotation that the scheduler puts on a claim when it has found a node for its pod."""

CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": PROVISIONER,
    "reclaimPolicy": "Delete",
    # A claim is bound when its pod is placed. With immediate binding, a pod can wait five minutes: when many pods come
    # at once, the scheduler can miss that the claim was bound, and then looks at the pod again only after that time.
    "volumeBindingMode": "WaitForFirstConsumer",
}


class Provisioner:
    """Makes and removes the volumes of claims."""

    def __init__(self, cluster: Cluster, lab: state.LabState) -> None:
        self._cluster = cluster
        self._folder = lab.directory / "volumes"

    def serve(self) -> None:
        """Watches all claims. Never returns."""
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
        path.chmod(0o777)  # hostPath has no fsGroup, and every user in the pod must be able to write.
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
                    "persistentVolumeReclaimPolicy": "Retain",  # We delete it ourselves, with its directory.
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
