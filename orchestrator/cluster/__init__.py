"""The only access to Kubernetes: `Cluster`. Used by provisioning, readiness, the runner and the controller."""

from orchestrator.cluster.client import Cluster, Object
from orchestrator.cluster.kinds import kind_of, path_of

__all__ = ["Cluster", "Object", "kind_of", "path_of"]
