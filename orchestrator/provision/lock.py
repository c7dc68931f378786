"""One change at a time to a network, held by a Lease in its namespace. Called by `embedded`.

The holder renews it from a thread; a holder that died is overtaken when the lease has run out.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, ProvisionError

NAME = "coalmine-stack"
SECONDS = 30


@contextlib.contextmanager
def held(cluster: Cluster, namespace: str) -> Iterator[None]:
    """Holds the lock for the duration of the block.

    Raises:
        ProvisionError: when somebody else holds it.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}"
    _acquire(cluster, namespace, holder)
    done = threading.Event()
    keeper = threading.Thread(target=_renew, args=(cluster, namespace, done), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        with contextlib.suppress(ClusterError):  # The namespace may be gone, and the lease with it.
            cluster.delete("Lease", NAME, namespace)


def _acquire(cluster: Cluster, namespace: str, holder: str) -> None:
    while True:
        try:
            cluster.create(_lease(namespace, holder))
        except ClusterError as error:
            if error.status != 409:
                raise
        else:
            return
        lease = cluster.get("Lease", NAME, namespace)
        if lease is None:
            continue
        renewed = datetime.fromisoformat(lease["spec"]["renewTime"])
        if datetime.now(UTC) - renewed < timedelta(seconds=SECONDS):
            raise ProvisionError(
                f"{lease['spec']['holderIdentity']} is changing this network right now",
                hint=f"wait for it to end; if it has died, its lock runs out within {SECONDS} s",
            )
        cluster.delete("Lease", NAME, namespace)


def _renew(cluster: Cluster, namespace: str, done: threading.Event) -> None:
    while not done.wait(SECONDS / 3):
        with contextlib.suppress(ClusterError):  # Renewed again in a moment; three failures in a row lose the lock.
            cluster.patch("Lease", NAME, namespace, {"spec": {"renewTime": _now()}})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _lease(namespace: str, holder: str) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": SECONDS, "acquireTime": _now(), "renewTime": _now()},
    }
