"""Turns the pure plan of an experiment into deeds: observe, plan, write the status, act, remember the answers.

One reconciler lives as long as its object is watched. It is the only writer of the object's status, and reads it once,
at start. Placing and deleting wait for a written status; asking and taking back never do. Called by `operator`.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from chaos import plan
from chaos.agents import Agents
from chaos.faults.base import listed
from chaos.nodes import Agent, Node
from chaos.scene import Action, DeletePod, Experiment, Outcome, Place, World
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError
from orchestrator.spec.status import ExperimentStatus

_LOG = logging.getLogger(__name__)
_PAUSES = {"Pending": 0.5, "Injecting": 0.2, "Active": 1.0, "Recovering": 0.3}
"""Seconds between two steps of a phase that lasts."""


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the watches show at this moment."""

    nodes: Mapping[str, Node]
    agents: Mapping[str, Agent]
    claims: Mapping[str, frozenset[str]]


@dataclass
class Hands:
    """What acts, shared by all reconcilers: the API server, the agents, and threads to wait for them."""

    cluster: Cluster
    agents: Agents
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(32, "act"))

    def act(self, actions: tuple[Action, ...], agents: Mapping[str, Agent]) -> tuple[Outcome, ...]:
        """All actions at once; the answers in their order."""
        return tuple(self.threads.map(lambda action: self._one(action, agents), actions))

    def _one(self, action: Action, agents: Mapping[str, Agent]) -> Outcome:
        if isinstance(action, DeletePod):
            return self._delete(action)
        return self.agents.act(action, agents.get(action.machine))

    def _delete(self, action: DeletePod) -> Outcome:
        """Looks once more before it deletes: by now the name may be another pod's."""
        try:
            pod = self.cluster.get("Pod", action.node)
            if pod is not None and pod["metadata"]["uid"] == action.pod_uid:
                self.cluster.delete("Pod", action.node, grace=0)
        except ClusterError as error:
            return Outcome(action, failure=error.message)
        return Outcome(action)


@dataclass
class Reconciler:
    """Steps one experiment. `status` is what was planned last, `_written` what the API server has of it."""

    experiment: Experiment
    status: ExperimentStatus
    hands: Hands
    clock: Callable[[], datetime] = wall_clock
    _written: dict[str, Any] | None = None
    _outcomes: tuple[Outcome, ...] = ()

    @property
    def name(self) -> str:
        return self.experiment.name

    @property
    def phase(self) -> str:
        return self.status.phase

    def tell(self) -> str:
        """What the phase has come to, one sentence."""
        status = self.status
        found = {"Active": status.effect, "Recovered": status.recovery}
        chosen = {"Injecting": f"{self.experiment.kind} on {listed(status.nodes)}"}
        return status.cause or found.get(status.phase) or chosen.get(status.phase, "")

    @property
    def ended(self) -> bool:
        return self.status.phase in plan.ENDS and self._written == _document(self.status)

    def mark_deleted(self) -> None:
        self.experiment = replace(self.experiment, deleted=True)

    def step(self, around: Surroundings) -> float:
        """One round; how long the next may wait, in seconds."""
        world = World(around.nodes, around.agents, around.claims, self._outcomes)
        before = self.status.phase
        decided = plan.step(self.experiment, self.status, world, self.clock())
        self.status = decided.status
        written = self._write()
        actions = decided.actions if written else tuple(a for a in decided.actions if not _needs_ledger(a))
        self._outcomes = self.hands.act(actions, around.agents)
        if self.status.phase != before or not written:
            return 0.0 if written else _PAUSES["Pending"]
        return self._until_next()

    def _until_next(self) -> float:
        pause = _PAUSES.get(self.status.phase, 0.0)
        if self.status.phase != "Active" or self.status.confirmed_at is None:
            return pause
        since = (self.clock() - self.status.confirmed_at).total_seconds()
        return max(0.0, min(pause, self.experiment.spec.duration - since))

    def _write(self) -> bool:
        """Whether the API server has the status."""
        document = _document(self.status)
        if document == self._written:
            return True
        known = self._written or {}
        changes = {key: value for key, value in document.items() if known.get(key) != value}
        removed = dict.fromkeys(set(known) - set(document))
        try:
            patch = {"status": {**changes, **removed}}
            self.hands.cluster.patch("ChaosExperiment", self.experiment.name, None, patch, subresource="status")
        except ClusterError as error:
            if error.status == 404:  # Deleted past our finalizer: take back what is in place, with nowhere to write.
                self.mark_deleted()
                self._written = document
                return True
            _LOG.warning("status of %s is not written: %s", self.experiment.name, error.message)
            return False
        self._written = document
        return True


def _needs_ledger(action: Action) -> bool:
    return isinstance(action, Place | DeletePod)


def _document(status: ExperimentStatus) -> dict[str, Any]:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def reconciler(body: Mapping[str, Any], hands: Hands) -> Reconciler:
    """A reconciler for the custom resource, going on from the status that it has."""
    status = ExperimentStatus.model_validate(dict(body.get("status", {})))
    return Reconciler(Experiment.parse(body), status, hands, _written=_document(status) if body.get("status") else None)
