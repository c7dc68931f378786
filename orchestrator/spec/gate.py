"""`Gate`: a condition, its window of time, and how it is judged. Read as part of a `Rehearsal`, used by `gates`."""

import re
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from orchestrator.spec.base import ExactlyOne, Model, Name, SpanField
from orchestrator.spec.source import ChainEvents, ChainRead, Logs, Measured, PodFact, Selector, Storage, View
from orchestrator.spec.window import Anchor, Window
from orchestrator.units import Duration, Percent, format_duration, format_percent

SOURCES = ("signal", "promql", "chain_read", "storage", "chain_events", "logs", "pods", "measured")
COUNTED = ("chain_events", "logs")
"""Sources that give one number for the whole window instead of samples."""

VALUES = ("at_least", "at_most", "between", "equals")
"""Thresholds on values. The others, except `agrees`, are on growth; for `no_worse_than` it depends on its figure."""


class Between(Model):
    low: FiniteFloat = Field(description="The least value that is good.")
    high: FiniteFloat = Field(description="The greatest value that is good.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is greater than high, so no value lies between them")
        return self

    def __str__(self) -> str:
        return f"{self.low:g} … {self.high:g}"


class Rate(Model):
    """Bounds of a rate. At least one is needed."""

    at_least: FiniteFloat | None = Field(default=None, description="The least growth per minute.")
    at_most: FiniteFloat | None = Field(default=None, description="The greatest growth per minute.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("atLeast or atMost is needed")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("atLeast is greater than atMost, so no value lies between them")
        return self

    def __str__(self) -> str:
        return " and ".join(
            f"{word} {bound:g}" for word, bound in (("≥", self.at_least), ("≤", self.at_most)) if bound is not None
        )


class NoWorseThan(Model):
    """A comparison with an earlier run: how much worse the same figure may be."""

    run: str = Field(min_length=1, description="The earlier run's name; it is kept in the same folder as this run.")
    percent: Percent = Field(description="How much worse it may be, such as 10%.")
    figure: Literal["mean", "median", "max", "min", "growth-per-minute"] = Field(
        default="mean", description="The figure that is compared."
    )
    worse: Literal["higher", "lower"] | None = Field(
        default=None, description="Which direction is worse; a signal of the catalogue has its own."
    )
    stage: str | None = Field(default=None, description="The stage of the earlier run; the same name by default.")
    gate: str | None = Field(default=None, description="The gate of the earlier run; the same name by default.")

    def __str__(self) -> str:
        return f"{format_percent(self.percent)} over the {self.figure} of run {self.run}"


class Threshold(ExactlyOne):
    """What the samples must satisfy. It applies to the series of each node, or of each view; the worst decides.

    Values over time: `at_least`, `at_most`, `between`, `equals`. Growth over the window: `increases_by` (at least this
    much), `rate_per_minute`, `stalls` (at most this much, for expected failures), `progresses` (never longer than this
    without growth), `recovers_within` (every series exceeds its value at the window's start within the span; the span
    ends the window). Against an earlier run: `no_worse_than`. Chain reads: `agrees`.
    """

    at_least: FiniteFloat | None = Field(default=None, description="Every value is at least this.")
    at_most: FiniteFloat | None = Field(default=None, description="Every value is at most this.")
    between: Between | None = Field(default=None, description="Every value lies between these two.")
    equals: FiniteFloat | None = Field(default=None, description="Every value equals this.")
    increases_by: FiniteFloat | None = Field(default=None, gt=0, description="Growth of at least this much.")
    rate_per_minute: Rate | None = Field(default=None, description="Growth per minute, over the whole window.")
    stalls: FiniteFloat | None = Field(
        default=None, ge=0, description="The growth that is still allowed, for work that had already begun."
    )
    progresses: Duration | None = Field(default=None, gt=0, description="The longest time without growth.")
    recovers_within: SpanField | None = Field(
        default=None, description="Every series exceeds its value at the window's start within this time."
    )
    no_worse_than: NoWorseThan | None = None
    agrees: Literal[True] | None = Field(
        default=None, description="All nodes report the same value at the same finalised height."
    )


class Policy(Model):
    """What imperfect evidence means for the verdict. With the defaults a gate never passes on it."""

    missing: Literal["inconclusive", "fail"] = Field(default="inconclusive", description="A node has no sample at all.")
    fewer: Literal["inconclusive", "fail", "ignore"] = Field(
        default="inconclusive",
        description="Fewer nodes than expected contributed to an aggregate. A node that vanished must not improve an "
        "average.",
    )
    not_a_number: Literal["inconclusive", "fail"] = Field(
        default="inconclusive", description="A sample is NaN or infinite; inconclusive counts it as missing."
    )
    stale: Literal["inconclusive", "fail", "ignore"] = Field(
        default="inconclusive",
        description="Your own query gives values for a time in which the node answered no scrape.",
    )
    counter_reset: Literal["inconclusive", "fail", "rebase", "ignore"] = Field(
        default="inconclusive",
        description="Something that only grows has fallen: rebase continues to count from the lower value.",
    )
    gaps: Literal["inconclusive", "fail"] = Field(
        default="inconclusive",
        description="Samples are missing for more than two scrapes. A tolerated share of breaches covers as many "
        "missing samples.",
    )
    warnings: Literal["inconclusive", "fail", "ignore"] = Field(
        default="inconclusive", description="Prometheus gave a warning or only part of the answer."
    )
    clocks: Literal["inconclusive", "fail", "ignore"] = Field(
        default="inconclusive", description="Our clock, Prometheus' and the chain's differ by more than `clockSkew`."
    )
    machine: Percent | Literal["ignore"] = Field(
        default=0.5,
        description="The share of the time for which nodes waited for a CPU, for memory or for a disk, in the mean "
        "over all nodes and the window, from which on a gate that was only too slow is inconclusive and not failed. At "
        "50% work that never rests takes twice as long. `ignore` fails it whatever the machine did.",
    )
    clock_skew: Duration = Field(default=5.0, gt=0, description="The difference between clocks that is still allowed.")


class Gate(Threshold):
    """One condition and the evidence that it needs. Without enough good evidence it is inconclusive, never passed."""

    name: Name = Field(description="The gate's name, in the verdict.")
    why: str | None = Field(default=None, description="What it means for the network if the gate fails.")
    signal: str | None = Field(default=None, description="A signal of the catalogue (`coalmine explain signals`).")
    promql: str | None = Field(default=None, description="Your own query; `$selector` stands for the label matchers.")
    chain_read: ChainRead | None = Field(default=None, description="Read from the nodes themselves.")
    storage: Storage | None = None
    chain_events: ChainEvents | None = None
    logs: Logs | None = None
    pods: PodFact | None = Field(default=None, description="What Kubernetes reports about the nodes' pods.")
    measured: Measured | None = None
    on: Selector = Selector()
    view: View = View()
    window: Window = Window()
    tolerate: Percent = Field(
        default=0.0,
        lt=1.0,
        description="Share of a series' samples that may breach a value threshold. Missing samples count as breaches.",
    )
    consecutive: int | None = Field(
        default=None, ge=1, description="How many tolerated breaches may follow each other. Missing samples count too."
    )
    min_samples: int = Field(default=3, ge=1, description="A series with fewer samples is not enough evidence.")
    policy: Policy = Policy()
    faulted: Literal["spare", "judge"] = Field(
        default="spare",
        description="Nodes that the stage's own fault stops (pause, kill) do not answer while it lasts. spare leaves "
        "them out of windows that overlap the fault, and the verdict names them; judge counts them like all others.",
    )
    abort_on: Literal["failed"] | None = Field(
        default=None, description="failed: the gate is judged while the stage runs, and ends the run if it fails."
    )

    @classmethod
    def alternatives(cls) -> tuple[str, ...]:
        return tuple(Threshold.model_fields)

    def source(self) -> str:
        """The attribute name of the gate's source."""
        return next(name for name in SOURCES if getattr(self, name) is not None)

    def anchors(self) -> tuple[Anchor, ...]:
        """The moments that it waits for."""
        return self.window.anchors() if self.measured is None else self.measured.anchors()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            known = " | ".join(self._written(name) for name in SOURCES)
            raise ValueError(f"exactly one of {known} is needed, found {', '.join(given) or 'none'}")
        if problems := [*self._of_source(), *self._of_threshold()]:
            raise ValueError("; ".join(problems))
        return self

    def _of_source(self) -> Iterator[str]:
        source, threshold = self.source(), self.chosen()
        agreeing = self.chain_read == "finalized-hash" or (self.storage is not None and self.agrees is not None)
        if agreeing != (self.agrees is not None):
            yield "agrees goes with chainRead: finalized-hash or with storage, and finalized-hash with agrees"
        if source in {*COUNTED, "measured"} and threshold not in VALUES:
            yield f"{self._written(source)} is one figure; give {', '.join(map(self._written, VALUES))}"
        if source in {*COUNTED, "measured"} and self.view != View():
            yield f"{self._written(source)} has no view"
        if source == "chain_events" and self.on != Selector(chain=self.on.chain):
            yield "chainEvents belong to a chain, not to nodes, so `on` may have only chain"
        if source == "measured" and self.on != Selector():
            yield "`on` has no effect, because measured is about the experiment"
        if source == "measured" and self.window != Window():
            yield "measured has no window, because it names its moments itself"
        if source == "pods" and self.pods != "ready" and threshold not in VALUES:
            yield f"pods: {self.pods} is counted over the window; give {', '.join(map(self._written, VALUES))}"
        if self.promql is not None and not re.search(r"\S", self.promql):
            yield "promql is empty"
        if self.promql is not None and "$selector" not in self.promql and self.on != Selector():
            yield "`on` has no effect, because promql does not contain $selector"

    def _of_threshold(self) -> Iterator[str]:
        sampled = self.source() not in {*COUNTED, "measured"} and self.chosen() in VALUES
        sampled = sampled and self.pods in {None, "ready"}
        if (self.tolerate or self.consecutive is not None) and not sampled:
            yield "tolerate and consecutive are about single samples, which this gate does not judge"
        if self.consecutive is not None and not self.tolerate:
            yield "consecutive limits what tolerate allows; give tolerate too"
        if self.recovers_within is not None:
            if self.window.to is not None or self.window.for_ is not None or self.window.settle_end:
                yield "recoversWithin ends the window itself; give only window.from and window.settle"
            if self.recovers_within.amount == 0:
                yield "a length of time must be greater than 0"
        if self.no_worse_than is not None and self.signal is None and self.no_worse_than.worse is None:
            yield "noWorseThan needs `worse: higher` or `worse: lower` here"
        if self.abort_on is not None and self.measured is not None:
            yield "measured is known only after the stage, which is too late for abortOn"

    @classmethod
    def _written(cls, name: str) -> str:
        return cls.model_fields[name].alias or name

    def threshold_text(self) -> str:
        """The threshold in words, such as `atMost 3`."""
        name = self.chosen()
        value = getattr(self, name)
        written = self._written(name)
        if value is True:
            return written
        if name == "progresses":
            return f"{written} every {format_duration(value)}"
        return f"{written} {value:g}" if isinstance(value, float) else f"{written} {value}"
