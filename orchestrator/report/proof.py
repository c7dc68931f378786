"""The chart of one gate: what it was judged by, in its stage's time, with its window and its threshold. Pure.

A gate without samples, such as that of an upgrade, shows the blocks of the chain that it is about.
"""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.gates.threshold import Meaning
from orchestrator.journal import MeasuredWindow, Series
from orchestrator.report import thresholds
from orchestrator.report.charts import Level, Panel, Rule, framed, heights, legend
from orchestrator.report.exhibits import Exhibit
from orchestrator.report.lines import group, paths
from orchestrator.report.marks import Rect, marks
from orchestrator.report.scale import Times, Values, values
from orchestrator.report.story import Story
from orchestrator.spec.testnet import RELAY

_AROUND = 0.04
"""How much of its stage's length a chart shows before and after the stage."""


def panel(story: Story, exhibit: Exhibit) -> Panel | None:
    """The gate's chart. None if there is nothing to draw: its stage never began, or the journal has no samples."""
    times = _times(story, exhibit)
    if times is None:
        return None
    window = exhibit.measurement.window if exhibit.measurement is not None else None
    shown = [_clipped(one, times) for one in exhibit.series]
    if not any(one.samples for one in shown):
        found = heights(story, _chain(story, exhibit), times)
        return replace(found, window=_window(window, times)) if found is not None else None
    return _own(story, exhibit, shown, times, window)


def _times(story: Story, exhibit: Exhibit) -> Times | None:
    """The stretch of the stage and the gate's window."""
    if exhibit.start is None or exhibit.end is None:
        return None
    window = exhibit.measurement.window if exhibit.measurement is not None else None
    start = min(exhibit.start, window.start if window is not None else exhibit.start)
    end = max(exhibit.end, window.end if window is not None else exhibit.end, start + 1.0)
    around = _AROUND * (end - start)
    return Times(max(story.start, start - around), min(story.end, end + around))


def _chain(story: Story, exhibit: Exhibit) -> str:
    """The chain that a gate without samples is about."""
    stages = {stage.name: stage for stage in story.run.rehearsal.spec.stages}
    stage = stages.get(exhibit.gate.stage)
    if exhibit.asked is not None and exhibit.asked.on.chain is not None:
        return exhibit.asked.on.chain
    return stage.upgrade.chain if stage is not None and stage.upgrade is not None else RELAY


def _clipped(one: Series, times: Times) -> Series:
    return one.model_copy(update={"samples": tuple(s for s in one.samples if times.start <= s[0] <= times.end)})


def _own(
    story: Story, exhibit: Exhibit, series: Sequence[Series], times: Times, window: MeasuredWindow | None
) -> Panel:
    """The chart of the gate's own samples."""
    gate = exhibit.asked
    asked = thresholds.rules(gate, window, _worst(exhibit, series)) if gate is not None and window is not None else ()
    numbers = [value for one in series for _, value in one.samples]
    numbers += [value for rule in asked for _, value in (rule.start, rule.end)]
    marked = marks(story, times)
    frame = framed(marked.rows)
    scale = values(numbers, top=frame.top, bottom=frame.bottom)
    groups = list(dict.fromkeys(group(one) for one in series))
    title, unit = _said(exhibit)
    return Panel(
        title=title,
        unit=unit,
        frame=frame,
        marks=marked,
        levels=tuple(Level(scale.y(value), f"{value:g}") for value in scale.ticks()),
        paths=tuple(paths(series, groups, times, scale, line="line", title=title)),
        legend=tuple(legend(groups)),
        window=_window(window, times),
        rules=tuple(_rule(rule, times, scale) for rule in asked),
        spot=_spot(story, exhibit, series, times, scale),
        links=story.links.to(exhibit.promql, times.start, times.end) if exhibit.promql else (),
    )


def _said(exhibit: Exhibit) -> tuple[str, str]:
    """What the chart shows, and its unit. A time for each block is judged by heights, so that is what the chart has."""
    if exhibit.asked is None:
        return exhibit.gate.gate, exhibit.gate.unit
    try:
        meaning = Meaning.of(exhibit.asked)
    except KeyError:
        return exhibit.gate.gate, ""
    if meaning.figure == "seconds-per-growth":
        return f"{meaning.title}: the heights that it is computed from", ""
    return meaning.title, meaning.unit


def _worst(exhibit: Exhibit, series: Sequence[Series]) -> Series | None:
    """The series that decided: that of the several nodes that are judged as one, or of the worst node."""
    if exhibit.asked is not None and exhibit.asked.view.aggregate is not None:
        return next(iter(series), None)
    name = (exhibit.gate.node or "").partition("/")[0]
    return next((one for one in series if one.labels.get("node") == name), next(iter(series), None))


def _window(window: MeasuredWindow | None, times: Times) -> Rect | None:
    if window is None:
        return None
    left, right = times.x(window.start), times.x(window.end)
    return Rect(left, max(1.5, right - left), "window", "window, not closed" if window.open else "window")


def _rule(rule: thresholds.Rule, times: Times, scale: Values) -> Rule:
    (start, low), (end, high) = rule.start, rule.end
    return Rule((times.x(start), scale.y(low), times.x(end), scale.y(high)), rule.label)


def _spot(
    story: Story, exhibit: Exhibit, series: Sequence[Series], times: Times, scale: Values
) -> tuple[float, float, str] | None:
    """The place of the worst sample."""
    worst, when = _worst(exhibit, series), exhibit.gate.when
    if worst is None or not worst.samples or when is None or not times.start <= when <= times.end:
        return None
    at, value = min(worst.samples, key=lambda sample: abs(sample[0] - when))
    told = " ".join(filter(None, (exhibit.gate.node, f"{value:g}", story.since(at), story.clock(at), story.chain(at))))
    return times.x(at), scale.y(value), told
