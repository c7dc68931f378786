"""The journal of a run: what happened and what was measured, one typed entry a line, never changed afterwards.

`run` writes it while it acts; `gates.judge` and `report` read it and nothing else, so that a verdict can be given again
without a cluster. This module has the entries, `file` has the writer and the reader.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from orchestrator.spec import Gate, Rehearsal, Testnet


class Record(BaseModel):
    """Part of an entry. NaN and infinities are written as the strings "NaN", "Infinity" and "-Infinity".

    Its validator is built when it first validates, as for `spec.base.Model`: files are checked without a journal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings", defer_build=True)


class Entry(Record):
    """A line. `at` is unix seconds; 0 lets the writer put the time of writing."""

    at: float = 0.0


class Verdict(StrEnum):
    """What a gate says. The order in which they outrank each other is `gates.verdict`."""

    PASSED = "PASSED"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    FAILED = "FAILED"


class Node(Record):
    """A node of the inventory. `chain` is the chain that it is there for.

    `embeds_relay`: if that is a parachain, a relay node runs beside it, which is measured too; others ask one by RPC.
    """

    name: str
    chain: str
    group: str
    role: str
    ordinal: int
    authority: bool = False
    embeds_relay: bool = True


class Target(Record):
    """One endpoint that is measured: a collator is two, its own chain's and its relay node's."""

    node: str
    chain: str | None = None

    def __str__(self) -> str:
        return self.node if self.chain is None else f"{self.node}/{self.chain}"


class Series(Record):
    """Samples (unix seconds, value) of one label set, as Prometheus gave them."""

    labels: dict[str, str]
    samples: tuple[tuple[float, float], ...]


class Row(Record):
    """Values of one label set on the grid of its `Samples`, the first at `first`; null where nothing was said."""

    labels: dict[str, str]
    values: tuple[float | None, ...]


class Reading(Record):
    """One node's answer: how far it has finalised, and what it has at the height that all were asked for."""

    target: Target
    finalized: int | None = None
    height: int | None = None
    value: str | None = Field(default=None, description="A block hash, or a storage value in hex.")
    error: str | None = None


class MeasuredWindow(Record):
    """A gate's window in real time. `open`: its end had not come when it was judged, and `end` is that moment.

    `since` is where samples matter from: earlier than `start` where the value before the window does.
    """

    start: float
    end: float
    since: float
    start_block: int | None = None
    end_block: int | None = None
    start_finalized: int | None = None
    end_finalized: int | None = None
    start_session: int | None = None
    end_session: int | None = None
    open: bool = False


class GateVerdict(Record):
    """What `gates.evaluate` makes of one gate, in terms that a reader can check against the journal."""

    stage: str
    gate: str
    verdict: Verdict
    reason: str
    threshold: str = ""
    query: str = ""
    value: float | None = None
    unit: str = ""
    node: str | None = Field(default=None, description="The worst one.")
    when: float | None = Field(default=None, description="The worst sample's time, unix seconds.")
    block: int | None = Field(default=None, description="The relay chain's best block at that time.")
    spared: tuple[str, ...] = ()


class RunStarted(Entry):
    """First entry: what is run, on what. Enough to judge and report without the files that it came from."""

    kind: Literal["run.started"] = "run.started"
    run: str
    version: str
    testnet: Testnet
    rehearsal: Rehearsal
    context: str = ""
    simulated: bool
    genesis: dict[str, str] = Field(default_factory=dict, description="Genesis hash by chain.")
    nodes: tuple[Node, ...]
    scrape: float = Field(default=1.0, description="Seconds between two samples of a node.")


class Event(Entry):
    """Something happened: a moment that windows are anchored at (`spec.gate.ANCHORS`), or a note such as `rung`."""

    kind: Literal["event"] = "event"
    name: str
    stage: str | None = None
    detail: dict[str, JsonValue] = Field(default_factory=dict)


class Clock(Entry):
    """Where the chains stood, about once a second: it lets windows in blocks and sessions be found offline."""

    kind: Literal["clock"] = "clock"
    best: int
    finalized: int
    session: int
    stamp: float | None = Field(default=None, description="What the relay chain's best block says of the time.")
    parachains: dict[str, int] = Field(default_factory=dict, description="Finalised height by chain.")


class Samples(Entry):
    """What a source said at `first`, `first + step`, … `count` times: the evidence that gates are judged by.

    The grid is that of unix time in multiples of `step`, so that what was recorded piece by piece fits together.
    """

    kind: Literal["samples"] = "samples"
    query: str = Field(description="PromQL as it was sent, or what was read in our own words (`gates.question`).")
    first: float
    step: float
    count: int
    rows: tuple[Row, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None


class Occurrences(Entry):
    """When something happened from `first` to `last`, all of it: log lines by unix time, chain events by block."""

    kind: Literal["occurrences"] = "occurrences"
    query: str
    target: Target
    first: float
    last: float
    hits: tuple[float, ...] = ()
    error: str | None = None


class Readings(Entry):
    """What all nodes of a chain had at one height, asked at `at`."""

    kind: Literal["readings"] = "readings"
    stage: str
    query: str
    reads: tuple[Reading, ...]


class ClockCheck(Entry):
    """How far Prometheus' clock was ahead of ours (seconds), give or take `uncertainty`."""

    kind: Literal["clocks"] = "clocks"
    prometheus: float
    uncertainty: float


class Baseline(Entry):
    """Figures of an earlier run that a gate is compared with, by node or view; `lacking` says why one is not there."""

    kind: Literal["baseline"] = "baseline"
    run: str
    stage: str
    gate: Gate
    window: MeasuredWindow | None = None
    figures: dict[str, float] = Field(default_factory=dict)
    lacking: dict[str, str] = Field(default_factory=dict)


class Measurement(Entry):
    """What a gate was judged by: the resolved window and query, and who ought to have answered.

    Written for readers. Judging again derives it anew from events, clocks and samples, and comes to the same.
    """

    kind: Literal["measurement"] = "measurement"
    stage: str
    gate: Gate
    window: MeasuredWindow | None = None
    unresolved: str | None = Field(default=None, description="Why there is no window.")
    query: str = ""
    expected: tuple[Target, ...] = Field(default=(), description="Who ought to have answered; empty for aggregates.")
    spared: tuple[str, ...] = Field(
        default=(), description="Nodes left out, because the stage's own fault stopped them."
    )
    asked: int = Field(default=0, description="Samples that the window asks of each series.")
    warnings: tuple[str, ...] = ()


class Chart(Entry):
    """A signal over the whole run, for the report."""

    kind: Literal["series"] = "series"
    signal: str
    chain: str
    title: str
    unit: str
    query: str
    series: tuple[Series, ...] = ()
    error: str | None = None


class Judged(Entry):
    """The verdict that was given during the run; `judge` gives it again from the measurements."""

    kind: Literal["verdict"] = "verdict"
    verdict: GateVerdict


class RunFinished(Entry):
    """Last entry. Without it the run was cut short."""

    kind: Literal["run.finished"] = "run.finished"
    outcome: Literal["completed", "interrupted", "error"]
    detail: str = ""


AnyEntry = (
    RunStarted
    | Event
    | Clock
    | Samples
    | Occurrences
    | Readings
    | ClockCheck
    | Baseline
    | Measurement
    | Chart
    | Judged
    | RunFinished
)
