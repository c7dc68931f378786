"""What each disturbance cost the network, and how long it took to recover: by the chain clock and the events. Pure.

The chain clock is read about once a second, so these figures are that fine.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.gates.evidence import Known
from orchestrator.gates.timeline import Timeline
from orchestrator.journal import RunStarted
from orchestrator.report.stages import Band, StageStory, figure
from orchestrator.spec import Stage
from orchestrator.spec.testnet import RELAY

_UNKNOWN = "not known"
_FAULT = ("recover.start", "recover.confirmed", "not undone")
_UPGRADE = ("upgrade.applied", "upgrade.enacted", "not enacted")
"""The events between which a disturbance ends, and what is said if it did not."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One disturbance, in words. `chain` is the one whose finality is told.

    `undone`: from the start of the fault's end until it was confirmed everywhere; of an upgrade, from the new code's
    application until the first block by it. `finality`: from then until the chain finalised more. `standstill`: the
    longest time without finality, from the disturbance's start to the stage's end. `built`: relay blocks while it
    lasted, of those that the slots have room for. `lag`: relay blocks that were not yet final, at most.
    """

    stage: str
    what: str
    chain: str
    start: float
    lasted: str
    undone: str
    finality: str
    standstill: str
    built: str
    lag: str
    recovered: tuple[str, ...]
    """The gates that ask for recovery, each with the time that it took."""


def costs(run: RunStarted, stages: Iterable[StageStory], timeline: Timeline) -> Iterator[Cost]:
    """The cost of each disturbance that began, in the order of time."""
    known = {stage.name: stage for stage in run.rehearsal.spec.stages}
    for stage in stages:
        for band in stage.bands:
            yield _cost(run, known[stage.name], stage, band, timeline)


def _cost(run: RunStarted, asked: Stage, stage: StageStory, band: Band, timeline: Timeline) -> Cost:
    chain, (begins, confirmed, never) = RELAY, _FAULT
    if asked.upgrade is not None:
        chain, (begins, confirmed, never) = asked.upgrade.chain, _UPGRADE
    begun, over = stage.times.get(begins), stage.times.get(confirmed)
    end = stage.end if stage.end is not None else band.end
    asking = {gate.name for gate in asked.gates if gate.recovers_within is not None}
    standstill = _standstill(timeline, chain, band.start, end)
    lag = max((clock.best - clock.finalized for clock in timeline.between(band.start, end)), default=None)
    return Cost(
        stage=stage.name,
        what=band.label,
        chain=chain,
        start=band.start,
        lasted=f"{band.end - band.start:.1f} s",
        undone=f"{over - begun:.1f} s" if begun is not None and over is not None else never,
        finality=_again(timeline, chain, over, end) if over is not None else never,
        standstill=f"{standstill:.1f} s" if standstill is not None else _UNKNOWN,
        built=_built(run, timeline, band),
        lag=f"{lag} blocks" if lag is not None else _UNKNOWN,
        recovered=tuple(f"{g.gate}: {figure(g) or g.verdict}" for g in stage.gates if g.gate in asking),
    )


def _built(run: RunStarted, timeline: Timeline, band: Band) -> str:
    first, last = timeline.block(band.start), timeline.block(band.end)
    if first is None or last is None:
        return _UNKNOWN
    return f"{last - first} of {round((band.end - band.start) / run.slot)}"


def _heights(timeline: Timeline, chain: str, start: float, end: float) -> list[tuple[float, int]]:
    """The chain's finalised heights, from the one that was known at `start` on."""
    times = [start, *(clock.at for clock in timeline.between(start, end))]
    known = [(when, timeline.finalized(when, chain)) for when in times]
    return [(when, height.value) for when, height in known if isinstance(height, Known)]


def _again(timeline: Timeline, chain: str, start: float, end: float) -> str:
    """How long it took until the chain had finalised more than at `start`."""
    heights = _heights(timeline, chain, start, end)
    if not heights:
        return _UNKNOWN
    again = next((when - start for when, height in heights if height > heights[0][1]), None)
    return f"{again:.1f} s" if again is not None else "not in this stage"


def _standstill(timeline: Timeline, chain: str, start: float, end: float) -> float | None:
    """The longest time between two moments at which more was final. The stretch's edges count as such moments."""
    heights = _heights(timeline, chain, start, end)
    if not heights:
        return None
    grown = [after[0] for before, after in pairwise(heights) if after[1] > before[1]]
    return max(b - a for a, b in pairwise([start, *grown, end]))
