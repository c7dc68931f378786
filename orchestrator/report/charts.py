"""Computes the geometry of charts: paths, bands and ticks. The page's template draws them. Pure. Called by `html`."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from orchestrator.journal import Chart, Series
from orchestrator.report.scale import LEFT, RIGHT, WIDTH, Times, Values, values
from orchestrator.report.story import TROUBLE, Story

HEIGHT, TOP, BOTTOM = 200.0, 10.0, 168.0
_MANY = 12
"""If a group has more lines than this, the chart shows an envelope and a median instead."""

_COLOURS = 6
_MARKS = ("inject.confirmed", "recover.confirmed", "upgrade.authorized", "upgrade.applied", "upgrade.enacted", *TROUBLE)


@dataclass(frozen=True, slots=True)
class Path:
    """A line or a filled area. `style` are its CSS classes: the group's colour and the kind of line."""

    points: str
    style: str
    title: str
    area: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Rect:
    """A stretch of time on the chart."""

    left: float
    width: float
    style: str
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart, with everything that the template needs to draw it."""

    title: str
    unit: str
    paths: tuple[Path, ...]
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    bands: tuple[Rect, ...]
    marks: tuple[Tick, ...]
    legend: tuple[tuple[str, str], ...]
    note: str = ""


def panels(story: Story, charts: Iterable[Chart]) -> tuple[Panel, ...]:
    """The charts. Best and finalised blocks of a chain share one chart; every other signal has its own."""
    found: dict[str, list[Chart]] = {}
    for chart in charts:
        heights = chart.signal in {"best-height", "finalized-height"}
        found.setdefault(f"Blocks of {chart.chain}" if heights else chart.title, []).append(chart)
    return tuple(_panel(story, title, together) for title, together in found.items())


def strip(story: Story) -> tuple[Rect, ...]:
    """The stages in a row, coloured by their verdicts. They have names if there is room, else numbers."""
    times = Times(story.start, story.end)
    rects = []
    for number, stage in enumerate(story.stages, start=1):
        if stage.start is None or stage.end is None:
            continue
        left, right = times.x(stage.start), times.x(stage.end)
        label = stage.name if len(stage.name) * 6.4 + 12 < right - left else str(number)
        rects.append(Rect(left, max(1.0, right - left - 2), stage.verdict.lower(), label))
    return tuple(rects)


def across(story: Story) -> tuple[Tick, ...]:
    """The ticks of the time axis: time since the start, and the relay chain's best block at that time."""
    times = Times(story.start, story.end)
    blocks = ((when, story.timeline.block(when)) for when in times.ticks())
    return tuple(
        Tick(times.x(when), story.since(when), f"#{block}" if block is not None else "") for when, block in blocks
    )


def _panel(story: Story, title: str, charts: list[Chart]) -> Panel:
    times = Times(story.start, story.end)
    numbers = [v for chart in charts for one in chart.series for _, v in one.samples if math.isfinite(v)]
    scale = values(numbers, top=TOP + 18.0, bottom=BOTTOM)  # Below the labels of the bands.
    groups = list(dict.fromkeys(_group(one) for chart in charts for one in chart.series))
    paths = [path for chart in charts for path in _paths(chart, groups, times, scale, alone=len(charts) == 1)]
    errors = [chart.error for chart in charts if chart.error]
    return Panel(
        title=title,
        unit=charts[0].unit,
        paths=tuple(paths),
        across=across(story),
        upwards=tuple(Tick(scale.y(value), f"{value:g}") for value in scale.ticks()),
        bands=bands(story),
        marks=tuple(
            Tick(times.x(e.at), f"{e.name} {story.since(e.at)}", "trouble" if e.name in TROUBLE else "")
            for e in story.events
            if e.name in _MARKS
        ),
        legend=(*_legend(groups), *((("best", "best"), ("final", "finalised")) if len(charts) > 1 else ())),
        note=errors[0] if errors else "" if numbers else "no samples",
    )


def _legend(groups: list[str]) -> Iterator[tuple[str, str]]:
    for index, group in enumerate(groups):
        yield f"c{index % _COLOURS}", group


def bands(story: Story) -> tuple[Rect, ...]:
    """The stretches of time in which the network was disturbed on purpose."""
    return tuple(_bands(story, Times(story.start, story.end)))


def _bands(story: Story, times: Times) -> Iterator[Rect]:
    for band in story.bands:
        left, right = times.x(band.start), times.x(band.end)
        yield Rect(left, max(1.5, right - left), band.kind, band.label)


def _group(one: Series) -> str:
    return one.labels.get("group") or one.labels.get("node") or "all"


def _paths(chart: Chart, groups: list[str], times: Times, scale: Values, *, alone: bool) -> Iterator[Path]:
    line = "line" if alone else "best" if chart.signal == "best-height" else "final"
    for index, group in reversed(list(enumerate(groups))):  # The first group is drawn last, and so on top.
        members = [one for one in chart.series if _group(one) == group]
        style = f"c{index % _COLOURS} {line}"
        if len(members) > _MANY:
            yield from _envelope(members, f"{group}, {len(members)} nodes", style, times, scale)
            continue
        for one in members:
            name = one.labels.get("node", group)
            points = _line([s for s in one.samples if math.isfinite(s[1])], times, scale)
            if points:
                yield Path(points, style, f"{name}: {chart.title}")


def _line(samples: list[tuple[float, float]], times: Times, scale: Values) -> str:
    """A path with gaps where samples are missing. Points in the middle of level stretches are left out."""
    spaces = sorted(b[0] - a[0] for a, b in pairwise(samples))
    usual = spaces[len(spaces) // 2] if spaces else 1.0
    text, last = [], None
    for index, (when, value) in enumerate(samples):
        broken = last is None or when - last > 2.6 * usual
        last = when
        level = (
            not broken
            and 0 < index < len(samples) - 1
            and samples[index - 1][1] == value == samples[index + 1][1]
            and samples[index + 1][0] - when <= 2.6 * usual
        )
        if not level:
            text.append(f"{'M' if broken else 'L'}{_n(times.x(when))} {_n(scale.y(value))}")
    return "".join(text)


def _envelope(members: list[Series], title: str, style: str, times: Times, scale: Values) -> Iterator[Path]:
    columns: dict[float, list[float]] = {}
    for one in members:
        for when, value in one.samples:
            if math.isfinite(value):
                columns.setdefault(when, []).append(value)
    moments = sorted(columns)
    if not moments:
        return
    upper = [f"{_n(times.x(t))} {_n(scale.y(max(columns[t])))}" for t in moments]
    lower = [f"{_n(times.x(t))} {_n(scale.y(min(columns[t])))}" for t in reversed(moments)]
    yield Path("M" + "L".join(upper + lower) + "Z", f"{style} area", f"{title}: lowest to highest", area=True)
    yield Path(_line([(t, median(columns[t])) for t in moments], times, scale), style, f"{title}: median")


def _n(number: float) -> str:
    """A coordinate with one decimal, which is finer than a pixel."""
    return f"{number:.1f}".removesuffix(".0")


FRAME = {"width": WIDTH, "left": LEFT, "right": WIDTH - RIGHT, "height": HEIGHT, "top": TOP, "bottom": BOTTOM}
"""The size of a chart, for the template."""
