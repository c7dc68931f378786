"""Computes what the page draws: a chart for each signal of the run, and the strip of its stages. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.journal import Chart
from orchestrator.report.labels import width
from orchestrator.report.lines import COLOURS, Path, group, paths
from orchestrator.report.marks import Marks, Rect, marks
from orchestrator.report.scale import LEFT, RIGHT, WIDTH, Times, values
from orchestrator.report.story import Story

ROW = 13.0
"""The height of a line of text."""

_PLOT = 150.0
_HEIGHTS = {"best-height", "finalized-height"}


@dataclass(frozen=True, slots=True)
class Frame:
    """The edges of a chart: its names are above `top`, its time axes below `bottom`."""

    top: float
    bottom: float
    left: float = LEFT
    right: float = WIDTH - RIGHT
    width: float = WIDTH
    row: float = ROW

    @property
    def height(self) -> float:
        return self.bottom + 3 * ROW + 7

    def over(self, row: int | None) -> float:
        """Where a mark begins: at the row of its name, or at the top of the plot."""
        return self.top if row is None else 2.0 + row * ROW


def framed(rows: int, plot: float = _PLOT) -> Frame:
    """The frame of a chart with so many rows of names over it."""
    top = 8.0 + rows * ROW
    return Frame(top, top + plot)


@dataclass(frozen=True, slots=True)
class Level:
    """A tick of the value axis."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A threshold's line, and its words at the line's left end."""

    points: tuple[float, float, float, float]
    label: str


@dataclass(frozen=True, slots=True)
class Box:
    """A stage in the strip of stages. `title` is its tooltip."""

    left: float
    width: float
    style: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart, with everything that the template needs to draw it."""

    title: str
    unit: str
    frame: Frame
    marks: Marks
    levels: tuple[Level, ...]
    paths: tuple[Path, ...]
    legend: tuple[tuple[str, str], ...]
    note: str = ""
    window: Rect | None = None
    rules: tuple[Rule, ...] = ()
    spot: tuple[float, float, str] | None = None
    links: tuple[tuple[str, str], ...] = ()


def panels(story: Story) -> tuple[Panel, ...]:
    """The charts of the run. Best and finalised blocks of a chain share one; every other signal has its own."""
    times = Times(story.start, story.end)
    return tuple(drawn(story, title, together, times) for title, together in _grouped(story.charts).items())


def heights(story: Story, chain: str, times: Times) -> Panel | None:
    """The blocks of a chain in a part of the run; None if the journal has no such chart."""
    found = [chart for chart in story.charts if chart.chain == chain and chart.signal in _HEIGHTS]
    return drawn(story, f"Blocks of {chain}", [_clipped(chart, times) for chart in found], times) if found else None


def _grouped(charts: Iterable[Chart]) -> dict[str, list[Chart]]:
    found: dict[str, list[Chart]] = {}
    for chart in charts:
        found.setdefault(f"Blocks of {chart.chain}" if chart.signal in _HEIGHTS else chart.title, []).append(chart)
    return found


def _clipped(chart: Chart, times: Times) -> Chart:
    """The chart's samples in a stretch of time. Outside of it, they would be drawn at its edge."""
    series = (
        one.model_copy(update={"samples": tuple(s for s in one.samples if times.start <= s[0] <= times.end)})
        for one in chart.series
    )
    return chart.model_copy(update={"series": tuple(series)})


def drawn(story: Story, title: str, charts: Sequence[Chart], times: Times) -> Panel:
    """A panel of one signal, or of a chain's best and finalised blocks."""
    numbers = [v for chart in charts for one in chart.series for _, v in one.samples if math.isfinite(v)]
    marked = marks(story, times)
    frame = framed(marked.rows)
    scale = values(numbers, top=frame.top, bottom=frame.bottom)
    groups = list(dict.fromkeys(group(one) for chart in charts for one in chart.series))
    lines = [
        path
        for chart in charts
        for path in paths(chart.series, groups, times, scale, line=_line(chart, charts), title=chart.title)
    ]
    errors = [chart.error for chart in charts if chart.error]
    return Panel(
        title=title,
        unit=charts[0].unit,
        frame=frame,
        marks=marked,
        levels=tuple(Level(scale.y(value), f"{value:g}") for value in scale.ticks()),
        paths=tuple(lines),
        legend=(*legend(groups), *((("best", "best"), ("final", "finalised")) if len(charts) > 1 else ())),
        note=errors[0] if errors else "" if numbers else "no samples",
        links=story.links.to(charts[0].query, times.start, times.end),
    )


def _line(chart: Chart, charts: Sequence[Chart]) -> str:
    return "line" if len(charts) == 1 else "best" if chart.signal == "best-height" else "final"


def legend(groups: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The colour and the name of each group."""
    for index, name in enumerate(groups):
        yield f"c{index % COLOURS}", name


def strip(story: Story) -> tuple[Box, ...]:
    """The stages in a row, coloured by their verdicts. They have names if there is room, else numbers, else nothing."""
    times = Times(story.start, story.end)
    rects = []
    for number, stage in enumerate(story.stages, start=1):
        if stage.start is None or stage.end is None:
            continue
        left, right = times.x(stage.start), times.x(stage.end)
        label = next((text for text in (stage.name, str(number)) if width(text) + 12 < right - left), "")
        title = f"{stage.name}: {stage.verdict}"
        rects.append(Box(left, max(1.0, right - left - 2), stage.verdict.lower(), label, title))
    return tuple(rects)
