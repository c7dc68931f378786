"""The API paths of the kinds that coalmine uses. Pure. Called by `client`.

It is a table instead of discovery: we use few kinds, and discovery costs a dozen requests at each start.
"""

from dataclasses import dataclass
from typing import Any

from orchestrator import spec
from orchestrator.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Kind:
    """The place of a kind in the API."""

    name: str
    api_version: str
    plural: str
    namespaced: bool = True

    def path(self, *, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        if self.namespaced and namespace:
            root += f"/namespaces/{namespace}"
        parts = [root, self.plural, *(part for part in (name, subresource) if part)]
        return "/".join(parts)


_KINDS = {
    kind.name: kind
    for kind in (
        Kind("Namespace", "v1", "namespaces", namespaced=False),
        Kind("Node", "v1", "nodes", namespaced=False),
        Kind("PersistentVolume", "v1", "persistentvolumes", namespaced=False),
        Kind("ConfigMap", "v1", "configmaps"),
        Kind("Event", "v1", "events"),
        Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims"),
        Kind("Pod", "v1", "pods"),
        Kind("Secret", "v1", "secrets"),
        Kind("Service", "v1", "services"),
        Kind("ServiceAccount", "v1", "serviceaccounts"),
        Kind("DaemonSet", "apps/v1", "daemonsets"),
        Kind("Deployment", "apps/v1", "deployments"),
        Kind("StatefulSet", "apps/v1", "statefulsets"),
        Kind("Job", "batch/v1", "jobs"),
        Kind("Lease", "coordination.k8s.io/v1", "leases"),
        Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
        Kind("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
        Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
        Kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
        Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
        Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
        Kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
        Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", namespaced=False),
        Kind("CustomResourceDefinition", "apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False),
        Kind("PodMonitor", "monitoring.coreos.com/v1", "podmonitors"),
        Kind("VolumeSnapshot", "snapshot.storage.k8s.io/v1", "volumesnapshots"),
        Kind("PodMetrics", "metrics.k8s.io/v1beta1", "pods"),
        Kind("ChaosExperiment", spec.API_VERSION, "chaosexperiments"),
        Kind("RuntimeUpgrade", spec.API_VERSION, "runtimeupgrades"),
    )
}


def kind_of(name: str) -> Kind:
    """The kind of that name.

    Raises:
        ClusterError: the table does not have it.
    """
    if name not in _KINDS:
        raise ClusterError(f"coalmine does not handle objects of kind {name}")
    return _KINDS[name]


def path_of(document: dict[str, Any]) -> str:
    """The API path of an object, from its kind, namespace and name."""
    metadata = document["metadata"]
    return kind_of(document["kind"]).path(namespace=metadata.get("namespace"), name=metadata["name"])
