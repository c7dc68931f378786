"""Locks a network with Leases in its namespace. Called by `network`, `sweep` and `run`.

STACK is held by whoever applies or deletes objects, one holder at a time. RUN is held during a rehearsal, so that
nobody sweeps the network away under it. A holder renews its Lease from a thread. If a holder dies, others can take the
lock when the Lease expires, or at once if they see on the same machine that the process is gone. Users' clocks must
agree to about 20 s.
"""

import contextlib
import getpass
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, ProvisionError

STACK = "coalmine-stack"
RUN = "coalmine-run"
LEASES = (STACK, RUN)
SECONDS = 30
_PROCESS = "coalmine.dev/process"
"""Annotation that identifies the holder's process: boot, PID namespace, PID and start. Its name alone does not."""

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def user() -> str:
    """This user as others will read it: user@host."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # A container's user often has no name.
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


@dataclass
class HeldLock:
    """A lock that we hold. An engine calls `check` before each change."""

    name: str
    namespace: str
    version: str
    _lost: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Returns if the lock is still ours.

        Raises:
            ProvisionError: the lock expired, for example while this machine slept. Somebody else may hold it now.
        """
        if self._lost.is_set():
            raise ProvisionError(
                f"the lock of {self.namespace} was lost, so nothing more is changed",
                hint="run the same command again; it continues from here",
            )

    def lose(self) -> None:
        self._lost.set()


@contextlib.contextmanager
def held(cluster: Cluster, namespace: str, name: str = STACK, *, clock: Clock = now) -> Iterator[HeldLock]:
    """Holds the lock for the duration of the block.

    Raises:
        ProvisionError: somebody else holds it. The message names them.
    """
    lock = HeldLock(name, namespace, _acquire(cluster, namespace, name, clock))
    done = threading.Event()
    keeper = threading.Thread(target=_renew, args=(cluster, lock, done, clock), daemon=True)
    keeper.start()
    try:
        yield lock
    finally:
        done.set()
        keeper.join()
        _release(cluster, lock)


def holder(cluster: Cluster, namespace: str, name: str = STACK, *, clock: Clock = now) -> str | None:
    """Who holds the lock; None if nobody does."""
    lease = cluster.get("Lease", name, namespace)
    return str(lease["spec"]["holderIdentity"]) if lease and _stands(lease, clock()) else None


def _acquire(cluster: Cluster, namespace: str, name: str, clock: Clock) -> str:
    """Takes the Lease and returns its version, by which only one of many processes can take over a stale Lease."""
    version = None
    while version is None:
        wanted = _lease(namespace, name, clock())
        version = _try(cluster.create, wanted)
        lease = cluster.get("Lease", name, namespace) if version is None else None
        if lease is None:
            continue
        if _stands(lease, clock()):
            raise ProvisionError(
                f"{lease['spec']['holderIdentity']} is {_DOES.get(name, 'using')} this network right now",
                hint=f"wait for it to end; if it has died, its lock expires within {SECONDS} s",
            )
        wanted["metadata"]["resourceVersion"] = _version(lease)
        version = _try(partial(cluster.patch, "Lease", name, namespace), wanted)
    return version


_DOES = {STACK: "changing", RUN: "running a rehearsal on"}


def _stands(lease: dict[str, Any], at: datetime) -> bool:
    renewed = datetime.fromisoformat(lease["spec"]["renewTime"])
    seconds = lease["spec"].get("leaseDurationSeconds", SECONDS)
    return at - renewed < timedelta(seconds=seconds) and not _gone(lease["metadata"].get("annotations", {}))


def _gone(annotations: dict[str, str]) -> bool:
    """Whether the holder was a process of this machine that has ended. Holders elsewhere can only expire."""
    boot, namespace, pid, start = [*annotations.get(_PROCESS, "").split("/"), "", "", ""][:4]
    return bool(start) and (boot, namespace) == _system() and _started(pid) != start


def _system() -> tuple[str, str]:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return boot, Path("/proc/self/ns/pid").readlink().name
    except OSError:  # Not Linux: there is nothing to compare.
        return "", ""


def _started(pid: str) -> str:
    """When a process started, in ticks since boot (field 22 of `/proc/PID/stat`). Empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _renew(cluster: Cluster, lock: HeldLock, done: threading.Event, clock: Clock) -> None:
    last = clock()
    while not done.wait(SECONDS / 3):
        patch = {"metadata": {"resourceVersion": lock.version}, "spec": {"renewTime": _text(clock())}}
        try:
            lock.version = _version(cluster.patch("Lease", lock.name, lock.namespace, patch))
            last = clock()
        except ClusterError as error:
            if error.status in {404, 409} or clock() - last > timedelta(seconds=SECONDS):
                lock.lose()
                return


def _release(cluster: Cluster, lock: HeldLock) -> None:
    """Deletes our Lease, unless somebody else has taken it. The namespace may be gone, and the Lease with it."""
    with contextlib.suppress(ClusterError):
        cluster.delete("Lease", lock.name, lock.namespace, version=lock.version)


def _try(write: Callable[[dict[str, Any]], dict[str, Any]], lease: dict[str, Any]) -> str | None:
    """The version that was written; None if another process was faster."""
    try:
        return _version(write(lease))
    except ClusterError as error:
        if error.status != 409:
            raise
        return None


def _version(document: dict[str, Any]) -> str:
    return str(document["metadata"]["resourceVersion"])


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _lease(namespace: str, name: str, time: datetime) -> dict[str, Any]:
    pid = str(os.getpid())
    process = "/".join((*_system(), pid, _started(pid)))
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": namespace, "annotations": {_PROCESS: process}},
        "spec": {
            "holderIdentity": f"{user()}:{pid}",
            "leaseDurationSeconds": SECONDS,
            "acquireTime": _text(time),
            "renewTime": _text(time),
        },
    }
