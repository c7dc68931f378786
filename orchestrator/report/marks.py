"""What is marked on a chart besides its lines: disturbances, named moments, and the three time axes. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.journal import Event
from orchestrator.report.labels import Label, Wanted, placed
from orchestrator.report.scale import Times
from orchestrator.report.story import TROUBLE, Story

_NAMES = {
    "upgrade.authorized": "authorised",
    "upgrade.applied": "applied",
    "upgrade.enacted": "enacted",
    "upgrade.completed": "complete",
    "upgrade.failed": "upgrade failed",
    "experiment.failed": "fault failed",
    "nodes.behind": "nodes behind",
    "run.aborted": "run aborted",
}
"""Events that are named on a chart."""

_NEAR = 4.0
"""Marks that are nearer than this, in SVG units, share one name."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the time axis: the time since the start, the wall-clock time, and the relay chain's best block."""

    x: float
    since: str
    clock: str
    block: str


@dataclass(frozen=True, slots=True)
class Rect:
    """A stretch of time on the chart. `row` is that of its name; None if it has none."""

    left: float
    width: float
    style: str
    label: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the chart. `title` is its tooltip, `row` that of its name; None if it has none."""

    x: float
    title: str
    style: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """All marks of one chart. `rows` is how many rows the labels take."""

    ticks: tuple[Tick, ...]
    bands: tuple[Rect, ...]
    moments: tuple[Mark, ...]
    labels: tuple[Label, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class _Moment:
    """Events of a stage that are too near to each other to be told apart. They have one mark and one name."""

    x: float
    events: list[Event]

    @property
    def style(self) -> str:
        return "trouble" if any(event.name in TROUBLE for event in self.events) else "upgrade"


def marks(story: Story, times: Times) -> Marks:
    """The marks of a chart of the run, or of a part of it."""
    stretches, moments = list(bands(story, times)), list(_moments(story, times))
    named = [Wanted(moment.x, _name(moment), moment.style, needed=moment.style == "trouble") for moment in moments]
    labels = placed([*(Wanted(band.left, band.label, band.style) for band in stretches), *named])
    rows = [label.row if label else None for label in labels]
    return Marks(
        ticks=tuple(ticks(story, times)),
        bands=tuple(
            Rect(band.left, band.width, band.style, band.label, row) for band, row in zip(stretches, rows, strict=False)
        ),
        moments=tuple(
            Mark(moment.x, _title(story, moment.events), moment.style, row)
            for moment, row in zip(moments, rows[len(stretches) :], strict=True)
        ),
        labels=tuple(label for label in labels if label is not None),
        rows=max((row + 1 for row in rows if row is not None), default=0),
    )


def ticks(story: Story, times: Times) -> Iterator[Tick]:
    """The ticks of the time axes."""
    for when in times.ticks(story.start):
        yield Tick(times.x(when), story.since(when), story.clock(when), story.chain(when))


def bands(story: Story, times: Times) -> Iterator[Rect]:
    """The stretches of time in which the network was disturbed on purpose."""
    for band in story.bands:
        if band.end >= times.start and band.start <= times.end:
            left, right = times.x(band.start), times.x(band.end)
            yield Rect(left, max(1.5, right - left), band.kind, band.label)


def _moments(story: Story, times: Times) -> Iterator[_Moment]:
    last: _Moment | None = None
    for event in story.events:
        if event.name not in _NAMES or not times.start <= event.at <= times.end:
            continue
        x = times.x(event.at)
        if last is not None and x - last.x < _NEAR and event.stage == last.events[-1].stage:
            last.events.append(event)
            continue
        if last is not None:
            yield last
        last = _Moment(x, [event])
    if last is not None:
        yield last


def _name(moment: _Moment) -> str:
    return ", ".join(dict.fromkeys(_NAMES[event.name] for event in moment.events))


def _title(story: Story, events: Sequence[Event]) -> str:
    """What a tooltip says: each event, with its time since the start, by the clock and by the chain."""
    said = ((event.name, story.since(event.at), story.clock(event.at), story.chain(event.at)) for event in events)
    return "; ".join(" ".join(filter(None, one)) for one in said)
