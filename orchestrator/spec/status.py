"""The `status` of the custom resources: what the controller reports about an experiment or an upgrade.

Only `chaos` writes it; `run` and users read it. The schema in the cluster is generated from here (`spec.crd`).
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
    """A part of a status. Unknown fields are ignored: a newer controller may have written them."""

    model_config = ConfigDict(extra="ignore")


class Condition(Observed):
    """A Kubernetes condition. `kubectl wait --for=condition=TYPE` waits for it."""

    type: str = Field(description="The condition's name.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the condition holds.")
    reason: str = Field(description="The reason, in one word.")
    message: str = Field(default="", description="The reason, in one sentence.")
    last_transition_time: Time = Field(description="When its status last changed.")
    observed_generation: int = Field(default=0, description="The generation of the object that this is about.")


class LedgerEntry(Observed):
    """One fault on one pod: where it was placed, and what was measured there."""

    node: str = Field(description="The node that is hit.")
    side: int | None = Field(default=None, description="The node's side of a partition, counted from 0.")
    machine: str = Field(description="The Kubernetes node whose agent holds the fault.")
    pod_uid: str = Field(description="The uid of the pod on which the fault was placed.")
    pod_ip: str | None = Field(default=None, description="The pod's address at that time.")
    container_id: str | None = Field(default=None, description="The container on which the fault was placed.")
    requested_at: Time | None = Field(default=None, description="When the fault was first ordered for this pod.")
    placed_at: Time | None = Field(default=None, description="When the agent had read the fault back.")
    recovered_at: Time | None = Field(default=None, description="When recovery was measured.")
    effect: str | None = Field(default=None, description="What was measured while the fault was in place.")
    recovery: str | None = Field(default=None, description="What was measured after the fault.")
    trouble: str | None = Field(default=None, description="Why the last attempt failed.")


ExperimentPhase = Literal["Pending", "Injecting", "Active", "Recovering", "Recovered", "Failed"]


class ExperimentStatus(Observed):
    """The state of an experiment. It ends as `Recovered` or `Failed`; in both cases no fault is left in place."""

    phase: ExperimentPhase = Field(default="Pending", description="The current phase.")
    cause: str | None = Field(default=None, description="Why it failed, in one sentence.")
    observed_generation: int = Field(default=0, description="The generation of the object that this is about.")
    fault: str | None = Field(default=None, description="The kind of fault.")
    targets: int | None = Field(default=None, description="How many nodes are hit.")
    nodes: tuple[str, ...] = Field(default=(), description="Names of the nodes that are hit.")
    sides: tuple[tuple[str, ...], ...] = Field(default=(), description="For a partition: the nodes of each side.")
    injected_at: Time | None = Field(default=None, description="When injection began.")
    confirmed_at: Time | None = Field(
        default=None, description="When the fault was measured everywhere; duration counts from here."
    )
    expires_at: Time | None = Field(default=None, description="The hard limit; the agents keep it by themselves.")
    recover_started_at: Time | None = Field(default=None, description="When recovery began.")
    recovered_at: Time | None = Field(default=None, description="When recovery was measured everywhere.")
    effect: str | None = Field(default=None, description="What was measured while the fault was in place.")
    recovery: str | None = Field(default=None, description="What was measured after the fault.")
    conditions: tuple[Condition, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()


class Step(Observed):
    """A step of an upgrade that was seen on a chain."""

    name: str = Field(description="What was seen.")
    at: Time = Field(description="When it was first seen.")
    block: int = Field(description="The block in which it was first seen, of the named chain.")
    chain: str = Field(description="The chain on which it was seen.")
    detail: str = Field(default="", description="Details, in a few words.")


UpgradePhase = Literal["Preflight", "Authorized", "Applied", "Enacted", "Settling", "Completed", "Failed"]


class UpgradeStatus(Observed):
    """The state of an upgrade. The phase is the last one that the chain was seen to reach."""

    phase: UpgradePhase = Field(default="Preflight", description="The current phase.")
    cause: str | None = Field(default=None, description="Why it failed, in one sentence.")
    failed_phase: UpgradePhase | None = Field(default=None, description="The phase in which it failed.")
    overdue: bool = Field(default=False, description="It failed by taking too long, which a slow machine can cause.")
    observed_generation: int = Field(default=0, description="The generation of the object that this is about.")
    chain: str | None = Field(default=None, description="The chain that is upgraded.")
    block: int | None = Field(default=None, description="The last finalised block; after a failure the best block.")
    block_at: Time | None = Field(default=None, description="When that block was first seen.")
    spec_name: str | None = Field(default=None, description="The runtime's name.")
    spec_version_from: int | None = Field(default=None, description="The old version.")
    spec_version_to: int | None = Field(default=None, description="The new code's version.")
    transaction_version_from: int | None = Field(default=None, description="The old transaction version.")
    transaction_version_to: int | None = Field(default=None, description="The new code's transaction version.")
    code_hash: str | None = Field(default=None, description="The new code's hash, which is authorised.")
    code_bytes: int | None = Field(default=None, description="The new code's size in bytes.")
    authorized_at: Time | None = Field(default=None, description="When the authorisation was seen.")
    authorized_block: int | None = Field(default=None, description="The block in which it was seen.")
    applied_at: Time | None = Field(default=None, description="When the applied code was seen.")
    applied_block: int | None = Field(default=None, description="The block in which it was seen.")
    enacted_at: Time | None = Field(
        default=None, description="When every node had finalised a block built by the new code."
    )
    enacted_block: int | None = Field(default=None, description="The first block built by the new code.")
    session_at_enactment: int | None = Field(default=None, description="The relay chain's session at that block.")
    session: int | None = Field(default=None, description="The relay chain's session when it was last read.")
    completed_at: Time | None = Field(default=None, description="When the sessions after enactment were over.")
    steps: tuple[Step, ...] = ()
    conditions: tuple[Condition, ...] = ()
