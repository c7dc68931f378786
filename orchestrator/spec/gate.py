"""`Gate`: what must hold, over which stretch of time, judged how. Read as part of a `Rehearsal`, used by `gates`."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from orchestrator.spec.base import ExactlyOne, Model, Name, SpanField
from orchestrator.units import Duration, Percent

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
"""Moments that the journal records as events of a stage (`run.start`: of the run)."""


def _known_anchor(text: str) -> str:
    if text not in ANCHORS:
        raise ValueError(f"{text!r} is no known moment; known are {', '.join(ANCHORS)}")
    return text


Anchor = Annotated[str, AfterValidator(_known_anchor)]


class Window(Model):
    """A stretch of time: from a moment to another, or from a moment on for a while, in seconds, blocks or sessions."""

    from_: Anchor = Field(default="stage.start", alias="from")
    to: Anchor | None = Field(default=None, description="stage.end when neither `to` nor `for` is given.")
    for_: SpanField | None = Field(default=None, alias="for", description="Such as 30s, 10 blocks, 2 sessions.")
    settle: Duration = Field(default=0.0, description="Left out at the start, for what was under way to arrive.")

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.to is not None and self.for_ is not None:
            raise ValueError("`to` and `for` exclude each other")
        return self


class Selector(Model):
    """Which nodes' series count; what is not given does not restrict."""

    chain: str | None = Field(default=None, description="`relay`, or a parachain's name.")
    role: str | None = None
    group: str | None = None
    node: str | None = None


class Between(Model):
    low: FiniteFloat
    high: FiniteFloat

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is greater than high, so nothing can lie between them")
        return self


class Threshold(ExactlyOne):
    """What the samples must satisfy. All apply to each node's series by itself; the worst decides.

    Values over time: `at_least`, `at_most`, `between`, `equals`. Growth over the window: `increases_by` (at least so
    much), `stalls` (at most so much: expected failure is a gate like any other), `recovers_within` (every series
    exceeds its value at the window's start within the span; the span ends the window). Chain reads: `agrees`.
    """

    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    between: Between | None = None
    equals: FiniteFloat | None = None
    increases_by: FiniteFloat | None = Field(default=None, gt=0, description="Growth of at least so much.")
    stalls: FiniteFloat | None = Field(
        default=None, ge=0, description="The growth still allowed, for what was under way."
    )
    recovers_within: SpanField | None = None
    agrees: Literal[True] | None = Field(default=None, description="All nodes report one hash at one finalised height.")


class Gate(Threshold):
    """One condition with its evidence's terms: without enough good evidence it is inconclusive, never passed."""

    name: Name
    signal: str | None = Field(default=None, description="A signal of the catalogue (`coalmine explain signals`).")
    promql: str | None = Field(
        default=None, description="A query of one's own; `$selector` stands for the label matchers."
    )
    chain_read: Literal["finalized-hash"] | None = Field(default=None, description="Read from the nodes themselves.")
    on: Selector = Selector()
    window: Window = Window()
    tolerate: Percent = Field(
        default=0.0,
        lt=1.0,
        description="Share of a series' samples that may breach a value threshold; missing ones count as breaches.",
    )
    min_samples: int = Field(default=3, ge=1, description="Fewer samples in any series are no evidence.")
    missing: Literal["inconclusive", "fail"] = Field(default="inconclusive", description="A node without any sample.")
    counter_reset: Literal["inconclusive", "fail", "rebase", "ignore"] = Field(
        default="inconclusive",
        description="What a fall of something that only grows means: rebase counts on from the lower value.",
    )
    faulted: Literal["spare", "judge"] = Field(
        default="spare",
        description="Nodes that the stage's own fault stops (pause, kill) answer nothing while it lasts: spare leaves "
        "them out of windows that touch it, and the verdict names them; judge counts them like all others.",
    )

    @classmethod
    def alternatives(cls) -> tuple[str, ...]:
        return tuple(Threshold.model_fields)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("signal", "promql", "chain_read") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"exactly one of signal | promql | chainRead is needed, found {', '.join(given) or 'none'}"
            )
        if (self.chain_read is not None) != (self.agrees is not None):
            raise ValueError("agrees goes with chainRead, and chainRead with agrees")
        if self.recovers_within is not None and (self.window.to is not None or self.window.for_ is not None):
            raise ValueError("recoversWithin ends the window itself; give only window.from")
        if self.promql is not None and not re.search(r"\S", self.promql):
            raise ValueError("promql is empty")
        if self.promql is not None and "$selector" not in self.promql and self.on != Selector():
            raise ValueError("`on` has no effect, for promql does not contain $selector")
        for span in (self.recovers_within, self.window.for_):
            if span is not None and span.amount == 0:
                raise ValueError("a length of time must be greater than 0")
        return self

    def threshold_text(self) -> str:
        """The threshold in words, such as `atMost 3`."""
        name = self.chosen()
        value = getattr(self, name)
        written = type(self).model_fields[name].alias or name
        if value is True:
            return written
        if isinstance(value, Between):
            return f"{written} {value.low:g} … {value.high:g}"
        return f"{written} {value:g}" if isinstance(value, float) else f"{written} {value}"
