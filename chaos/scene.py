"""The input and output of a decision about an experiment, as values. Read by `plan` and the faults."""

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
    """Place a fault on a pod, through the agent of its machine."""

    machine: str
    node: str
    fault_id: str
    order: Order


@dataclass(frozen=True, slots=True)
class End:
    """Undo a pod's fault."""

    machine: str
    node: str
    fault_id: str
    pod_uid: str


@dataclass(frozen=True, slots=True)
class ProbeFrom:
    """Try TCP connections from a pod: `across` to other sides of a partition, `within` to its own side."""

    machine: str
    node: str
    pod_uid: str
    across: tuple[tuple[str, int], ...]
    within: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class AskAgent:
    """Ask an agent which faults it holds and which its machine does not support."""

    machine: str


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Delete exactly this pod, without a grace period."""

    node: str
    pod_uid: str


Action = Place | End | ProbeFrom | AskAgent | DeletePod


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """The result of an action: its answer, or why there is none. A refusal is final; silence is not."""

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
        """Reads the custom resource. Raises pydantic's ValidationError if the API server accepted an invalid one."""
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
        """The id of a node's fault for its agent. If the object is deleted and created again, the ids differ."""
        return f"{self.uid[:13]}.{node}"


@dataclass(frozen=True, slots=True)
class World:
    """One observation: nodes by name, agents by machine, other experiments' nodes, and the last actions' outcomes."""

    nodes: Mapping[str, Node]
    agents: Mapping[str, Agent]
    claims: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Nodes on which other experiments have a fault of the same kind, by experiment."""
    outcomes: tuple[ActionOutcome, ...] = ()

    def surveys(self) -> Mapping[str, Survey]:
        """The agents' reports of the faults that they hold, by machine."""
        return {
            outcome.action.machine: outcome.answer
            for outcome in self.outcomes
            if isinstance(outcome.action, AskAgent) and isinstance(outcome.answer, Survey)
        }

    def outcomes_of(self, kind: type[Place | End | ProbeFrom | DeletePod]) -> Mapping[str, ActionOutcome]:
        """The outcomes of the last actions of that kind, by node."""
        return {
            outcome.action.node: outcome
            for outcome in self.outcomes
            if not isinstance(outcome.action, AskAgent) and isinstance(outcome.action, kind)
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """The whole input of one decision."""

    experiment: Experiment
    status: ExperimentStatus
    world: World
    now: datetime

    @property
    def seconds_left(self) -> float:
        """Seconds until the hard limit. The agents count the same time by their own clocks."""
        assert self.status.expires_at is not None
        return (self.status.expires_at - self.now).total_seconds()


@dataclass(frozen=True, slots=True)
class Plan:
    """The status to write, then the actions to do. In this order, so that the ledger names a fault before it exists."""

    status: ExperimentStatus
    actions: tuple[Action, ...] = ()
