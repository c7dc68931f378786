"""Creates a stage's experiment or upgrade as a custom resource and follows it until it ends. Called by `stage`.

The controller does the work and reports in the resource's status. This module turns the status into journal events.
"""

import base64
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator import spec
from orchestrator.cluster import Cluster
from orchestrator.errors import InfrastructureError
from orchestrator.journal import Event
from orchestrator.render.network import CHUNK
from orchestrator.run.background import Background
from orchestrator.spec import CodeChunks, RuntimeCode, RuntimeUpgradeSpec, Stage

_EXPERIMENT = (
    ("confirmedAt", "inject.confirmed", ("nodes", "sides", "effect")),
    ("recoverStartedAt", "recover.start", ()),
    ("recoveredAt", "recover.confirmed", ("recovery",)),
)
_UPGRADE = (
    ("authorizedAt", "upgrade.authorized", ("authorizedBlock", "codeHash")),
    ("appliedAt", "upgrade.applied", ("appliedBlock",)),
    ("enactedAt", "upgrade.enacted", ("enactedBlock", "specVersionFrom", "specVersionTo")),
    ("completedAt", "upgrade.completed", ("steps",)),
)
LOOK = 2
"""Seconds of watching before the next check whether to stop. The API server takes whole seconds."""

STOP_LOOK = 0.5
"""Seconds between two questions whether to stop."""

UNREADABLE = "moment.unreadable"
"""The event for a status whose time is no time. `moment` in its detail is the event that is lost."""

_ENDED = {"ChaosExperiment": ("Recovered", "Failed"), "RuntimeUpgrade": ("Completed", "Failed")}


class Disturbance:
    """One custom resource of a stage, from its creation to its end."""

    def __init__(self, cluster: Cluster, namespace: str, stage: Stage, record: Callable[[Event], object]) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._stage = stage
        self._record = record
        self._noted: set[str] = set()
        self._phase: str | None = None
        self._kind = "ChaosExperiment" if stage.experiment is not None else "RuntimeUpgrade"

    @contextlib.contextmanager
    def placed(self) -> Iterator[None]:
        """Creates the resource for the length of the block. Afterwards it is gone, and its effects are undone."""
        self._cluster.apply(self._document())
        try:
            yield
        finally:
            self._cluster.delete(self._kind, self._stage.name, self._namespace)
            self._until_gone()

    def follow(self, say: Callable[[str], None], *, patience: float, stop: Callable[[], bool]) -> bool:
        """Waits until it ends or `stop` is true, and records each moment in the journal. Returns False if it failed.

        Raises:
            InfrastructureError: it does not end within `patience` seconds, for example because no controller runs.
        """
        deadline = time.monotonic() + patience
        # Whether to stop may take seconds to answer, and the moments must be noticed meanwhile.
        with Background(self._watched(say)) as watching:
            while time.monotonic() < deadline:
                if watching.ended(STOP_LOOK):
                    return self._phase != "Failed"
                if stop():
                    return True
        raise InfrastructureError(
            f"{self._kind} {self._stage.name} did not end within {patience:.0f} s",
            hint=f"`kubectl -n {self._namespace} describe {self._kind.lower()} {self._stage.name}` says more",
        )

    def _watched(self, say: Callable[[str], None]) -> Iterator[None]:
        """Notes each status of the resource until it has ended."""
        selector = f"coalmine.dev/stage={self._stage.name}"
        while True:
            for kind, item in self._cluster.watch(self._kind, self._namespace, selector, timeout=LOOK):
                if kind != "DELETED" and self._note(item.get("status") or {}, say):
                    return
                yield
            yield

    def _note(self, status: dict[str, Any], say: Callable[[str], None]) -> bool:
        """Records what is new in the status. Returns True if the resource has ended."""
        noticed = time.time()
        for field, name, details in _EXPERIMENT if self._kind == "ChaosExperiment" else _UPGRADE:
            if status.get(field) and name not in self._noted:
                self._noted.add(name)
                detail = {key: status[key] for key in details if status.get(key) is not None}
                at = _moment(status[field])
                if at is None:
                    self._unreadable(name, field, status[field], say)
                    continue
                self._record(Event(at=at, name=name, stage=self._stage.name, noticed=noticed, detail=detail))
                shown = ", ".join(str(detail[key]) for key in ("effect", "recovery") if key in detail)
                say(f"{self._stage.name}: {name}" + (f" ({shown})" if shown else ""))
        self._phase = status.get("phase")
        if self._phase == "Failed":
            self._failed(status, say)
        return self._phase in _ENDED[self._kind]

    def _unreadable(self, name: str, field: str, value: object, say: Callable[[str], None]) -> None:
        """Records that a moment is lost. Windows that refer to it then have no beginning or end."""
        cause = f"the time of {name} cannot be read: {field} is {value!r}"
        self._record(Event(name=UNREADABLE, stage=self._stage.name, detail={"moment": name, "cause": cause}))
        say(f"{self._stage.name}: {cause}")

    def _failed(self, status: dict[str, Any], say: Callable[[str], None]) -> None:
        cause = status.get("cause") or "the controller gives no cause"
        if self._kind == "ChaosExperiment":
            event = Event(name="experiment.failed", stage=self._stage.name, detail={"cause": cause})
        else:
            assert self._stage.upgrade is not None
            detail = {
                "cause": cause,
                "phase": status.get("failedPhase") or "unknown",
                "overdue": bool(status.get("overdue")),
                "block": status.get("block"),
                "chain": status.get("chain") or self._stage.upgrade.chain,
            }
            event = Event(name="upgrade.failed", stage=self._stage.name, detail=detail)
        self._record(event)
        say(f"{self._stage.name}: {event.name}: {cause}")

    def _document(self) -> dict[str, Any]:
        if self._stage.experiment is not None:
            body = self._stage.experiment.model_dump(mode="json", by_alias=True, exclude_none=True)
        else:
            assert self._stage.upgrade is not None
            body = self._uploaded(self._stage.upgrade).model_dump(mode="json", by_alias=True, exclude_none=True)
        labels = {"app.kubernetes.io/managed-by": "coalmine", "coalmine.dev/stage": self._stage.name}
        return {
            "apiVersion": spec.API_VERSION,
            "kind": self._kind,
            "metadata": {"name": self._stage.name, "namespace": self._namespace, "labels": labels},
            "spec": body,
        }

    def _uploaded(self, upgrade: RuntimeUpgradeSpec) -> RuntimeUpgradeSpec:
        """The upgrade, with the code of a file stored in the cluster so that the controller can read it."""
        if upgrade.code.file is None:
            return upgrade
        code = Path(upgrade.code.file).read_bytes()
        names = []
        for index, start in enumerate(range(0, len(code), CHUNK)):
            names.append(f"code-{self._stage.name}-{index:04d}")
            chunk = base64.b64encode(code[start : start + CHUNK]).decode()
            metadata = {"name": names[-1], "namespace": self._namespace}
            document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": {"chunk": chunk}}
            self._cluster.apply(document)
        chunks = CodeChunks(config_maps=tuple(names), sha256=hashlib.sha256(code).hexdigest())
        return upgrade.model_copy(update={"code": RuntimeCode(chunks=chunks)})

    def _until_gone(self) -> None:
        """Waits until the finalizer releases the resource, after its effects are undone. The agents keep a limit."""
        deadline = time.monotonic() + 60
        while self._cluster.get(self._kind, self._stage.name, self._namespace) is not None:
            if time.monotonic() > deadline:
                raise InfrastructureError(f"{self._kind} {self._stage.name} was not undone within 60 s")
            time.sleep(0.2)


def _moment(value: object) -> float | None:
    """Unix seconds of a status time. None if it is no time, or one without a time zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo is not None else None
