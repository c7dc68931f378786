"""Writes the status of one object and remembers what the API server has. Used by both reconcilers."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError
from orchestrator.spec.status import ExperimentStatus, UpgradeStatus

_LOG = logging.getLogger(__name__)


class StatusWriter:
    """Sends what has changed since the last write. Calls `gone` if the object no longer exists."""

    def __init__(self, cluster: Cluster, kind: str, body: Mapping[str, Any], *, gone: Callable[[], None]) -> None:
        self._cluster = cluster
        self._kind = kind
        self._name = str(body["metadata"]["name"])
        self._gone = gone
        self._written: dict[str, Any] = dict(body.get("status", {}))

    def holds(self, status: ExperimentStatus | UpgradeStatus) -> bool:
        return _document(status) == self._written

    def write(self, status: ExperimentStatus | UpgradeStatus) -> bool:
        """Writes the status. Returns whether the API server has it now."""
        document = _document(status)
        changes = {key: value for key, value in document.items() if self._written.get(key) != value}
        removed = dict.fromkeys(set(self._written) - set(document))
        if not changes and not removed:
            return True
        try:
            self._cluster.patch(self._kind, self._name, None, {"status": {**changes, **removed}}, subresource="status")
        except ClusterError as error:
            if error.status == 404:  # The object is gone, but a fault that is in place must still be undone.
                self._gone()
                self._written = document
                return True
            _LOG.warning("status of %s %s is not written: %s", self._kind, self._name, error.message)
            return False
        self._written = document
        return True


def _document(status: ExperimentStatus | UpgradeStatus) -> dict[str, Any]:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
