"""What each disturbance cost the network, and how long it took to recover: by the chain clock and the events. Pure.

The chain clock is read about once a second, so these figures are that fine.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.gates.window import Timeline
from orchestrator.journal import GateVerdict, RunStarted
from orchestrator.report.stages import Band, StageStory, figure
from orchestrator.spec import Stage
from orchestrator.spec.testnet import RELAY


@dataclass(frozen=True, slots=True)
class Cost:
    """One disturbance. Lengths are in seconds; None is not known. `chain` is the one whose finality is told.

    `undone`: from the start of the fault's end, or of the upgrade, until it was confirmed everywhere. `finality`: from
    then until the chain finalised more. `standstill`: the longest time without finality, from the disturbance's start
    to the stage's end. `built` of `expected`: relay blocks while it lasted. `lag`: relay blocks not yet final, at most.
    """

    stage: str
    what: str
    chain: str
    start: float
    lasted: float
    undone: float | None
    finality: float | None
    standstill: float | None
    built: int | None
    expected: int
    lag: int | None
    recovered: tuple[tuple[str, str, GateVerdict], ...]
    """The gates that ask for recovery: name, seconds in words, and verdict."""


def costs(run: RunStarted, stages: Iterable[StageStory], timeline: Timeline) -> Iterator[Cost]:
    """The cost of each disturbance that began, in the order of time."""
    known = {stage.name: stage for stage in run.rehearsal.spec.stages}
    for stage in stages:
        for band in stage.bands:
            yield _cost(run, known[stage.name], stage, band, timeline)


def _cost(run: RunStarted, asked: Stage, stage: StageStory, band: Band, timeline: Timeline) -> Cost:
    chain = asked.upgrade.chain if asked.upgrade is not None else RELAY
    begun, over = stage.times.get("recover.start"), stage.times.get("recover.confirmed")
    if asked.upgrade is not None:
        begun, over = stage.times.get("upgrade.applied"), stage.times.get("upgrade.enacted")
    first, last = timeline.block(band.start), timeline.block(band.end)
    end = stage.end if stage.end is not None else band.end
    seconds = band.end - band.start
    asking = {gate.name for gate in asked.gates if gate.recovers_within is not None}
    return Cost(
        stage=stage.name,
        what=band.label,
        chain=chain,
        start=band.start,
        lasted=seconds,
        undone=over - begun if begun is not None and over is not None else None,
        finality=_again(timeline, chain, over, end) if over is not None else None,
        standstill=_standstill(timeline, chain, band.start, end),
        built=last - first if first is not None and last is not None else None,
        expected=round(seconds / run.testnet.spec.relaychain.slot),
        lag=max((clock.best - clock.finalized for clock in timeline.between(band.start, end)), default=None),
        recovered=tuple((gate.gate, figure(gate), gate) for gate in stage.gates if gate.gate in asking),
    )


def _heights(timeline: Timeline, chain: str, start: float, end: float) -> list[tuple[float, int]]:
    """The chain's finalised heights, from the one that was known at `start` on."""
    inside = [(clock.at, timeline.finalized(clock.at, chain)) for clock in timeline.between(start, end)]
    return [(when, height) for when, height in [(start, timeline.finalized(start, chain)), *inside] if height is not None]


def _again(timeline: Timeline, chain: str, start: float, end: float) -> float | None:
    """Seconds until the chain had finalised more than at `start`. None if it had not by `end`, or nothing is known."""
    heights = _heights(timeline, chain, start, end)
    return next((when - start for when, height in heights if height > heights[0][1]), None)


def _standstill(timeline: Timeline, chain: str, start: float, end: float) -> float | None:
    """The longest time between two moments at which more was final. The stretch's edges count as such moments."""
    heights = _heights(timeline, chain, start, end)
    if not heights:
        return None
    grown = [after[0] for before, after in pairwise(heights) if after[1] > before[1]]
    return max(b - a for a, b in pairwise([start, *grown, end]))
