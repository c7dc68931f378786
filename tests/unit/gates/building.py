"""Small records for tests of the evaluation: gates from YAML's words, series from plain lists of values."""

import math
from dataclasses import dataclass, replace

from orchestrator.gates.assess import assess
from orchestrator.gates.kinds import question as ask
from orchestrator.gates.names import CHECKED
from orchestrator.gates.record import Record
from orchestrator.gates.timeline import Pace
from orchestrator.journal import Clock, ClockCheck, Event, Node, Row, Samples
from orchestrator.spec import Anchor, Gate, Stage, Window
from orchestrator.spec.gate import SOURCES as SOURCE_NAMES
from orchestrator.spec.gate import Policy

START = 1000.0
NOTHING = None
"""A hole in a list of values."""

POLICIES = {field.alias for field in Policy.model_fields.values()}
SOURCES = {Gate.model_fields[name].alias for name in SOURCE_NAMES}

PACE = Pace(slot=1.0, session_slots=6)
"""That of `CLOCKS`: a block a second, and a session in six."""

CLOCKS = tuple(
    Clock(
        at=START + i, best=10 + i, finalized=8 + i, session=max(0, i // 6), stamp=START + i, parachains={"nest": 8 + i}
    )
    for i in range(-10, 60)
)


def gate(**words):
    """A gate of the words of its file; those of its policy may stand beside the others."""
    source = {} if SOURCES & words.keys() else {"signal": "finality-lag"}
    policy = {name: words.pop(name) for name in POLICIES & words.keys()}
    return Gate.model_validate({"name": "a-gate", **source, "policy": policy, **words})


@dataclass(frozen=True)
class Values:
    """Values of one node from the window's start on; `first` shifts them."""

    values: tuple
    node: str = "validator-0"
    chain: str = "relay"
    first: int = 0
    labels: dict | None = None

    @property
    def row_labels(self):
        return self.labels if self.labels is not None else {"node": self.node, "chain": self.chain}

    @property
    def last(self):
        return START + self.first + len(self.values) - 1


def series(values, node="validator-0", chain="relay", **more):
    return Values(tuple(values), node, chain, **more)


def node_of(name):
    group = name.rsplit("-", 1)[0]
    chain, authority = ("nest", False) if group == "collator" else ("relay", group == "validator")
    return Node(name=name, chain=chain, group=group, role=group, ordinal=0, authority=authority)


def event(name, at, stage="a-stage", **detail):
    return Event(at=at, name=name, stage=stage, detail=detail)


def names_checked(*names, doubts=()):
    """The check of names before a run: all pages of these nodes were read, and the runtime has these names."""
    groups = sorted({f"{group} on {chain}" for group in ("validator", "bootnode", "collator") for chain in CHAINS})
    runtime = [
        {"chain": chain, "kind": kind, "name": name, "known": True, "reason": ""}
        for name in names for kind in ("storage", "event") for chain in CHAINS
    ]  # fmt: skip
    detail = {"versions": dict.fromkeys(groups, "1"), "doubts": list(doubts), "runtime": runtime}
    return Event(at=START - 15, name=CHECKED, detail=detail)


CHAINS = ("relay", "nest")


def samples(question, *rows, first=START, end=None, step=1.0, **more):
    """What one query gave. Rows are laid beside each other on the grid; NOTHING and what is not given are holes."""
    last = max((row.last for row in rows), default=START + 10) if end is None else end
    begin = min([first, *(START + row.first for row in rows)])
    count = math.floor(last - begin + 1e-6) + 1
    laid = []
    for row in rows:
        values = [None] * count
        for index, value in enumerate(row.values):
            at = round(START + row.first - begin) + index
            if value is not None and 0 <= at < count:
                values[at] = float(value)
        laid.append(Row(labels=row.row_labels, values=tuple(values)))
    merged = {}
    for row in laid:  # Two pieces of one series are one row.
        key = tuple(sorted(row.labels.items()))
        if key in merged:
            both = zip(merged[key].values, row.values, strict=True)
            merged[key] = Row(labels=row.labels, values=tuple(a if a is not None else b for a, b in both))
        else:
            merged[key] = row
    return Samples(
        at=last,
        key=question.key,
        query=question.query,
        first=begin,
        step=step,
        count=count,
        rows=tuple(merged.values()),
        **more,
    )


@dataclass(frozen=True)
class Measured:
    """A gate in a stage of its own, and all that is known about it."""

    gate: Gate
    stage: Stage
    entries: tuple
    nodes: tuple
    now: float
    step: float = 1.0

    def record(self):
        return Record.fed(self.nodes, self.step, PACE, self.entries)

    def with_samples(self, change):
        """The same with every `Samples` entry changed."""
        changed = tuple(change(e) if isinstance(e, Samples) else e for e in self.entries)
        return replace(self, entries=changed)

    def judged(self, now=None):
        return assess(self.stage, self.gate, self.record(), self.now if now is None else now).verdict


def measured(
    gate, *rows, end=None, is_open=False, expected=None, since=START, spared=(), present=None, extra=(), **more
):
    """A gate over a window from START to the end of its longest series, with what was answered in it."""
    last = max((row.last for row in rows), default=START + 10) if end is None else end
    expected = tuple(dict.fromkeys(row.node for row in rows)) if expected is None else expected
    if since < START:
        gate = gate.model_copy(
            update={"window": gate.window.model_copy(update={"from_": Anchor(moment="upgrade.applied")})}
        )
    nodes = tuple(node_of(name) for name in expected)
    question = ask(gate, nodes, 1.0)
    words = {"name": "a-stage", "hold": "1s", "gates": [gate.model_copy(update={"window": Window()})]}
    events = [event("stage.start", since)]
    if since < START:
        events.append(event("upgrade.applied", START))
    if spared:
        words |= {"experiment": {"pause": {"target": {"authorities": "one"}}, "duration": "1h"}}
        events.append(event("inject.confirmed", since, nodes=list(spared)))
    if not is_open and gate.recovers_within is None:
        events.append(event("stage.end", last))
    answers = [samples(question, *rows, first=since, end=last, **more)]
    for index, beside in enumerate(question.beside):
        here = [Values((1.0,) * round(last - since + 1), name, first=round(since - START)) for name in expected]
        shown = here if present is None or index else present
        answers.append(samples(beside, *shown, first=since, end=last))
    entries = (
        names_checked(),
        *events,
        *CLOCKS,
        ClockCheck(at=last, prometheus=0.0, uncertainty=0.01),
        *answers,
        *extra,
    )
    stage = Stage.model_construct(**{**Stage.model_validate(words).__dict__, "gates": (gate,)})
    return Measured(gate, stage, entries, nodes, last)


def verdict(*args, **kwargs):
    return measured(*args, **kwargs).judged().verdict
