"""Collects the evidence that gates need and the record lacks. Failed queries do not raise; the error is recorded.

Called by `run`: during a stage for gates that may end it early, and at the stage's end for all gates. Each distinct
query is sent once for a stretch of time, even if several gates need it. What is recorded already is not asked again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from orchestrator.errors import CoalmineError
from orchestrator.gates.ports import Sources
from orchestrator.gates.question import HOLD, Question, ask
from orchestrator.gates.record import Points, Record
from orchestrator.gates.strip import first_point, last_point
from orchestrator.gates.window import Unresolved, moments, resolve, spared
from orchestrator.journal import ClockCheck, Entry, Occurrences, Reading, Readings, Row, Samples, Series, Target
from orchestrator.metrics.prometheus import RangeResult
from orchestrator.spec import Gate, Stage
from orchestrator.spec.testnet import RELAY

_POINTS = 10_000
"""The most points of one range query. Prometheus rejects ranges of more than 11,000 points."""

_READERS = 16
"""How many nodes are asked in parallel."""

_T = TypeVar("_T")
_R = TypeVar("_R")

Keep = Callable[[Entry], object]
"""Writes an entry to the journal and adds it to the record."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A gate with its question, and the time (unix seconds) from which on its samples are needed."""

    gate: Gate
    question: Question
    since: float


def asked(stage: Stage, gates: Iterable[Gate], record: Record, now: float) -> Iterator[Asked]:
    """The questions of gates. Gates with an unknown signal are left out; the evaluation reports them."""
    known = moments(stage.name, record.events)
    for gate in gates:
        window = resolve(gate, known, record.timeline, now=now)
        start = known.get("stage.start", now)
        since = start if isinstance(window, Unresolved) else min(window.since, start)
        try:
            yield Asked(gate, ask(gate, record.nodes, record.step), since)
        except KeyError:
            continue


def collect(stage: Stage, gates: Sequence[Gate], record: Record, sources: Sources, keep: Keep, now: float) -> int:
    """Brings the record up to `now`, or to the stage's end, for these gates. Returns the number of range queries."""
    until = moments(stage.name, record.events).get("stage.end", now)
    wanted = list(asked(stage, gates, record, now))
    sent = _queries(wanted, record, sources, keep, until)
    for question, since in _distinct(one for one in wanted if one.question.way == "logs").items():
        for entry in _lines(question, _gate(wanted, question), since, until, record, sources):
            keep(entry)
    for question in _distinct(one for one in wanted if one.question.way == "events"):
        for entry in _happened(question, _gate(wanted, question), stage, until, record, sources):
            keep(entry)
    for question in _distinct(one for one in wanted if one.question.way == "agreed"):
        gate = _gate(wanted, question)
        window = resolve(gate, moments(stage.name, record.events), record.timeline, now=now)
        left_out = spared(gate, stage, record.events, window)
        keep(agreed(stage.name, gate, question, left_out, sources))
    return sent


def _distinct(wanted: Iterable[Asked]) -> dict[Question, float]:
    """Each question once, with the earliest time from which any gate needs it."""
    found: dict[Question, float] = {}
    for one in wanted:
        found[one.question] = min(one.since, found.get(one.question, one.since))
    return found


def _gate(wanted: Iterable[Asked], question: Question) -> Gate:
    return next(one.gate for one in wanted if one.question == question)


# Prometheus


def plan(wanted: Iterable[Asked], record: Record, until: float) -> Iterator[tuple[str, Points]]:
    """The range queries to send: each distinct query once for every stretch that the record lacks."""
    queries: dict[str, float] = {}
    for one in wanted:
        if one.question.way == "prometheus":
            for query in filter(None, (one.question.query, one.question.presence)):
                queries[query] = min(one.since, queries.get(query, one.since))
    for query, since in queries.items():
        whole = first_point(since, record.step), last_point(until, record.step)
        for low, high in record.answers(query).lacking(whole):
            for start in range(low, high + 1, _POINTS):
                yield query, (start, min(start + _POINTS - 1, high))


def _queries(wanted: Sequence[Asked], record: Record, sources: Sources, keep: Keep, until: float) -> int:
    planned = list(plan(wanted, record, until))
    if planned and (check := _clock(sources)) is not None:
        keep(check)
    for query, points in planned:
        keep(_sampled(query, points, record.step, sources))
    return len(planned)


def _clock(sources: Sources) -> ClockCheck | None:
    """Prometheus' clock compared with ours. None if it does not answer; the queries will then report the error."""
    try:
        before = sources.now()
        theirs = sources.prometheus.clock()
        after = sources.now()
    except CoalmineError:
        return None
    return ClockCheck(at=after, prometheus=theirs - (before + after) / 2, uncertainty=(after - before) / 2)


def _sampled(query: str, points: Points, step: float, sources: Sources) -> Samples:
    low, high = points
    first, last = round(low * step, 3), round(high * step, 3)
    blank = Samples(query=query, first=first, step=step, count=high - low + 1)
    try:
        result = sources.prometheus.query_range(query, first, last, step, lookback=HOLD * step)
        return blank.model_copy(update={"rows": tuple(rows(result, points, step)), "warnings": result.warnings})
    except CoalmineError as error:
        return blank.model_copy(update={"error": error.message})
    except Exception as error:  # noqa: BLE001  A failed measurement must not end the run; its gate becomes an ERROR.
        return blank.model_copy(update={"error": f"{type(error).__name__}: {error}"})


def rows(result: RangeResult, points: Points, step: float) -> Iterator[Row]:
    """The result's series as rows: one value, or None, for each point of the grid."""
    for one in result.series:
        values: list[float | None] = [None] * (points[1] - points[0] + 1)
        for when, value in one.samples:
            index = round(when / step) - points[0]
            if 0 <= index < len(values):
                values[index] = value
        yield Row(labels=_plain(one), values=tuple(values))


def _plain(one: Series) -> dict[str, str]:
    return {name: value for name, value in one.labels.items() if name != "__name__"}


# Logs and events


def _lines(
    question: Question, gate: Gate, since: float, until: float, record: Record, sources: Sources
) -> list[Occurrences]:
    assert gate.logs is not None
    pattern = gate.logs.pattern
    known = {entry.target: entry.last for entry in record.occurrences(question.query) if entry.error is None}

    def read(target: Target) -> Occurrences:
        start = max(since, known.get(target, since))
        blank = Occurrences(query=question.query, target=target, first=start, last=until)
        try:
            found = sources.logs.matching(target.node, pattern, start, until)
        except CoalmineError as error:
            return blank.model_copy(update={"error": error.message})
        return blank.model_copy(update={"first": max(start, found.since), "hits": found.hits})

    return _each(question.targets, read)


def _happened(
    question: Question, gate: Gate, stage: Stage, until: float, record: Record, sources: Sources
) -> Iterator[Occurrences]:
    """The events in blocks that became final in the stage and are not recorded yet."""
    assert gate.chain_events is not None
    chain, timeline = gate.on.chain or RELAY, record.timeline
    start = moments(stage.name, record.events).get("stage.start", until)
    low, high = timeline.finalized(start, chain), timeline.finalized(until, chain)
    if low is None or high is None:
        return
    done = [int(entry.last) for entry in record.occurrences(question.query) if entry.error is None]
    low = max([low, *(last for last in done if last <= high)])
    if low >= high:
        return
    blank = Occurrences(query=question.query, target=Target(node="", chain=chain), first=low, last=high)
    try:
        node, blocks = sources.chains.happened(chain, gate.chain_events, low + 1, high)
        target = Target(node=node, chain=chain)
        yield blank.model_copy(update={"target": target, "hits": tuple(map(float, blocks))})
    except CoalmineError as error:
        yield blank.model_copy(update={"error": error.message})


# Agreement


def agreed(stage: str, gate: Gate, question: Question, left_out: tuple[str, ...], sources: Sources) -> Readings:
    """Every node's value at the lowest height that all nodes of its chain have finalised."""
    left = [target for target in question.targets if target.node not in left_out]
    reads = finalized(left, sources)
    common: dict[str, int] = {}
    for read in reads:
        if read.finalized is not None:
            chain = read.target.chain or RELAY
            common[chain] = min(read.finalized, common.get(chain, read.finalized))
    reads = _each(reads, lambda read: _value(read, gate, common, sources))
    return Readings(stage=stage, query=question.query, reads=tuple(reads))


def finalized(wanted: Sequence[Target], sources: Sources) -> list[Reading]:
    """The finalised height of each target. All are asked in parallel."""
    return _each(wanted, lambda target: _finalized(target, sources))


def _finalized(target: Target, sources: Sources) -> Reading:
    chain = target.chain or RELAY
    return _guarded(Reading(target=target), lambda: {"finalized": sources.chains.finalized_height(target.node, chain)})


def _value(read: Reading, gate: Gate, common: Mapping[str, int], sources: Sources) -> Reading:
    node, chain = read.target.node, read.target.chain or RELAY
    height = common.get(chain)
    if height is None or read.error is not None:
        return read

    def find() -> dict[str, object]:
        if gate.storage is not None:
            return {"height": height, "value": sources.chains.stored(node, chain, gate.storage, height)}
        return {"height": height, "value": sources.chains.block_hash(node, chain, height)}

    return _guarded(read, find)


def _guarded(read: Reading, find: Callable[[], dict[str, object]]) -> Reading:
    try:
        return read.model_copy(update=find())
    except CoalmineError as error:
        return read.model_copy(update={"error": error.message})


def _each(items: Sequence[_T], read: Callable[[_T], _R]) -> list[_R]:
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        return list(pool.map(read, items))
