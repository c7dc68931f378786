"""Turns samples into the lines of a chart: gaps, envelopes of many nodes, and no more points than can be seen. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from orchestrator.journal import Series
from orchestrator.report.scale import Times, Values

_MANY = 12
"""If a group has more lines than this, the chart shows an envelope and a median instead."""

_COLUMNS = 400
"""A line is thinned to the lowest and highest sample of so many stretches of time, so that no peak is lost."""

COLOURS = 6

Samples = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Path:
    """A line or a filled area. `style` are its CSS classes: the group's colour and the kind of line."""

    points: str
    style: str
    title: str


def paths(
    series: Sequence[Series], groups: Sequence[str], times: Times, scale: Values, *, line: str, title: str
) -> Iterator[Path]:
    """The lines of a signal. `groups` are all groups of the chart, which give the colours. The first one is on top."""
    for index, name in reversed(list(enumerate(groups))):
        members = [one for one in series if group(one) == name]
        style = f"c{index % COLOURS} {line}"
        if len(members) > _MANY:
            yield from _envelope(members, f"{name}, {len(members)} nodes", style, times, scale)
            continue
        alike: dict[str, list[str]] = {}  # Nodes that agree have one line between them.
        for one in members:
            points = drawn([s for s in one.samples if math.isfinite(s[1])], times, scale)
            alike.setdefault(points, []).append(one.labels.get("node", name))
        for points, nodes in alike.items():
            if points:
                yield Path(points, style, f"{', '.join(nodes)}: {title}")


def group(one: Series) -> str:
    """The name under which a series is in the legend."""
    return one.labels.get("group") or one.labels.get("node") or "all"


def drawn(samples: Samples, times: Times, scale: Values) -> str:
    """A path with gaps where samples are missing. Points in the middle of level stretches are left out."""
    spaces = sorted(b[0] - a[0] for a, b in pairwise(samples))
    usual = spaces[len(spaces) // 2] if spaces else 1.0
    text, last = [], None
    for when, value, level in _levels(_thinned(samples), 2.6 * usual):
        broken = last is None or when - last > 2.6 * max(usual, _stride(samples))
        last = when
        if broken or not level:
            text.append(f"{'M' if broken else 'L'}{coordinate(times.x(when))} {coordinate(scale.y(value))}")
    return "".join(text)


def _levels(samples: Samples, apart: float) -> Iterator[tuple[float, float, bool]]:
    """Each sample, and whether both its neighbours are near and have the same value."""
    for index, (when, value) in enumerate(samples):
        inside = 0 < index < len(samples) - 1
        same = inside and samples[index - 1][1] == value == samples[index + 1][1]
        yield when, value, same and samples[index + 1][0] - when <= apart


def _stride(samples: Samples) -> float:
    """Seconds of one stretch of a thinned line; 0 if the line is not thinned."""
    return (samples[-1][0] - samples[0][0]) / _COLUMNS if len(samples) > 2 * _COLUMNS else 0.0


def _thinned(samples: Samples) -> Samples:
    stride = _stride(samples)
    if not stride:
        return samples
    columns: dict[int, list[tuple[float, float]]] = {}
    for sample in samples:
        columns.setdefault(int((sample[0] - samples[0][0]) / stride), []).append(sample)
    kept = ({min(column, key=_value), max(column, key=_value)} for column in columns.values())
    return [sample for both in kept for sample in sorted(both)]


def _value(sample: tuple[float, float]) -> float:
    return sample[1]


def _envelope(members: Sequence[Series], title: str, style: str, times: Times, scale: Values) -> Iterator[Path]:
    columns: dict[float, list[float]] = {}
    for one in members:
        for when, value in one.samples:
            if math.isfinite(value):
                columns.setdefault(when, []).append(value)
    if not columns:
        return
    edges = [(when, min(column), max(column)) for when, column in sorted(columns.items())]
    edges = [_widest(edges[at : at + _every(edges)]) for at in range(0, len(edges), _every(edges))]
    upper = [f"{coordinate(times.x(t))} {coordinate(scale.y(high))}" for t, _, high in edges]
    lower = [f"{coordinate(times.x(t))} {coordinate(scale.y(low))}" for t, low, _ in reversed(edges)]
    yield Path("M" + "L".join(upper + lower) + "Z", f"{style} area", f"{title}: lowest to highest")
    middle = [(when, median(columns[when])) for when in sorted(columns)]
    yield Path(drawn(middle, times, scale), style, f"{title}: median")


def _every(edges: Sequence[tuple[float, float, float]]) -> int:
    return math.ceil(len(edges) / _COLUMNS)


def _widest(edges: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    return edges[0][0], min(edge[1] for edge in edges), max(edge[2] for edge in edges)


def coordinate(number: float) -> str:
    """A coordinate with one decimal, which is finer than a pixel."""
    return f"{number:.1f}".removesuffix(".0")
