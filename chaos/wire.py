"""The messages between the controller (`chaos.agent_client`) and the agents (`chaos.agent`): JSON over HTTP.

An order describes a pod's whole fault. Sending the same order again changes nothing; one with other peers replaces it.
"""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, TypeAdapter


class Message(BaseModel):
    """A frozen document on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PauseOrder(Message):
    """Stop all processes of a container."""

    kind: Literal["pause"] = "pause"
    pod_uid: str
    container_id: str = Field(pattern=r"^[0-9a-f]{12,64}$")
    ttl_seconds: float = Field(gt=0)


class PartitionOrder(Message):
    """Drop all packets from a pod to these peers and from them."""

    kind: Literal["partition"] = "partition"
    pod_uid: str
    peers: tuple[IPvAnyAddress, ...] = Field(min_length=1)
    ttl_seconds: float = Field(gt=0)


Order = Annotated[PauseOrder | PartitionOrder, Field(discriminator="kind")]
ORDER: TypeAdapter[PauseOrder | PartitionOrder] = TypeAdapter(Order)


def digest(order: PauseOrder | PartitionOrder) -> str:
    """A digest that is equal for orders of the same state, whatever their time limits."""
    text = order.model_copy(update={"ttl_seconds": 0.0}).model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Placed(Message):
    """A fault that an agent holds."""

    id: str
    kind: str
    pod_uid: str
    digest: str = Field(description="Of the order that is in place.")
    effect: str = Field(description="What was read back after injection, one sentence; empty when that is unknown.")
    seconds_left: float = Field(description="Until the agent ends it alone, by the machine's boot clock.")


class Ended(Message):
    """A fault that was undone."""

    id: str
    recovery: str = Field(description="What was read back after recovery, one sentence.")


class Survey(Message):
    """All faults that an agent holds, and the kinds that its machine does not support."""

    faults: tuple[Placed, ...]
    unsupported: dict[str, str] = Field(description="Kind of fault -> why this machine's kernel or tools lack it.")


class ProbeOrder(Message):
    """Connect by TCP from a pod's network namespace to each of the endpoints."""

    pod_uid: str
    endpoints: tuple[tuple[str, int], ...] = Field(min_length=1)
    timeout_seconds: float = Field(gt=0, le=30)


ProbeOutcome = Literal["connected", "refused", "timeout", "unreachable"]


class Probe(Message):
    """The outcome of one connection attempt. A refused connection is an answer: packets pass."""

    ip: str
    port: int
    outcome: ProbeOutcome
    milliseconds: float

    @property
    def passes(self) -> bool:
        return self.outcome in {"connected", "refused"}


class ProbeAnswer(Message):
    probes: tuple[Probe, ...]
