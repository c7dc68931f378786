"""Carries out the pure plan of an experiment: observe, plan, write the status, act, remember the answers.

A reconciler lives as long as its object is watched. It is the only writer of the object's status, and reads it once, at
the start. Placing a fault and deleting a pod wait until the status is written; asking and undoing do not wait. Called
by `experiments`.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chaos import plan
from chaos.agent_client import Agents
from chaos.clock import wall_clock
from chaos.faults.base import listed
from chaos.nodes import Agent, Node
from chaos.scene import Action, ActionOutcome, DeletePod, Experiment, Place, World
from chaos.status import StatusWriter
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError
from orchestrator.spec.status import ExperimentStatus

_CONFLICT = 409

_PAUSES = {"Pending": 0.5, "Injecting": 0.2, "Active": 1.0, "Recovering": 0.3}
"""Seconds between two steps, by phase."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the watches show now: nodes by name, agents by machine, nodes claimed by other experiments."""

    nodes: Mapping[str, Node]
    agents: Mapping[str, Agent]
    claims: Mapping[str, frozenset[str]]


@dataclass
class ActionRunner:
    """Carries out actions for all reconcilers: the API server, the agents, and threads to wait for them."""

    cluster: Cluster
    agents: Agents
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(128, "act"))

    def act(self, actions: tuple[Action, ...], agents: Mapping[str, Agent]) -> tuple[ActionOutcome, ...]:
        """Does all actions at once. Returns the outcomes in the order of the actions."""
        return tuple(self.threads.map(lambda action: self._one(action, agents), actions))

    def _one(self, action: Action, agents: Mapping[str, Agent]) -> ActionOutcome:
        if isinstance(action, DeletePod):
            return self._delete(action)
        return self.agents.act(action, agents.get(action.machine))

    def _delete(self, action: DeletePod) -> ActionOutcome:
        """Deletes exactly this pod. If another pod has the name by now, the API server answers with a conflict."""
        try:
            self.cluster.delete("Pod", action.node, grace=0, uid=action.pod_uid)
        except ClusterError as error:
            if error.status != _CONFLICT:
                return ActionOutcome(action, failure=error.message)
        return ActionOutcome(action)


@dataclass
class Reconciler:
    """Steps one experiment. `status` was planned last; `writer` knows how much of it the API server has."""

    experiment: Experiment
    status: ExperimentStatus
    runner: ActionRunner
    writer: StatusWriter = field(init=False)
    clock: Callable[[], datetime] = wall_clock
    _outcomes: tuple[ActionOutcome, ...] = ()

    @property
    def name(self) -> str:
        return self.experiment.name

    @property
    def phase(self) -> str:
        return self.status.phase

    def tell(self) -> str:
        """One sentence about the current phase."""
        status = self.status
        found = {"Active": status.effect, "Recovering": "the fault is being taken back", "Recovered": status.recovery}
        chosen = {"Injecting": f"{self.experiment.kind} on {listed(status.nodes)}"}
        return status.cause or found.get(status.phase) or chosen.get(status.phase, "")

    @property
    def ended(self) -> bool:
        return self.status.phase in plan.ENDS and self.writer.holds(self.status)

    def mark_deleted(self) -> None:
        self.experiment = replace(self.experiment, deleted=True)

    def step(self, around: Surroundings) -> float:
        """Does one round. Returns the seconds until the next."""
        world = World(around.nodes, around.agents, around.claims, self._outcomes)
        before = self.status.phase
        decided = plan.step(self.experiment, self.status, world, self.clock())
        self.status = decided.status
        written = self.writer.write(self.status)
        actions = decided.actions if written else tuple(a for a in decided.actions if not _needs_ledger(a))
        self._outcomes = self.runner.act(actions, around.agents)
        if self.status.phase != before or not written:
            return 0.0 if written else _PAUSES["Pending"]
        return self._until_next()

    def _until_next(self) -> float:
        pause = _PAUSES.get(self.status.phase, 0.0)
        if self.status.phase != "Active" or self.status.confirmed_at is None:
            return pause
        since = (self.clock() - self.status.confirmed_at).total_seconds()
        return max(0.0, min(pause, self.experiment.spec.duration - since))


def _needs_ledger(action: Action) -> bool:
    return isinstance(action, Place | DeletePod)


def reconciler(body: Mapping[str, Any], runner: ActionRunner) -> Reconciler:
    """A reconciler for the custom resource. It continues from the resource's status."""
    status = ExperimentStatus.model_validate(dict(body.get("status", {})))
    one = Reconciler(Experiment.parse(body), status, runner)
    one.writer = StatusWriter(runner.cluster, "ChaosExperiment", body, gone=one.mark_deleted)
    return one
