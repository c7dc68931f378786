"""Judges a gate by a run's record. Pure: the same record gives the same verdict, live and afterwards.

`verdict` merges the findings of all nodes: one node that breaches fails the gate, and a missing node makes it
inconclusive. With no node left, the gate cannot pass. Findings about the evidence itself, such as a warning of
Prometheus, are merged too. They can keep a gate from passing, but never from failing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.gates import agreement, baseline, counted, lacking, own, sampled, series
from orchestrator.gates.finding import Finding, by_policy, unknown, worst
from orchestrator.gates.meaning import Meaning
from orchestrator.gates.question import Question, ask
from orchestrator.gates.record import Record
from orchestrator.gates.sampled import Case
from orchestrator.gates.window import Unresolved, moments, resolve, spared
from orchestrator.journal import Baseline, GateVerdict, MeasuredWindow, Measurement, Target, Verdict
from orchestrator.spec import Gate, Stage


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
        finding = Finding(Verdict.ERROR, f"the evaluation broke: {type(error).__name__}: {error}")
        return Assessment(blank, told(blank, finding, record))


def _assessed(blank: Measurement, stage: Stage, record: Record, now: float) -> Assessment:
    gate = blank.gate
    question = ask(gate, record.nodes, record.step)
    window = resolve(gate, moments(stage.name, record.events), record.timeline, now=now)
    left_out = spared(gate, stage, record.events, window)
    measurement = blank.model_copy(
        update={
            "query": question.query,
            "expected": question.targets,
            "spared": left_out,
            "window": None if isinstance(window, Unresolved) else window,
            "unresolved": window.reason if isinstance(window, Unresolved) else None,
        }
    )
    if question.way == "measured":
        events = [event for event in record.events if event.stage in {stage.name, None}]
        findings = own.findings(gate, events, moments(stage.name, events), record.timeline, now)
        return Assessment(measurement, told(measurement, worst(findings), record))
    if isinstance(window, Unresolved):
        return Assessment(measurement, told(measurement, unknown(window.reason), record))
    case = _case(gate, question, window, record, left_out)
    warnings: tuple[str, ...] = ()
    if question.way in {"prometheus", "polled"}:
        low, high = case.points
        warnings = record.answers(question.query).warned(case.points)
        measurement = measurement.model_copy(update={"asked": max(0, high - low + 1), "warnings": warnings})
    known = lacking.findings(gate, record.nodes, record.events)
    found = [*_findings(case, stage), *_clocks(case), *_warned(gate, warnings), *known]
    return Assessment(measurement, told(measurement, worst(found), record))


def _case(gate: Gate, question: Question, window: MeasuredWindow, record: Record, left_out: tuple[str, ...]) -> Case:
    left: tuple[Target, ...] = tuple(target for target in question.targets if target.node not in left_out)
    return Case(gate, Meaning.of(gate), question, window, record, left)


def _findings(case: Case, stage: Stage) -> Iterator[Finding]:
    gate, question, record = case.gate, case.question, case.record
    if question.way == "agreed":
        rounds = [done for done in record.readings(question.query) if done.stage == stage.name]
        rounds = [done for done in rounds if done.at > case.window.start]
        yield from agreement.findings(gate, case.window, rounds, case.left)
    elif question.way == "logs":
        yield from counted.lines(gate, case.window, record.occurrences(question.query), case.left)
    elif question.way == "events":
        yield from counted.events(gate, case.window, record.occurrences(question.query), record.timeline)
    elif gate.signal is not None and not question.targets:
        yield Finding(Verdict.ERROR, f"no node that it selects has the signal {gate.signal}")
    elif gate.no_worse_than is not None:
        then = baseline.of(gate, stage.name, record.baselines)
        yield from sampled.findings(case, baseline.compared(gate, case.meaning, then))
    else:
        yield from sampled.findings(case, lambda _, strip: series.judge(gate, case.meaning, strip))


def figures(stage: Stage, gate: Gate, run: str, record: Record, now: float) -> Baseline:
    """The figures that `noWorseThan` compares with, computed from the record of the earlier run."""
    assert gate.no_worse_than is not None
    there = stage.model_copy(update={"name": gate.no_worse_than.stage or stage.name})
    window = resolve(gate, moments(there.name, record.events), record.timeline, now=now)
    blank = Baseline(run=run, stage=stage.name, gate=gate)
    if isinstance(window, Unresolved):
        return blank.model_copy(update={"lacking": {"": window.reason}})
    question = ask(gate, record.nodes, record.step)
    case = _case(gate, question, window, record, spared(gate, there, record.events, window))
    values: dict[str, float] = {}
    lacking: dict[str, str] = {}
    for found in sampled.findings(case, baseline.noting(gate, case.meaning, values, lacking)):
        if found.verdict is not Verdict.PASSED:
            lacking.setdefault("", found.reason)
    if _warned(gate, record.answers(question.query).warned(case.points)):
        values, lacking = {}, {"": "Prometheus warned there"}
    return blank.model_copy(update={"window": window, "figures": values, "lacking": lacking})


def _warned(gate: Gate, warnings: tuple[str, ...]) -> list[Finding]:
    if not warnings or gate.policy.warnings == "ignore":
        return []
    return [by_policy(gate.policy.warnings, f"Prometheus warned: {warnings[0]}")]


def _clocks(case: Case) -> Iterator[Finding]:
    """Findings if our clock, Prometheus' and the chain's differ. Windows use our clock; samples and blocks do not."""
    policy, limit, record = case.gate.policy.clocks, case.gate.policy.clock_skew, case.record
    if policy == "ignore":
        return
    if case.question.way == "prometheus":
        checks = list(record.checked(case.window.start, case.window.end))
        apart = max(checks, key=lambda check: abs(check.prometheus) - check.uncertainty, default=None)
        if apart is None:
            yield by_policy("inconclusive", "nobody compared Prometheus' clock with ours")
        elif abs(apart.prometheus) - apart.uncertainty > limit:
            yield by_policy(policy, f"Prometheus' clock is {_apart(apart.prometheus)} ours")
    ahead = record.chain_ahead(case.window.start, case.window.end)
    if ahead is not None and not -limit - _LATE <= ahead <= limit:
        yield by_policy(policy, f"the chain's clock is {_apart(ahead)} ours")


_LATE = 6.0
"""Seconds by which blocks may be late although no clock is wrong: a slot of a live network."""


def _apart(ahead: float) -> str:
    return f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'}"


def told(measurement: Measurement, finding: Finding, record: Record) -> GateVerdict:
    """The gate's verdict, with the values, time and block that a reader can check."""
    gate, reason = measurement.gate, finding.reason
    if finding.verdict in {Verdict.PASSED, Verdict.FAILED}:
        reason += f"; asked was {gate.threshold_text()}"
    if measurement.spared:
        reason += f"; left out, for the stage's fault stopped them: {', '.join(measurement.spared)}"
    return GateVerdict(
        stage=measurement.stage,
        gate=gate.name,
        verdict=finding.verdict,
        reason=reason,
        threshold=gate.threshold_text(),
        query=measurement.query,
        value=finding.value,
        unit=_unit(gate),
        node=finding.node or None,
        when=finding.when,
        block=record.timeline.block(finding.when),
        spared=measurement.spared,
    )


def _unit(gate: Gate) -> str:
    if gate.chosen() in {"recovers_within", "progresses"}:
        return "s"
    try:
        unit = Meaning.of(gate).unit
    except KeyError:
        return ""
    per_minute = gate.rate_per_minute is not None or (
        gate.no_worse_than is not None and gate.no_worse_than.figure == "growth-per-minute"
    )
    return f"{unit}/min" if per_minute else unit
