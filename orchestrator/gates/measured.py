"""What an experiment or an upgrade measured itself, in the events of its stage. Judged only: the controller asks.

A stage has gates of this kind without naming them: its fault was verified, its upgrade was enacted. If the fault did
not happen as specified, every other gate of the stage is worthless, so that is an ERROR. If an upgrade failed, that is
what the rehearsal should find, so it is FAILED.
"""

import math
from collections.abc import Iterator

from pydantic import JsonValue

from orchestrator.gates import machine
from orchestrator.gates.decide import Claim, Finding, broken, decide, unknown
from orchestrator.gates.evidence import Unknown
from orchestrator.gates.question import Question, key
from orchestrator.gates.record import Record
from orchestrator.gates.threshold import Meaning, breach
from orchestrator.gates.timeline import Timeline
from orchestrator.gates.window import instant, moment, moments
from orchestrator.journal import Event, GateVerdict
from orchestrator.spec import Gate, Stage

FAULT = "fault-verified"
UPGRADE = "upgrade-enacted"

SHORT = 1.0
"""Seconds by which a fault may be held shorter than asked. The controller looks once a second."""


def ask(gate: Gate) -> Question:
    """The gate's question, which nobody sends: the controller reports by itself."""
    return Question(key("measured", gate.measured), "measured")


def judge(stage: Stage, gate: Gate, record: Record, now: float) -> Iterator[Finding]:
    """One finding, or one for each node if the controller noted a figure for each node."""
    assert gate.measured is not None
    mine = [event for event in record.events if event.stage in {stage.name, None}]
    known = moments(stage.name, mine)
    times: dict[str, float] = {}
    for anchor in gate.measured.anchors():
        found = moment(anchor, gate, known, record.timeline, record.pace)
        if isinstance(found, Unknown) or found.value > now:
            yield unknown(found.reason if isinstance(found, Unknown) else f"{anchor} did not happen")
            return
        times[str(anchor)] = found.value
    if (elapsed := gate.measured.seconds) is not None:
        start, end = times[str(elapsed.from_)], times[str(elapsed.to)]
        if end < start:
            yield unknown(f"{elapsed.to} came before {elapsed.from_}")
        else:
            yield _figure(gate, end - start, end)
        return
    detail = gate.measured.detail
    assert detail is not None
    event = next(event for event in mine if event.name == detail.event.moment)
    yield from _noted(gate, detail.field, event)


def _noted(gate: Gate, field: str, event: Event) -> Iterator[Finding]:
    found: JsonValue = event.detail
    for part in field.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, dict) and found:
        for node, value in found.items():
            yield _number(gate, field, value, event).on(node)
    else:
        yield _number(gate, field, found, event)


def _number(gate: Gate, field: str, value: JsonValue, event: Event) -> Finding:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return unknown(f"{event.name} says no number for {field}")
    return _figure(gate, float(value), event.at)


def _figure(gate: Gate, value: float, when: float) -> Finding:
    meaning, bad = Meaning.of(gate), breach(gate, value)
    told = f"{meaning.title}: {meaning.said(value)}"
    return decide(Claim(told, bad > 0, holds=bad <= 0, value=value, badness=bad, when=when), instant(when), gate)


def implicit(stage: Stage, record: Record) -> Iterator[GateVerdict]:
    """A verdict for the stage's experiment, and one for its upgrade. None if the stage has neither."""
    first: dict[str, Event] = {}
    for event in record.events:
        if event.stage == stage.name:
            first.setdefault(event.name, event)
    if stage.experiment is not None:
        yield _told(stage, FAULT, _fault(stage, first), record.timeline)
    if stage.upgrade is not None:
        yield _told(stage, UPGRADE, _upgrade(first, record), record.timeline)


def _fault(stage: Stage, events: dict[str, Event]) -> Finding:
    assert stage.experiment is not None
    if failed := events.get("experiment.failed"):
        return broken(f"the fault failed: {_text(failed, 'cause')}")
    injected, recovered = events.get("inject.confirmed"), events.get("recover.confirmed")
    if injected is None:
        return unknown("the fault's injection was never confirmed")
    if recovered is None:
        return unknown("the fault's end was never confirmed")
    effect = f": {injected.detail['effect']}" if injected.detail.get("effect") else ""
    lifted = events.get("recover.start", recovered)
    held, asked = lifted.at - injected.at, stage.experiment.duration
    if held < asked - SHORT:
        told = f"the fault was held for {held:.0f} s where {asked:.0f} s were asked"
        if aborted := events.get("stage.aborted"):
            return unknown(f"{told}, because {_text(aborted, 'gate')} ended the stage")
        return broken(told)
    told = f"injection confirmed{effect}; lifted again after {recovered.at - injected.at:.0f} s"
    return decide(Claim(told, fails=False, holds=True, when=injected.at), instant(injected.at))


def _upgrade(events: dict[str, Event], record: Record) -> Finding:
    if failed := events.get("upgrade.failed"):
        chain, phase, cause = (_text(failed, name) for name in ("chain", "phase", "cause"))
        block = failed.detail.get("block")
        where = f" at block {block}" if block is not None else ""
        told = f"the upgrade of {chain} failed in phase {phase}{where}: {cause}"
        found = decide(Claim(told, fails=True, holds=False, when=failed.at), instant(failed.at))
        begun = events.get("upgrade.applied") or events.get("stage.start", failed)
        return machine.overdue(found, record, (begun.at, failed.at)) if failed.detail.get("overdue") is True else found
    enacted = events.get("upgrade.enacted")
    if enacted is None:
        return unknown("the upgrade was neither enacted nor seen to fail")
    block = enacted.detail.get("enactedBlock")
    which = f"block {block}, built by the new code," if block is not None else "a block built by the new code"
    told = f"{which} is included and finalised"
    return decide(Claim(told, fails=False, holds=True, when=enacted.at), instant(enacted.at))


def _text(event: Event, name: str) -> str:
    value = event.detail.get(name)
    return str(value) if value is not None else "unknown"


def _told(stage: Stage, name: str, found: Finding, timeline: Timeline) -> GateVerdict:
    return GateVerdict(
        stage=stage.name,
        gate=name,
        verdict=found.verdict,
        reason=found.reason,
        threshold="no failure",
        when=found.when,
        block=timeline.block(found.when),
    )
