"""What a decision about an experiment may look at, and what it may ask for: values. Read by `plan` and the faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from chaos.nodes import Agent, Node
from chaos.wire import Ended, Order, Placed, ProbeAnswer, Survey
from orchestrator.spec.experiment import ChaosExperimentSpec
from orchestrator.spec.status import ExperimentStatus


@dataclass(frozen=True, slots=True)
class Place:
    """Order a pod's fault from the agent of its machine."""

    machine: str
    node: str
    fault_id: str
    order: Order


@dataclass(frozen=True, slots=True)
class End:
    """Take a pod's fault back."""

    machine: str
    node: str
    fault_id: str
    pod_uid: str


@dataclass(frozen=True, slots=True)
class ProbeFrom:
    """Connect from a pod to others; `across` are on other sides of a partition, `within` on its own."""

    machine: str
    node: str
    pod_uid: str
    across: tuple[tuple[str, int], ...]
    within: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class AskAgent:
    """What an agent holds, and what its machine cannot do."""

    machine: str


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete this very pod, without grace."""

    node: str
    pod_uid: str


Action = Place | End | ProbeFrom | AskAgent | DeletePod


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """How an action ended: its answer, or why there is none. A refusal is final, silence is not."""

    action: Action
    answer: Placed | Ended | ProbeAnswer | Survey | None = None
    failure: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Experiment:
    """The custom resource, without its status."""

    name: str
    uid: str
    generation: int
    spec: ChaosExperimentSpec
    deleted: bool = False

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The experiment in a custom resource; pydantic's ValidationError where the API server let too much pass."""
        metadata = body["metadata"]
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata["generation"],
            spec=ChaosExperimentSpec.model_validate(dict(body["spec"])),
            deleted="deletionTimestamp" in metadata,
        )

    @property
    def kind(self) -> str:
        return self.spec.chosen()

    def fault_id(self, node: str) -> str:
        """Names a node's fault to its agent; another incarnation of the same object has others."""
        return f"{self.uid[:13]}.{node}"


@dataclass(frozen=True, slots=True)
class World:
    """What is there: pods by name, agents by machine, who else disturbs what, and how the last actions ended."""

    nodes: Mapping[str, Node]
    agents: Mapping[str, Agent]
    claims: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Nodes on which other experiments have a fault of the same kind, by experiment."""
    outcomes: tuple[ActionOutcome, ...] = ()

    def surveys(self) -> Mapping[str, Survey]:
        """What the agents said that they hold, by machine."""
        return {
            outcome.action.machine: outcome.answer
            for outcome in self.outcomes
            if isinstance(outcome.action, AskAgent) and isinstance(outcome.answer, Survey)
        }

    def outcomes_of(self, kind: type[Place | End | ProbeFrom | DeletePod]) -> Mapping[str, ActionOutcome]:
        """How the last actions of that kind ended, by node."""
        return {
            outcome.action.node: outcome
            for outcome in self.outcomes
            if not isinstance(outcome.action, AskAgent) and isinstance(outcome.action, kind)
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that one decision sees."""

    experiment: Experiment
    status: ExperimentStatus
    world: World
    now: datetime

    @property
    def seconds_left(self) -> float:
        """Until the hard limit; the agents count the same time by their own clocks."""
        assert self.status.expires_at is not None
        return (self.status.expires_at - self.now).total_seconds()


@dataclass(frozen=True, slots=True)
class Plan:
    """The status to be written, then the actions to be done, in that order: the ledger precedes the deed."""

    status: ExperimentStatus
    actions: tuple[Action, ...] = ()
