"""Figures of the gate engine: judging a stored run again, and what a network's gates cost Prometheus."""

import random
import tempfile
from pathlib import Path

from orchestrator.gates.strip import first_point, last_point

from orchestrator.gates import measure
from orchestrator.gates.judge import judge
from orchestrator.gates.question import ask
from orchestrator.gates.record import Record
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

NODES = (
    *(
        Node(name=f"validator-{i}", chain="relay", group="validator", role="validator", ordinal=i, authority=True)
        for i in range(8)
    ),
    *(Node(name=f"collator-{i}", chain="nest", group="collator", role="collator", ordinal=i) for i in range(2)),
)
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


def journal(testnet: Testnet) -> list[Entry]:
    """An hour at one sample in five seconds of every series that the gates ask for."""
    chance = random.Random(7)
    end = START + HOUR
    found = rehearsal()
    entries: list[Entry] = [
        RunStarted(
            at=START, run="bench", version="0", testnet=testnet, rehearsal=found, simulated=True, nodes=NODES,
            scrape=STEP,
        ),
        Event(at=START, name="run.start"),
        Event(at=START, name="stage.start", stage="soak"),
        *(
            Clock(at=START + s, best=s // 6, finalized=s // 6 - 3, session=s // 60, stamp=START + s - s % 6)
            for s in range(int(HOUR))
        ),
    ]  # fmt: skip
    first, last = first_point(START, STEP), last_point(end, STEP)
    for question in dict.fromkeys(ask(gate, NODES, STEP) for gate in found.spec.stages[0].gates):
        rows = []
        for target in question.targets:
            value, values = 10.0, []
            for _ in range(last - first + 1):
                value += chance.random()
                values.append(round(value, 3))
            rows.append(Row(labels={"node": target.node, "chain": target.chain or ""}, values=tuple(values)))
        entries.append(
            Samples(
                at=end, query=question.query, first=first * STEP, step=STEP, count=last - first + 1, rows=tuple(rows)
            )
        )
    return [
        *entries,
        Event(at=end, name="stage.end", stage="soak"),
        ClockCheck(at=end + 1, prometheus=0.0, uncertainty=0.01),
        RunFinished(at=end + 2, outcome="completed"),
    ]


def stored(testnet: Testnet) -> Path:
    """The journal as a file; whoever asks deletes it with its directory."""
    path = Path(tempfile.mkdtemp(prefix="coalmine-bench-")) / "journal.jsonl"
    with JournalWriter(path, lambda: START) as writer:
        for entry in journal(testnet):
            writer.record(entry)
    return path


def read_and_judge(path: Path) -> None:
    verdict = judge(Journal.read(path))
    assert len(verdict.gates) == GATES
    assert not any(gate.verdict == "ERROR" for gate in verdict.gates), verdict.reason


def distinct_queries() -> int:
    """How many different questions the gates have."""
    return len({ask(gate, NODES, STEP).query for gate in gates()})


def queries_sent() -> int:
    """Range queries for all the gates over the hour, from an empty record."""
    record = Record(NODES, STEP)
    record.add(Event(at=START, name="stage.start", stage="soak"))
    (stage,) = rehearsal().spec.stages
    return len(list(measure.plan(measure.asked(stage, stage.gates, record, START + HOUR), record, START + HOUR)))
