"""`ChaosExperiment`: a fault, its targets and its length. Read by `spec.load`, and as a custom resource by `chaos`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from orchestrator.spec.base import ExactlyOne, Metadata, Model, Name
from orchestrator.units import Duration


class Target(ExactlyOne):
    """Which nodes a fault hits. Bootnodes are hit only if they are named."""

    nodes: tuple[str, ...] | None = Field(default=None, min_length=1, description="Nodes by name, such as validator-0.")
    group: Name | None = Field(default=None, description="A node group; `count` of its nodes, all by default.")
    authorities: Literal["one", "minority", "blocking-third", "majority"] | None = Field(
        default=None,
        description="How many relay authorities, by the effect of their loss: minority is the most that finality "
        "survives, blocking-third the fewest that stop it, majority more than half.",
    )
    parachain: int | None = Field(default=None, description="The collators of a parachain, by id.")
    count: int = Field(default=0, ge=0, description="How many of them, chosen by the seed; 0 means all.")


class Pause(Model):
    """Stops the nodes' processes (SIGSTOP). They keep their memory and sockets."""

    target: Target


class Kill(Model):
    """Deletes the pods without a grace period. The database survives, memory does not."""

    target: Target


class Partition(Model):
    """Cuts the whole network into two or more sides. Every node is on one side, including collators and bootnodes."""

    sides: tuple[Target, ...] = Field(min_length=2)
    others: Literal["spread", "refuse"] = Field(
        default="spread",
        description="What to do with nodes that no side names: `spread` puts them on the sides in turn, `refuse` "
        "refuses the experiment.",
    )


class Fault(ExactlyOne):
    """Exactly one fault."""

    pause: Pause | None = None
    kill: Kill | None = None
    partition: Partition | None = None


class ChaosExperimentSpec(Fault):
    """A fault, its duration from the moment that it is confirmed, and its hard time limit."""

    duration: Duration = Field(gt=0, description="From confirmed injection to the start of recovery.")
    ttl: Duration | None = Field(
        default=None,
        description="Hard time limit from the start of injection; the agent keeps it even without the controller. "
        "Default: duration plus 60s.",
    )
    seed: int = Field(default=1, description="Decides which nodes are chosen if the target leaves a choice.")

    @model_validator(mode="after")
    def _ttl_outlasts_duration(self) -> Self:
        if self.ttl is not None and self.ttl < self.duration:
            raise ValueError("ttl is shorter than duration")
        return self

    @property
    def hard_ttl(self) -> float:
        """The hard time limit in seconds, `ttl` or its default."""
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
