"""What the controller says of an experiment or an upgrade: the `status` of the custom resources.

Written by `chaos` alone, read by `run` and by people; the schema in the cluster is generated from here (`spec.crd`).
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from orchestrator.spec.base import Model


def _parse(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    datetime,
    BeforeValidator(_parse),
    PlainSerializer(format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant in memory, RFC 3339 with milliseconds in documents."""


class Observed(Model):
    """A piece of status. A newer controller may have written more than this version knows."""

    model_config = ConfigDict(extra="ignore")


class Condition(Observed):
    """A Kubernetes condition; `kubectl wait --for=condition=TYPE` looks at it."""

    type: str = Field(description="What is said to be so or not.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it is so.")
    reason: str = Field(description="One word why.")
    message: str = Field(default="", description="One sentence why.")
    last_transition_time: Time = Field(description="When its status changed last.")
    observed_generation: int = Field(default=0, description="The generation of the object that this is about.")


class LedgerEntry(Observed):
    """One fault on one pod: where it was put, and what was measured there."""

    node: str = Field(description="The node that is hit.")
    side: int | None = Field(default=None, description="Of a partition, counted from 0.")
    machine: str = Field(description="The Kubernetes node whose agent holds the fault.")
    pod_uid: str = Field(description="The uid of the pod that the fault was put on.")
    pod_ip: str | None = Field(default=None, description="The pod's address at that time.")
    container_id: str | None = Field(default=None, description="The container that the fault was put on.")
    requested_at: Time | None = Field(default=None, description="When the current pod was first asked for.")
    placed_at: Time | None = Field(default=None, description="When the agent had read it back.")
    recovered_at: Time | None = Field(default=None, description="When recovery was measured.")
    effect: str | None = Field(default=None, description="What was measured while the fault was on.")
    recovery: str | None = Field(default=None, description="What was measured after it.")
    trouble: str | None = Field(default=None, description="Why the last attempt came to nothing.")


ExperimentPhase = Literal["Pending", "Injecting", "Active", "Recovering", "Recovered", "Failed"]


class ExperimentStatus(Observed):
    """Where an experiment stands. `Recovered` and `Failed` are ends, and in both nothing is left in place."""

    phase: ExperimentPhase = Field(default="Pending", description="Where it stands.")
    cause: str | None = Field(default=None, description="Why it failed, one sentence.")
    observed_generation: int = Field(default=0, description="The generation of the object that this is about.")
    fault: str | None = Field(default=None, description="The kind of fault.")
    targets: int | None = Field(default=None, description="How many nodes are hit.")
    nodes: tuple[str, ...] = Field(default=(), description="Names of the nodes that are hit.")
    sides: tuple[tuple[str, ...], ...] = Field(default=(), description="Of a partition: the nodes of each side.")
    injected_at: Time | None = Field(default=None, description="Start of injection.")
    confirmed_at: Time | None = Field(
        default=None, description="The fault was measured everywhere; duration counts from here."
    )
    expires_at: Time | None = Field(default=None, description="The hard limit, which the agents keep alone.")
    recover_started_at: Time | None = Field(default=None, description="When recovery was begun.")
    recovered_at: Time | None = Field(default=None, description="Recovery was measured everywhere.")
    effect: str | None = Field(default=None, description="What was measured while the fault was on.")
    recovery: str | None = Field(default=None, description="What was measured after it.")
    conditions: tuple[Condition, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()


class Step(Observed):
    """Something seen on the way of an upgrade, on the chain itself."""

    name: str = Field(description="What was seen.")
    at: Time = Field(description="When it was seen first.")
    block: int = Field(description="The block in which it was seen first, of the chain named.")
    chain: str = Field(description="The chain on which it was seen.")
    detail: str = Field(default="", description="More of it, in a few words.")


UpgradePhase = Literal["Preflight", "Authorized", "Applied", "Enacted", "Settling", "Completed", "Failed"]


class UpgradeStatus(Observed):
    """Where an upgrade stands. Each phase is what the chain was last seen to have reached."""

    phase: UpgradePhase = Field(default="Preflight", description="Where it stands.")
    cause: str | None = Field(default=None, description="Why it failed, one sentence.")
    failed_phase: UpgradePhase | None = Field(default=None, description="The phase in which it failed.")
    observed_generation: int = Field(default=0, description="The generation of the object that this is about.")
    chain: str | None = Field(default=None, description="The chain that is upgraded.")
    block: int | None = Field(default=None, description="Where the chain stands, or the block that failed.")
    block_at: Time | None = Field(default=None, description="When that block was seen first.")
    spec_name: str | None = Field(default=None, description="The runtime's name.")
    spec_version_from: int | None = Field(default=None, description="The version before.")
    spec_version_to: int | None = Field(default=None, description="The version that the new code has.")
    transaction_version_from: int | None = Field(default=None, description="The transaction version before.")
    transaction_version_to: int | None = Field(
        default=None, description="The transaction version that the new code has."
    )
    code_hash: str | None = Field(default=None, description="The new code's hash, as it is authorised.")
    code_bytes: int | None = Field(default=None, description="The new code's size in bytes.")
    authorized_at: Time | None = Field(default=None, description="When the authorisation was seen.")
    authorized_block: int | None = Field(default=None, description="The block in which it was seen.")
    applied_at: Time | None = Field(default=None, description="When the applied code was seen.")
    applied_block: int | None = Field(default=None, description="The block in which it was seen.")
    enacted_at: Time | None = Field(
        default=None, description="A block built by the new code was included and finalised, seen on every node."
    )
    enacted_block: int | None = Field(default=None, description="The first block of the new code.")
    session_at_enactment: int | None = Field(default=None, description="The relay chain's session at that block.")
    session: int | None = Field(default=None, description="The relay chain's session when last looked at.")
    completed_at: Time | None = Field(default=None, description="When the sessions after enactment were over.")
    steps: tuple[Step, ...] = ()
    conditions: tuple[Condition, ...] = ()
