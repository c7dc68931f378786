"""`ChaosExperiment`: a fault, whom it hits, for how long. Read by `spec.load` and, as a custom resource, by `chaos`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from orchestrator.spec.base import ExactlyOne, Metadata, Model, Name
from orchestrator.units import Duration


class Target(ExactlyOne):
    """Which nodes a fault hits. Bootnodes are hit only when they are named."""

    nodes: tuple[str, ...] | None = Field(default=None, min_length=1, description="Nodes by name, such as validator-0.")
    group: Name | None = Field(default=None, description="A node group; `count` of its nodes, all by default.")
    authorities: Literal["one", "minority", "blocking-third", "majority"] | None = Field(
        default=None,
        description="Relay authorities by what their loss means: minority is the most that finality survives, "
        "blocking-third the smallest that stops it, majority more than half.",
    )
    parachain: int | None = Field(default=None, description="The collators of a parachain, by id.")
    count: int = Field(default=0, ge=0, description="How many of them, chosen by the experiment's seed; 0 is all.")


class Pause(Model):
    """Stops the nodes' processes where they stand (SIGSTOP); memory and sockets stay."""

    target: Target


class Kill(Model):
    """Deletes the pods without grace. The database survives, memory does not."""

    target: Target


class Partition(Model):
    """Cuts the whole network in two or more. Every node stands on one side, collators and bootnodes included."""

    sides: tuple[Target, ...] = Field(min_length=2)
    others: Literal["spread", "refuse"] = Field(
        default="spread",
        description="Nodes that no side names: `spread` puts them on the sides in turn, `refuse` refuses.",
    )


class Fault(ExactlyOne):
    """Exactly one fault."""

    pause: Pause | None = None
    kill: Kill | None = None
    partition: Partition | None = None


class ChaosExperimentSpec(Fault):
    """A fault, its length from the moment that it is confirmed, and the time after which it ends come what may."""

    duration: Duration = Field(gt=0, description="From confirmed injection to the start of recovery.")
    ttl: Duration | None = Field(
        default=None,
        description="Hard limit from injection on, kept by the agent alone if it must; duration plus 60s by default.",
    )
    seed: int = Field(default=1, description="Decides which nodes are chosen where the target leaves a choice.")

    @model_validator(mode="after")
    def _ttl_outlasts_duration(self) -> Self:
        if self.ttl is not None and self.ttl < self.duration:
            raise ValueError("ttl is shorter than duration")
        return self

    @property
    def hard_ttl(self) -> float:
        """Seconds."""
        return self.ttl if self.ttl is not None else self.duration + 60.0

    @classmethod
    def alternatives(cls) -> tuple[str, ...]:
        return ("pause", "kill", "partition")


class ChaosExperiment(Model):
    """A fault to inject: `kind: ChaosExperiment`."""

    api_version: Literal["coalmine.dev/v1alpha1"] = Field(default="coalmine.dev/v1alpha1", description="The format.")
    kind: Literal["ChaosExperiment"] = Field(description="What this object is.")
    metadata: Metadata = Field(description="The object's name and labels.")
    spec: ChaosExperimentSpec
