"""`Window`: the stretch of a rehearsal over which a gate is judged. Part of `spec.gate`, resolved by `gates.window`."""

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from orchestrator.spec.base import Model, SpanField
from orchestrator.units import Duration

ANCHORS = (
    "run.start",
    "stage.start",
    "stage.end",
    "inject.confirmed",
    "recover.start",
    "recover.confirmed",
    "upgrade.authorized",
    "upgrade.applied",
    "upgrade.enacted",
    "upgrade.completed",
)
"""Moments that the journal records as events of a stage. `run.start` is an event of the run."""

_ANCHOR = re.compile(r"^(?:([a-z.]+)|(?:([a-z.]+) )?session\(\+([1-9]\d*)\))$")


class Anchor(Model):
    """A moment, or the beginning of a session after it.

    Written `upgrade.enacted`, `upgrade.enacted session(+2)`, or `session(+2)`, which counts from the stage's start.
    """

    moment: str = Field(description="A moment that the journal records.")
    sessions: int = Field(default=0, description="The start of this many sessions after it; 0 is the moment itself.")

    def __str__(self) -> str:
        return f"{self.moment} session(+{self.sessions})" if self.sessions else self.moment


def _parsed(text: Any) -> Any:
    if isinstance(text, Anchor):
        return text
    match = _ANCHOR.match(text) if isinstance(text, str) else None
    moment = (match[1] or match[2] or "stage.start") if match else ""
    if match is None or moment not in ANCHORS:
        raise ValueError(f"{text!r} is not a moment; known are {', '.join(ANCHORS)}, each also with `session(+1)`")
    return Anchor(moment=moment, sessions=int(match[3] or 0))


AnchorField = Annotated[
    Anchor, BeforeValidator(_parsed, json_schema_input_type=str), PlainSerializer(str, return_type=str)
]


class Window(Model):
    """A stretch of time: from one moment to another, or from a moment for a length in seconds, blocks or sessions."""

    from_: AnchorField = Field(default=Anchor(moment="stage.start"), alias="from", description="Where it begins.")
    to: AnchorField | None = Field(
        default=None, description="Where it ends; stage.end if neither `to` nor `for` is set."
    )
    for_: SpanField | None = Field(
        default=None, alias="for", description="Its length, such as 30s, 10 blocks, 2 sessions."
    )
    settle: Duration = Field(default=0.0, description="Time to leave out at the start, until the network has settled.")
    settle_end: Duration = Field(
        default=0.0, description="Time to leave out at the end, which the next event may already affect."
    )

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.to is not None and self.for_ is not None:
            raise ValueError("`to` and `for` exclude each other")
        if self.for_ is not None and self.for_.amount == 0:
            raise ValueError("a length of time must be greater than 0")
        return self

    def anchors(self) -> tuple[Anchor, ...]:
        """The moments that it waits for."""
        return (self.from_,) if self.to is None else (self.from_, self.to)
