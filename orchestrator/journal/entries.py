"""The entries of a run's journal: what happened and what was measured, one typed entry per line. They never change.

`run` writes the journal while it acts. `gates.judge` and `report` read only the journal, so that a verdict can be
computed again without a cluster. This module defines the entries; `file` has the writer and the reader.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from orchestrator.spec import Gate, Rehearsal, Testnet

FORMAT = 2
"""The journal's format. It is raised when an older coalmine would refuse or misread a journal, or this one an older."""

MOST_LINES = 20
"""How many log lines an entry keeps. The first ones tell the cause; the rest are counted."""

LINE_LENGTH = 300
"""How many characters of a log line are kept."""


class Record(BaseModel):
    """A part of an entry. NaN and infinities are written as the strings "NaN", "Infinity" and "-Infinity".

    Its validator is built at its first use, as in `spec.base.Model`, because checking files needs no journal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings", defer_build=True)


class Entry(Record):
    """A line of the journal. `at` is in Unix seconds. If it is 0, the writer sets the time of writing."""

    at: float = 0.0


class Verdict(StrEnum):
    """The verdict of a gate. `gates.verdict` has the order in which verdicts outrank each other."""

    PASSED = "PASSED"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"
    FAILED = "FAILED"


class Node(Record):
    """A node of the inventory. `chain` is the chain that it belongs to.

    `embeds_relay`: a parachain's node contains a relay node, which is measured too. Without it, the node asks a relay
    node by RPC.
    """

    name: str
    chain: str
    group: str
    role: str
    ordinal: int
    authority: bool = False
    embeds_relay: bool = True


class Target(Record):
    """One endpoint that is measured. A collator has two: its own chain's and its relay node's."""

    node: str
    chain: str | None = None

    def __str__(self) -> str:
        return self.node if self.chain is None else f"{self.node}/{self.chain}"


class Series(Record):
    """The samples of one label set, as (Unix seconds, value), unchanged from Prometheus."""

    labels: dict[str, str]
    samples: tuple[tuple[float, float], ...]


class Row(Record):
    """The values of one label set on the grid of its `Samples`, the first at `first`. Missing values are null."""

    labels: dict[str, str]
    values: tuple[float | None, ...]


class Reading(Record):
    """One node's answer: its finalised height, and its value at the height that all nodes were asked for."""

    target: Target
    finalized: int | None = None
    height: int | None = None
    value: str | None = Field(default=None, description="A block hash, or a storage value in hex.")
    error: str | None = None


class MeasuredWindow(Record):
    """A gate's window in real time. `open`: the window had not ended when it was judged; `end` is then that moment.

    `since` is the time from which samples matter. It is before `start` if the value before the window matters.
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
    doubt: str = Field(default="", description="Why it is open, if not because its end has not come.")


class NodeFinding(Record):
    """What a gate found about one node, or about one view of several nodes."""

    node: str
    verdict: Verdict
    reason: str
    value: float | None = None


class GateVerdict(Record):
    """The result of `gates.assess` for one gate, in a form that a reader can check against the journal."""

    stage: str
    gate: str
    verdict: Verdict
    reason: str
    threshold: str = ""
    query: str = ""
    value: float | None = None
    unit: str = ""
    node: str | None = Field(default=None, description="The worst node.")
    when: float | None = Field(default=None, description="The worst sample's time, in Unix seconds.")
    block: int | None = Field(default=None, description="The relay chain's best block at that time.")
    spared: tuple[str, ...] = ()
    nodes: tuple[NodeFinding, ...] = Field(default=(), description="The finding about each node, worst first.")


class RunStarted(Entry):
    """The first entry: what is run, and on which network. It is enough to judge and report without the user's files."""

    kind: Literal["run.started"] = "run.started"
    format: int = Field(default=FORMAT, description="`FORMAT` of the coalmine that wrote it; none in the first format.")
    run: str
    version: str
    testnet: Testnet
    rehearsal: Rehearsal
    context: str = ""
    simulated: bool
    genesis: dict[str, str] = Field(default_factory=dict, description="Genesis hash by chain.")
    nodes: tuple[Node, ...]
    scrape: float = Field(default=1.0, description="Seconds between two samples of a node.")
    slot: float = Field(default=6.0, description="Seconds a slot of the relay chain; Kusama's by default.")
    session_slots: int = Field(default=600, description="Slots a session of the relay chain; Kusama's by default.")


class Event(Entry):
    """Something happened: a moment to which windows refer (`spec.window.ANCHORS`), or a note such as `rung`."""

    kind: Literal["event"] = "event"
    name: str
    stage: str | None = None
    noticed: float | None = Field(
        default=None,
        description="Unix seconds by our clock at which the run saw what another program dated; None if the run itself "
        "dated it.",
    )
    detail: dict[str, JsonValue] = Field(default_factory=dict)


class Clock(Entry):
    """The heights of the chains, about once a second. With them, windows in blocks and sessions resolve offline."""

    kind: Literal["clock"] = "clock"
    best: int
    finalized: int
    session: int
    stamp: float | None = Field(default=None, description="The timestamp in the relay chain's best block.")
    parachains: dict[str, int] = Field(default_factory=dict, description="Finalised height by chain.")


class Samples(Entry):
    """The values of a source at `first`, `first + step`, …, `count` times. Gates are judged by them.

    The times are multiples of `step` in Unix time, so that pieces that were recorded separately fit together.
    """

    kind: Literal["samples"] = "samples"
    key: str = Field(description="The question that this answers (`gates.question`), in the words of the gate's file.")
    query: str = Field(description="The PromQL that was sent, or our own words for what was read.")
    first: float
    step: float
    count: int
    rows: tuple[Row, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None


class Occurrences(Entry):
    """Everything that happened from `first` to `last`: log lines by Unix time, chain events by block number.

    `lines` are the texts of the first hits, in the same order.
    """

    kind: Literal["occurrences"] = "occurrences"
    key: str
    query: str
    target: Target
    first: float
    last: float
    hits: tuple[float, ...] = ()
    lines: tuple[Annotated[str, StringConstraints(max_length=LINE_LENGTH)], ...] = Field(
        default=(), max_length=MOST_LINES
    )
    error: str | None = None


class Readings(Entry):
    """The values of all nodes of a chain at one height, read at `at`."""

    kind: Literal["readings"] = "readings"
    stage: str
    key: str
    query: str
    reads: tuple[Reading, ...]


class ClockCheck(Entry):
    """How many seconds Prometheus' clock was ahead of ours, plus or minus `uncertainty`."""

    kind: Literal["clocks"] = "clocks"
    prometheus: float
    uncertainty: float


class Baseline(Entry):
    """Figures of an earlier run to compare a gate with, by node or view. `lacking` says why one is missing."""

    kind: Literal["baseline"] = "baseline"
    run: str
    stage: str
    gate: Gate
    window: MeasuredWindow | None = None
    figures: dict[str, float] = Field(default_factory=dict)
    lacking: dict[str, str] = Field(default_factory=dict)


class Measurement(Entry):
    """What a gate was judged by: the resolved window and query, and the targets that should have answered.

    It is written for readers. Judging again computes it from events, clocks and samples, with the same result.
    """

    kind: Literal["measurement"] = "measurement"
    stage: str
    gate: Gate
    window: MeasuredWindow | None = None
    unresolved: str | None = Field(default=None, description="Why there is no window.")
    key: str = Field(default="", description="The gate's question; its answers have the same key.")
    query: str = ""
    expected: tuple[Target, ...] = Field(
        default=(), description="The targets that should have answered; empty for aggregates."
    )
    spared: tuple[str, ...] = Field(
        default=(), description="Nodes left out, because the stage's own fault stopped them."
    )
    asked: int = Field(default=0, description="The number of samples that the window needs of each series.")
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
    """The verdict that was given during the run. `judge` computes it again from the measurements."""

    kind: Literal["verdict"] = "verdict"
    verdict: GateVerdict


class RunFinished(Entry):
    """The last entry. Without it the run was interrupted."""

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
