"""Findings from an experiment's or an upgrade's own measurements in its stage's events. Pure; called by `evaluate`."""

import math
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from orchestrator.gates.bounds import breach
from orchestrator.gates.finding import Finding, unknown
from orchestrator.gates.meaning import Meaning
from orchestrator.gates.window import Timeline, moment
from orchestrator.journal import Event, Verdict
from orchestrator.spec import Gate


def findings(
    gate: Gate, events: Sequence[Event], moments: Mapping[str, float], timeline: Timeline, now: float
) -> Iterator[Finding]:
    """One finding, or one for each node if the controller noted a figure for each node."""
    assert gate.measured is not None
    times = {anchor: moment(anchor, moments, timeline) for anchor in gate.measured.anchors()}
    for anchor, when in times.items():
        if when is None or when > now:
            yield unknown(f"{anchor} did not happen")
            return
    if (elapsed := gate.measured.seconds) is not None:
        start, end = times[elapsed.from_], times[elapsed.to]
        assert start is not None
        assert end is not None
        if end < start:
            yield unknown(f"{elapsed.to} came before {elapsed.from_}")
        else:
            yield _told(gate, end - start, end)
        return
    detail = gate.measured.detail
    assert detail is not None
    event = next(event for event in events if event.name == detail.event.moment)
    yield from _noted(gate, detail.field, event)


def _noted(gate: Gate, field: str, event: Event) -> Iterator[Finding]:
    found: JsonValue = event.detail
    for part in field.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, dict) and found:
        for node, value in found.items():
            yield _figure(gate, field, value, event).on(node)
    else:
        yield _figure(gate, field, found, event)


def _figure(gate: Gate, field: str, value: JsonValue, event: Event) -> Finding:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return unknown(f"{event.name} says no number for {field}")
    return _told(gate, float(value), event.at)


def _told(gate: Gate, value: float, when: float) -> Finding:
    meaning, bad = Meaning.of(gate), breach(gate, value)
    verdict = Verdict.FAILED if bad > 0 else Verdict.PASSED
    return Finding(verdict, f"{meaning.title}: {meaning.said(value)}", value, bad, when)
