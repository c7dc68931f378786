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

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    last_transition_time: Time
    observed_generation: int = 0


class LedgerEntry(Observed):
    """One fault on one pod: where it was put, and what was measured there."""

    node: str
    side: int | None = Field(default=None, description="Of a partition, counted from 0.")
    machine: str = Field(description="The Kubernetes node whose agent holds the fault.")
    pod_uid: str
    pod_ip: str | None = None
    container_id: str | None = None
    requested_at: Time | None = Field(default=None, description="When the current pod was first asked for.")
    placed_at: Time | None = Field(default=None, description="When the agent had read it back.")
    recovered_at: Time | None = None
    effect: str | None = None
    recovery: str | None = None
    trouble: str | None = Field(default=None, description="Why the last attempt came to nothing.")


ExperimentPhase = Literal["Pending", "Injecting", "Active", "Recovering", "Recovered", "Failed"]


class ExperimentStatus(Observed):
    """Where an experiment stands. `Recovered` and `Failed` are ends, and in both nothing is left in place."""

    phase: ExperimentPhase = "Pending"
    cause: str | None = Field(default=None, description="Why it failed, one sentence.")
    observed_generation: int = 0
    fault: str | None = None
    targets: int | None = Field(default=None, description="How many nodes are hit.")
    nodes: tuple[str, ...] = Field(default=(), description="Names of the nodes that are hit.")
    sides: tuple[tuple[str, ...], ...] = Field(default=(), description="Of a partition: the nodes of each side.")
    injected_at: Time | None = Field(default=None, description="Start of injection.")
    confirmed_at: Time | None = Field(
        default=None, description="The fault was measured everywhere; duration counts from here."
    )
    expires_at: Time | None = Field(default=None, description="The hard limit, which the agents keep alone.")
    recover_started_at: Time | None = None
    recovered_at: Time | None = Field(default=None, description="Recovery was measured everywhere.")
    effect: str | None = Field(default=None, description="What was measured while the fault was on.")
    recovery: str | None = Field(default=None, description="What was measured after it.")
    conditions: tuple[Condition, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()


class Step(Observed):
    """Something seen on the way of an upgrade, on the chain itself."""

    name: str
    at: Time
    block: int = Field(description="The block in which it was seen first, of the chain named.")
    chain: str
    detail: str = ""


UpgradePhase = Literal["Preflight", "Authorized", "Applied", "Enacted", "Settling", "Completed", "Failed"]


class UpgradeStatus(Observed):
    """Where an upgrade stands. Each phase is what the chain was last seen to have reached."""

    phase: UpgradePhase = "Preflight"
    cause: str | None = Field(default=None, description="Why it failed, one sentence.")
    failed_phase: UpgradePhase | None = Field(default=None, description="The phase in which it failed.")
    observed_generation: int = 0
    chain: str | None = None
    block: int | None = Field(default=None, description="Where the chain stands, or the block that failed.")
    block_at: Time | None = Field(default=None, description="When that block was seen first.")
    spec_name: str | None = None
    spec_version_from: int | None = None
    spec_version_to: int | None = None
    transaction_version_from: int | None = None
    transaction_version_to: int | None = None
    code_hash: str | None = None
    code_bytes: int | None = None
    authorized_at: Time | None = None
    authorized_block: int | None = None
    applied_at: Time | None = None
    applied_block: int | None = None
    enacted_at: Time | None = Field(
        default=None, description="A block built by the new code was included and finalised, seen on every node."
    )
    enacted_block: int | None = None
    session_at_enactment: int | None = None
    session: int | None = Field(default=None, description="The relay chain's session when last looked at.")
    completed_at: Time | None = None
    steps: tuple[Step, ...] = ()
    conditions: tuple[Condition, ...] = ()
