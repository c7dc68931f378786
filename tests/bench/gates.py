"""Figures of the gate engine: judging a stored run again, and what a network's gates cost Prometheus."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from orchestrator.gates.assess import assess
from orchestrator.gates.collect import asked
from orchestrator.gates.grid import first_point, last_point, time_of
from orchestrator.gates.judge import CLOSED, judge
from orchestrator.gates.kinds import question
from orchestrator.gates.names import CHECKED
from orchestrator.gates.record import Record
from orchestrator.gates.samples.collect import needed, plan
from orchestrator.gates.timeline import Pace
from orchestrator.journal import (
    Clock,
    ClockCheck,
    Entry,
    Event,
    Journal,
    JournalWriter,
    Node,
    Row,
    RunFinished,
    RunStarted,
    Samples,
)
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Gate, Rehearsal, Testnet

START, HOUR, STEP, GATES = 1_790_000_000.0, 3600.0, 5.0, 200


def network(validators: int, collators: int) -> tuple[Node, ...]:
    """So many validators of the relay chain, and so many collators of one parachain."""
    return (
        *(
            Node(name=f"validator-{i}", chain="relay", group="validator", role="validator", ordinal=i, authority=True)
            for i in range(validators)
        ),
        *(
            Node(name=f"collator-{i}", chain="nest", group="collator", role="collator", ordinal=i)
            for i in range(collators)
        ),
    )


QUICKSTART, HUNDRED = network(5, 2), network(80, 20)
ENDPOINTS = ("validator on relay", "collator on nest", "collator on relay")

THRESHOLDS = (
    {"atMost": 1e6}, {"atLeast": 0, "tolerate": "5%"}, {"between": {"low": 0, "high": 1e6}},
    {"increasesBy": 1}, {"stalls": 1e6}, {"ratePerMinute": {"atLeast": 0.1}}, {"progresses": "1h"},
    {"atMost": 1e6, "view": {"per": "group", "aggregate": "mean"}},
)  # fmt: skip


def gates() -> tuple[Gate, ...]:
    """200 gates in turn over the signals that grow or stand, every threshold, and windows of the whole hour."""
    signals = [name for name, signal in CATALOGUE.items() if signal.derive == "samples"]
    words = [
        {"name": f"gate-{i}", "signal": signals[i % len(signals)], **THRESHOLDS[i % len(THRESHOLDS)]}
        for i in range(GATES)
    ]
    return tuple(Gate.model_validate(one) for one in words)


def rehearsal() -> Rehearsal:
    stage = {"name": "soak", "hold": "1h", "gates": gates()}
    spec = {"testnet": "bench", "stages": [stage]}
    return Rehearsal.model_validate({"kind": "Rehearsal", "metadata": {"name": "bench"}, "spec": spec})


def journal(testnet: Testnet, nodes: tuple[Node, ...]) -> list[Entry]:
    """An hour at one sample in five seconds of every series that the gates ask for."""
    chance = random.Random(7)
    end = START + HOUR
    found = rehearsal()
    entries: list[Entry] = [
        RunStarted(
            at=START, run="bench", version="0", testnet=testnet, rehearsal=found, simulated=True, nodes=nodes,
            scrape=STEP, slot=6.0, session_slots=10,
        ),
        Event(at=START, name="run.start"),
        Event(at=START, name=CHECKED, detail={"versions": dict.fromkeys(ENDPOINTS, "0")}),
        Event(at=START, name="stage.start", stage="soak"),
        *(
            Clock(at=START + s, best=s // 6, finalized=s // 6 - 3, session=s // 60, stamp=START + s - s % 6)
            for s in range(int(HOUR))
        ),
    ]  # fmt: skip
    first, last = first_point(START, STEP), last_point(end, STEP)
    for wanted in {one.key: one for one in (question(gate, nodes, STEP) for gate in gates())}.values():
        rows = []
        for target in wanted.targets:
            value, values = 10.0, []
            for _ in range(last - first + 1):
                value += chance.random()
                values.append(round(value, 3))
            rows.append(Row(labels={"node": target.node, "chain": target.chain or ""}, values=tuple(values)))
        entries.append(
            Samples(
                at=end, key=wanted.key, query=wanted.query, first=time_of(first, STEP), step=STEP,
                count=last - first + 1, rows=tuple(rows),
            )
        )  # fmt: skip
    return [
        *entries,
        Event(at=end, name="stage.end", stage="soak"),
        ClockCheck(at=end + 1, prometheus=0.0, uncertainty=0.01),
        Event(at=end + 2, name=CLOSED, stage="soak"),
        RunFinished(at=end + 2, outcome="completed"),
    ]


def stored(testnet: Testnet, nodes: tuple[Node, ...]) -> Path:
    """The journal as a file; whoever asks deletes it with its directory."""
    path = Path(tempfile.mkdtemp(prefix="coalmine-bench-")) / "journal.jsonl"
    with JournalWriter(path, lambda: START) as writer:
        for entry in journal(testnet, nodes):
            writer.record(entry)
    return path


def read_and_judge(path: Path) -> None:
    verdict = judge(Journal.read(path))
    assert len(verdict.gates) == GATES
    assert not any(gate.verdict == "ERROR" for gate in verdict.gates), verdict.reason


def looking(testnet: Testnet, nodes: tuple[Node, ...], seconds_in: float) -> Callable[[], object]:
    """A live look at all gates, so many seconds into the stage, when five seconds have come since the last one."""
    entries = [entry for entry in journal(testnet, nodes) if entry.at <= START + HOUR]
    (stage,) = rehearsal().spec.stages
    record = Record.fed(nodes, STEP, Pace(6.0, 10), [e for e in entries if getattr(e, "name", "") != "stage.end"])
    return lambda: [assess(stage, gate, record, START + seconds_in) for gate in stage.gates]


def distinct_queries() -> int:
    """How many different questions the gates have."""
    return len({question(gate, QUICKSTART, STEP).key for gate in gates()})


def queries_sent() -> int:
    """Range queries for all the gates over the hour, from an empty record."""
    record = Record(QUICKSTART, STEP, Pace(6.0, 10))
    record.add(Event(at=START, name="stage.start", stage="soak"))
    (stage,) = rehearsal().spec.stages
    return len(list(plan(needed(asked(stage, stage.gates, record, START + HOUR)), record, START + HOUR)))
