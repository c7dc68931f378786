"""The sources of a gate: what it reads, and from which nodes. Part of `spec.gate`; `run` and `metrics` read the values.

A gate has exactly one source. All except `logs`, `chain_events` and `measured` give samples over time for each node.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, StringConstraints, field_validator, model_validator

from orchestrator.spec.base import ExactlyOne, Model
from orchestrator.spec.window import Anchor, AnchorField

ChainRead = Literal[
    "finalized-hash",
    "best-height",
    "finalized-height",
    "spec-version",
    "session",
    "authorities",
    "grandpa-round",
    "grandpa-absent",
]
"""What is read from every node's own RPC.

`finalized-hash` is each node's hash at the lowest height that all have finalised, for `agrees`. `authorities` is the
number of authorities. `grandpa-absent` is how many of them have not precommitted in the node's best round
(`grandpa_roundState`).
"""

PodFact = Literal["restarts", "oom-kills", "ready"]
"""What Kubernetes reports about a node's pod. Restarts and kills are counted over the window; `ready` is 1 or 0."""

_Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]


class Selector(Model):
    """Which nodes count. A field that is not set selects all."""

    chain: str | None = Field(default=None, description="`relay`, or a parachain's name.")
    role: str | None = Field(default=None, description="A role, such as validator or collator.")
    group: str | None = Field(default=None, description="A node group by name.")
    node: str | None = Field(default=None, description="One node by name, such as validator-0.")


class Storage(Model):
    """A value in the chain's storage, read from every node."""

    pallet: _Identifier = Field(description="The pallet, as the runtime calls it.")
    item: _Identifier = Field(description="The storage item in the pallet.")
    key: str = Field(
        default="", pattern=r"^(0x([0-9a-f]{2})+)?$", description="A map's hashed key; it is appended unchanged."
    )
    as_: Literal["u8", "u16", "u32", "u64", "u128", "compact"] = Field(
        default="u32", alias="as", description="How the value is read as a number; compact gives a vector's length."
    )
    absent: FiniteFloat | None = Field(
        default=None, description="The number if nothing is stored, as for an empty list. Without it, it is unknown."
    )


class ChainEvents(Model):
    """Events of one kind in the blocks of the window, counted by block number, so that none is missed."""

    pallet: _Identifier = Field(description="The pallet that deposits the event.")
    name: _Identifier = Field(description="The event's name, such as CandidateIncluded.")


class Logs(Model):
    """The number of lines in a node's log that match."""

    pattern: str = Field(min_length=1, description="A regular expression, searched for in each line.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern


class Elapsed(Model):
    """Seconds between two moments of the stage."""

    from_: AnchorField = Field(alias="from", description="The earlier moment.")
    to: AnchorField = Field(description="The later moment.")


class Detail(Model):
    """A number that the controller recorded at a moment, or one number for each node."""

    event: AnchorField = Field(description="The moment at which it was recorded.")
    field: str = Field(min_length=1, description="The field, such as `recoverySeconds`; dots lead into inner objects.")


class Measured(ExactlyOne):
    """What the experiment or the upgrade itself measured."""

    seconds: Elapsed | None = None
    detail: Detail | None = None

    def anchors(self) -> tuple[Anchor, ...]:
        """The moments that it waits for."""
        if self.seconds is not None:
            return (self.seconds.from_, self.seconds.to)
        return (self.detail.event,) if self.detail is not None else ()


class View(Model):
    """Whether each node is judged alone or several nodes as one figure. The worst node is named in both cases."""

    per: Literal["node", "group", "chain", "all"] = Field(default="node", description="What is judged as one figure.")
    aggregate: Literal["mean", "median", "min", "max", "sum"] | None = Field(
        default=None, description="How several nodes become one figure."
    )

    @model_validator(mode="after")
    def _how_and_whom(self) -> Self:
        if (self.per == "node") != (self.aggregate is None):
            raise ValueError("`aggregate` goes with `per: group`, `chain` or `all`, and they with `aggregate`")
        return self
