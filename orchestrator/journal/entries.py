"""The journal of a run: what happened and what was measured, one typed entry a line, never changed afterwards.

`run` writes it while it acts; `gates.judge` and `report` read it and nothing else, so that a verdict can be given again
without a cluster. This module has the entries, `file` has the writer and the reader.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from orchestrator.spec import Gate, Rehearsal, Testnet


class Record(BaseModel):
    """Part of an entry. NaN and infinities are written as the strings "NaN", "Infinity" and "-Infinity"."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


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
    """A node of the inventory. `chain` is the chain that it is there for; a collator runs a relay node besides."""

    name: str
    chain: str
    group: str
    role: str
    ordinal: int
    authority: bool = False


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


class HashRead(Record):
    """One node's answer: how far it has finalised, and its hash at the height that all were asked for."""

    target: Target
    finalized: int | None = None
    height: int | None = None
    hash: str | None = None
    error: str | None = None


class MeasuredWindow(Record):
    """A gate's window in real time. `open`: its end had not come when the samples were taken, and `end` is that moment.

    `since` is where the samples start: earlier than `start` where the value before the window matters.
    """

    start: float
    end: float
    since: float
    start_block: int | None = None
    end_block: int | None = None
    start_finalized: int | None = None
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
    images: dict[str, str] = Field(default_factory=dict, description="Digest by image.")
    nodes: tuple[Node, ...]
    scrape: float = Field(default=1.0, description="Seconds between two samples of a node.")


class Event(Entry):
    """Something happened: a moment that windows are anchored at (`spec.gate.ANCHORS`), or a note such as `rung`."""

    kind: Literal["event"] = "event"
    name: str
    stage: str | None = None
    detail: dict[str, JsonValue] = Field(default_factory=dict)


class Clock(Entry):
    """Where the relay chain stood, about once a second: it lets windows in blocks and sessions be found offline."""

    kind: Literal["clock"] = "clock"
    best: int
    finalized: int
    session: int


class Measurement(Entry):
    """The evidence for one gate: the query as it was sent, and what came back."""

    kind: Literal["measurement"] = "measurement"
    stage: str
    gate: Gate
    window: MeasuredWindow | None = None
    unresolved: str | None = Field(default=None, description="Why there is no window.")
    query: str = ""
    step: float = 0.0
    expected: tuple[Target, ...] = Field(default=(), description="Who ought to have answered; empty for aggregates.")
    spared: tuple[str, ...] = Field(
        default=(), description="Nodes left out, because the stage's own fault stopped them."
    )
    series: tuple[Series, ...] = ()
    hashes: tuple[HashRead, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None


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


AnyEntry = RunStarted | Event | Clock | Measurement | Chart | Judged | RunFinished
