"""Fetches the samples that gates need and the record lacks, from Prometheus. Failed queries are recorded, not raised.

What has no history is polled by `run.polling` while the stage runs, and flushed to the record.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from orchestrator.errors import CoalmineError
from orchestrator.gates import clocks
from orchestrator.gates.asked import Asked, Keep
from orchestrator.gates.grid import Points, first_point, last_point, nearest_point, time_of
from orchestrator.gates.ports import Sources
from orchestrator.gates.question import Question
from orchestrator.gates.record import Record
from orchestrator.gates.samples.ask import HOLD, from_prometheus
from orchestrator.journal import Row, Samples

if TYPE_CHECKING:  # Judging a run again needs no client of Prometheus.
    from orchestrator.metrics.prometheus import RangeResult

_POINTS = 10_000
"""The most points of one range query. Prometheus rejects ranges of more than 11,000 points."""


def needed(wanted: Iterable[Asked]) -> Iterator[tuple[Question, float]]:
    """What Prometheus must be asked for these gates, each with the time from which on."""
    for one in wanted:
        if from_prometheus(one.gate):
            yield from ((question, one.since) for question in (one.question, *one.question.beside))


def collect(
    wanted: Iterable[tuple[Question, float]], record: Record, sources: Sources, keep: Keep, until: float
) -> int:
    """Brings the samples up to `until`. Returns the number of range queries."""
    planned = list(plan(wanted, record, until))
    if planned and (check := clocks.compare(sources)) is not None:
        keep(check)
    for question, points in planned:
        keep(_sampled(question, points, record.step, sources))
    return len(planned)


def plan(wanted: Iterable[tuple[Question, float]], record: Record, until: float) -> Iterator[tuple[Question, Points]]:
    """The range queries to send: each question once for every stretch that the record lacks."""
    earliest: dict[str, tuple[Question, float]] = {}
    for question, since in wanted:
        _, before = earliest.get(question.key, (question, since))
        earliest[question.key] = question, min(since, before)
    for question, since in earliest.values():
        whole = first_point(since, record.step), last_point(until, record.step)
        for low, high in record.answers(question.key).lacking(whole):
            for start in range(low, high + 1, _POINTS):
                yield question, (start, min(start + _POINTS - 1, high))


def _sampled(question: Question, points: Points, step: float, sources: Sources) -> Samples:
    low, high = points
    first, last = time_of(low, step), time_of(high, step)
    blank = Samples(key=question.key, query=question.query, first=first, step=step, count=high - low + 1)
    try:
        result = sources.prometheus.query_range(question.query, first, last, step, lookback=HOLD * step)
        return blank.model_copy(update={"rows": tuple(rows(result, points, step)), "warnings": result.warnings})
    except CoalmineError as error:
        return blank.model_copy(update={"error": error.message})
    except Exception as error:  # noqa: BLE001  A failed measurement must not end the run; its gate becomes an ERROR.
        return blank.model_copy(update={"error": f"{type(error).__name__}: {error}"})


def rows(result: "RangeResult", points: Points, step: float) -> Iterator[Row]:
    """The result's series as rows: one value, or None, for each point of the grid. All labels are kept."""
    for one in result.series:
        values: list[float | None] = [None] * (points[1] - points[0] + 1)
        for when, value in one.samples:
            index = nearest_point(when, step) - points[0]
            if 0 <= index < len(values):
                values[index] = value
        yield Row(labels=dict(one.labels), values=tuple(values))
