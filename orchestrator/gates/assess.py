"""Judges a gate by a run's record. Pure: the same record gives the same verdict, live and afterwards.

The verdicts of all nodes are merged: one node that breaches fails the gate, and a missing node makes it inconclusive.
With no node left, the gate cannot pass. Findings about the evidence itself are merged too: clocks that differ, names
that nobody has, a gate that had failed when it ended the stage.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.gates import agreement, clocks, counts, machine, measured, names, samples
from orchestrator.gates.case import Case
from orchestrator.gates.decide import Claim, Finding, broken, decide, gravity, unknown, worst
from orchestrator.gates.evidence import Unknown
from orchestrator.gates.kinds import kind_of, question
from orchestrator.gates.record import Record
from orchestrator.gates.threshold import unit
from orchestrator.gates.window import instant, moments, resolve, spared, time_of
from orchestrator.journal import Baseline, GateVerdict, Measurement, NodeFinding, Verdict
from orchestrator.spec import Gate, Stage

ABORTED = "stage.aborted"
"""The event that `run` records when a gate ends its stage. A gate that failed then has failed."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A gate's verdict, and the measurement that it is based on."""

    measurement: Measurement
    verdict: GateVerdict


def assess(stage: Stage, gate: Gate, record: Record, now: float) -> Assessment:
    """Judges one gate by what was known at `now` (unix seconds). Never raises: a crash of the evaluation is ERROR."""
    blank = Measurement(at=now, stage=stage.name, gate=gate)
    try:
        return _assessed(blank, stage, record, now)
    except Exception as error:  # noqa: BLE001  A bug here must not lose the other gates' verdicts.
        return _told(blank, [broken(f"the evaluation broke: {type(error).__name__}: {error}")], record)


def _assessed(blank: Measurement, stage: Stage, record: Record, now: float) -> Assessment:
    gate = blank.gate
    asked = question(gate, record.nodes, record.step)
    known = moments(stage.name, record.events)
    window = resolve(gate, known, record.timeline, record.pace, now=now)
    left_out = spared(gate, stage, record.events, window)
    measurement = blank.model_copy(
        update={
            "key": asked.key,
            "query": record.answers(asked.key).query or asked.query,
            "expected": asked.targets,
            "spared": left_out,
            "window": None if isinstance(window, Unknown) else window.value,
            "unresolved": window.reason if isinstance(window, Unknown) else None,
        }
    )
    if kind_of(gate) == "measured":
        since = time_of(known, "stage.start", now)
        figures = measured.judge(stage, gate, record, now)
        return _told(measurement, [machine.excused(gate, one, record, (since, now)) for one in figures], record)
    if isinstance(window, Unknown):
        return _told(measurement, _aborted(stage, gate, record, [unknown(window.reason)]), record)
    case = Case.of(stage, gate, asked, window, record, left_out)
    if kind_of(gate) == "samples":
        low, high = case.points
        warnings = record.answers(asked.key).warned(case.points)
        measurement = measurement.model_copy(update={"asked": max(0, high - low + 1), "warnings": warnings})
    found = [machine.excused(gate, one, record, (case.start, case.end)) for one in _judged(case)]
    return _told(measurement, _aborted(stage, gate, record, found), record)


def _judged(case: Case) -> Iterator[Finding]:
    kind = kind_of(case.gate)
    if kind == "agreement":
        yield from agreement.judge(case)
    elif kind == "counts":
        yield from counts.judge(case)
    else:
        yield from samples.judge(case)
    yield from clocks.judge(case, prometheus=kind == "samples" and samples.from_prometheus(case.gate))
    yield from names.judge(case)


def _aborted(stage: Stage, gate: Gate, record: Record, found: list[Finding]) -> list[Finding]:
    """The findings, and one more if this gate had failed while the stage ran. Nothing takes that back."""
    own = record.own_gate(stage.name, gate.name)
    if worst(found).verdict is Verdict.FAILED or (own is not None and own != gate):
        return found
    for event in record.events:
        if event.stage == stage.name and event.name == ABORTED and event.detail.get("gate") == gate.name:
            told = f"it had failed when it ended the stage: {event.detail.get('cause')}"
            claim = Claim(told, fails=True, holds=False, when=event.at)
            return [*found, decide(claim, instant(event.at), gate)]
    return found


def figures(stage: Stage, gate: Gate, run: str, record: Record, now: float) -> Baseline:
    """The figures that `noWorseThan` compares with, computed from the record of the earlier run."""
    assert gate.no_worse_than is not None
    there = stage.model_copy(update={"name": gate.no_worse_than.stage or stage.name})
    window = resolve(gate, moments(there.name, record.events), record.timeline, record.pace, now=now)
    blank = Baseline(run=run, stage=stage.name, gate=gate)
    if isinstance(window, Unknown):
        return blank.model_copy(update={"lacking": {"": window.reason}})
    asked = question(gate, record.nodes, record.step)
    left_out = spared(gate, there, record.events, window)
    case = Case.of(there, gate, asked, window, record, left_out)
    doubts = [*clocks.judge(case, prometheus=samples.from_prometheus(gate)), *names.judge(case)]
    if doubts:
        return blank.model_copy(update={"lacking": {"": doubts[0].reason}})
    return samples.figures(case, blank)


def _told(measurement: Measurement, findings: Iterable[Finding], record: Record) -> Assessment:
    """The gate's verdict, with the values, time and block that a reader can check."""
    found = list(findings)
    finding, gate = worst(found), measurement.gate
    reason = finding.reason
    if finding.verdict in {Verdict.PASSED, Verdict.FAILED}:
        reason += f"; asked was {gate.threshold_text()}"
    if measurement.spared:
        reason += f"; left out, for the stage's fault stopped them: {', '.join(measurement.spared)}"
    verdict = GateVerdict(
        stage=measurement.stage,
        gate=gate.name,
        verdict=finding.verdict,
        reason=reason,
        threshold=gate.threshold_text(),
        query=measurement.query,
        value=finding.value,
        unit=unit(gate),
        node=finding.node or None,
        when=finding.when,
        block=record.timeline.block(finding.when),
        spared=measurement.spared,
        nodes=tuple(
            NodeFinding(node=one.node, verdict=one.verdict, reason=one.reason, value=one.value)
            for one in sorted(found, key=gravity)
            if one.node and len(found) > 1
        ),
    )
    return Assessment(measurement, verdict)
