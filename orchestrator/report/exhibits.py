"""What shows each gate's verdict: its author's reason for it, its samples, and the log lines of its stage. Pure."""

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.gates import verdict
from orchestrator.journal import GateVerdict, Journal, Measurement, Occurrences, Samples, Series, Verdict
from orchestrator.report.stages import StageStory
from orchestrator.spec import Gate

_LINES = 40
"""How many log lines a report shows for a gate."""

_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "sum": sum,
}


@dataclass(frozen=True, slots=True)
class LogLine:
    node: str
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A gate's verdict and what shows it. `start` and `end` are its stage's; None if the stage never began.

    `unshown` is the number of log lines that matched but that the journal does not hold, or the report has no room for.
    """

    gate: GateVerdict
    asked: Gate | None
    measurement: Measurement | None
    start: float | None
    end: float | None
    series: tuple[Series, ...]
    lines: tuple[LogLine, ...] = ()
    unshown: int = 0

    @property
    def why(self) -> str:
        """What the gate's author says a failure means; empty if nothing."""
        return (self.asked.why if self.asked is not None else None) or ""

    @property
    def name(self) -> str:
        """The name of its place in the page."""
        return f"gate-{self.gate.stage}-{self.gate.gate}"

    @property
    def promql(self) -> str:
        """The query, if Prometheus understands it; else empty."""
        asked = self.asked is not None and (self.asked.signal is not None or self.asked.promql is not None)
        return self.gate.query if asked else ""


def exhibits(journal: Journal, stages: Iterable[StageStory]) -> Iterator[Exhibit]:
    """One for each gate, in the order of the rehearsal."""
    asked = {(stage.name, gate.name): gate for stage in journal.started.rehearsal.spec.stages for gate in stage.gates}
    measured = {(entry.stage, entry.gate.name): entry for entry in journal.all(Measurement)}
    for stage in stages:
        worst = max(stage.gates, key=lambda gate: verdict.rank(gate.verdict))
        for gate in stage.gates:
            key = gate.stage, gate.gate
            measurement = measured.get(key)
            series = samples(measurement, journal) if measurement is not None else ()
            decides = gate is worst and gate.verdict is not Verdict.PASSED
            lines, unshown = _lines(journal, stage, None if decides else gate.query)
            yield Exhibit(gate, asked.get(key), measurement, stage.start, stage.end, series, lines, unshown)


def samples(measurement: Measurement, journal: Journal) -> tuple[Series, ...]:
    """The samples of a gate, by node: all that the journal holds of its query, for the nodes that it judged.

    This is the only place that knows how a gate's samples are found. If the gate judges several nodes as one figure,
    that figure comes first, without the label `node`.
    """
    wanted = {target.node for target in measurement.expected} - set(measurement.spared)
    found: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for entry in journal.all(Samples):
        if entry.key != measurement.key:
            continue
        for row in entry.rows:
            if wanted and row.labels.get("node", "") not in {*wanted, ""}:
                continue
            kept = found.setdefault(tuple(sorted(row.labels.items())), [])
            times = (entry.first + entry.step * index for index in range(len(row.values)))
            kept += ((t, v) for t, v in zip(times, row.values, strict=True) if v is not None and math.isfinite(v))
    each = tuple(
        Series(labels=dict(labels), samples=tuple(sorted(dict(found[labels]).items()))) for labels in sorted(found)
    )
    return (*_together(measurement.gate, each), *each)


def _together(gate: Gate, each: Sequence[Series]) -> Iterator[Series]:
    """The figures of a gate that judges several nodes as one, at the times at which all of them have a value."""
    if gate.view.aggregate is None:
        return
    label = {"group": "group", "chain": "chain"}.get(gate.view.per)
    views: dict[str, list[Series]] = {}
    for one in each:
        views.setdefault(f"{label} {one.labels.get(label, '')}" if label else "all nodes", []).append(one)
    for name, members in views.items():
        columns = [dict(one.samples) for one in members]
        common = sorted(set(columns[0]).intersection(*columns[1:]))
        figures = tuple((t, _AGGREGATES[gate.view.aggregate]([column[t] for column in columns])) for t in common)
        yield Series(labels={"group": f"{gate.view.aggregate} of {name}"}, samples=figures)


def _lines(journal: Journal, stage: StageStory, query: str | None) -> tuple[tuple[LogLine, ...], int]:
    """The log lines that a query found while the stage ran, and how many more there were. None: any gate's query.

    The worst gate of a stage gets them all, because the cause of its failure is often what another gate looks for.
    """
    if stage.start is None or stage.end is None:
        return (), 0
    entries = [entry for entry in journal.all(Occurrences) if entry.lines and query in {None, entry.query}]
    kept = {
        LogLine(entry.target.node, when, text)
        for entry in entries
        for when, text in zip(entry.hits, entry.lines, strict=False)
        if stage.start <= when <= stage.end
    }
    hits = {(entry.target.node, entry.query, when) for entry in entries for when in entry.hits}
    inside = sum(stage.start <= when <= stage.end for _, _, when in hits)
    shown = sorted(kept, key=lambda line: (line.at, line.node))[:_LINES]
    return tuple(shown), max(0, inside - len(shown))
