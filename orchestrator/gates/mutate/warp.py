"""A chain, or one node's view of it, that stands, slows down or lags: it lives at another pace than the clock. Pure.

Everything that follows the height changes alike: the heights themselves, the lag between them, what the node counts of
its own work, its state and its hashes, and, when all of a chain is concerned, the notes of the chains' heights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from orchestrator.gates.mutate.edit import Edit, Recorded, at_one_height
from orchestrator.gates.mutate.subject import Subject
from orchestrator.gates.mutate.world import BEST, BESTS, FINAL, FINALS, LAG, World
from orchestrator.journal import Clock, Occurrences, Readings, Target
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec.testnet import RELAY

Pace = Callable[[float, float], float]
"""When a change began, and a time: the time whose height there is then."""

BEGUN = 2
"""Blocks that come even of a chain that stands, for work on them had begun."""

_AFTER_FINALITY = {Subject("signal", name) for name in ("beefy-best", "beefy-lag", "transactions-finalized")}
_INCLUDED = {"ParaInclusion.CandidateIncluded", "ParaInclusion.CandidateBacked"}


def goes_on(_: float, when: float) -> float:
    return when


def stands(start: float, _: float) -> float:
    return start


def slowed(share: float) -> Pace:
    """That share of the blocks comes."""
    return lambda start, when: start + (when - start) * share


halves = slowed(0.5)


def late(seconds: float) -> Pace:
    """Stands for so long, and then goes on at the old pace."""
    return lambda start, when: max(start, when - seconds)


@dataclass(frozen=True)
class Warp(Edit):
    """Targets whose best or finalised height has another pace. `whole` are chains of which no node knows better."""

    targets: frozenset[Target]
    best: Pace = goes_on
    final: Pace = goes_on
    whole: frozenset[str] = frozenset()

    def moves(self, world: World) -> bool:
        """Whether a height is quite another one at the end of the span. What stood already cannot be stopped."""
        end = min(self.span.end, world.record.clocks[-1].at if world.record.clocks else self.span.end)
        return any(
            world.moved(kind, target, self._then(pace, end), end) > BEGUN
            for target in self.targets
            for kind, pace in ((BEST, self.best), (FINAL, self.final))
        )

    def touches(self, about: Subject, target: Target) -> bool:
        return target in self.targets and (
            about in BESTS | FINALS | _AFTER_FINALITY or about == LAG or follows_best(about)
        )

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:
        if value is None:
            return None
        best, final = self._then(self.best, at), self._then(self.final, at)
        moved = series.world.moved
        if series.about in BESTS:
            return value + moved(BEST, series.target, at, best)
        if series.about in FINALS:
            return value + moved(FINAL, series.target, at, final)
        if series.about == LAG:
            return value + moved(BEST, series.target, at, best) - moved(FINAL, series.target, at, final)
        then = series.past(final if series.about in _AFTER_FINALITY else best)
        return value if then is None else then

    def clock(self, clock: Clock, world: World) -> Clock:
        if not self.whole:
            return clock
        best = world.note(self._then(self.best, clock.at)) or clock
        final = world.note(self._then(self.final, clock.at)) or clock
        parachains = {
            chain: final.parachains.get(chain, height) if {chain, RELAY} & self.whole else height
            for chain, height in clock.parachains.items()
        }
        found = clock.model_copy(update={"parachains": parachains})
        if RELAY not in self.whole:
            return found
        relay = {"best": best.best, "finalized": final.finalized, "session": best.session, "stamp": best.stamp}
        return found.model_copy(update=relay)

    def readings(self, done: Readings, world: World) -> Readings:
        final = self._then(self.final, done.at)
        reads = [
            read.model_copy(
                update={"finalized": read.finalized + round(world.moved(FINAL, read.target, done.at, final))}
            )
            if read.target in self.targets and read.finalized is not None
            else read
            for read in done.reads
        ]
        return done if reads == list(done.reads) else at_one_height(done, reads, self._asked(done, world))

    def _asked(self, done: Readings, world: World) -> dict[str, int]:
        """How high the whole chains' nodes were asked: at what is final now when that height was final then."""
        found: dict[str, int] = {}
        for read in done.reads:
            chain = read.target.chain or RELAY
            if read.height is not None and {chain, RELAY} & self.whole:
                then = world.reached(chain, read.height)
                final = None if then is None else world.final(chain, self._then(self.final, then))
                found |= {} if final is None else {chain: final}
        return found

    def occurrences(self, about: Subject, counted: Occurrences, world: World) -> Occurrences:
        """Events of blocks that never became final, or of a parachain that built none."""
        if about.source != "chainEvents" or counted.at not in self.span:
            return counted
        chain = counted.target.chain or RELAY
        if chain in self.whole:
            last = world.final(chain, self._then(self.final, counted.at))
            if last is not None and last < counted.last:
                return up_to(counted, last)
        elif about.name in _INCLUDED and self.whole:
            first = world.note(self.span.start)
            return counted if first is None else self._without(counted, first.best, world)
        return counted

    def _without(self, counted: Occurrences, block: int, world: World) -> Occurrences:
        """The candidates without those of the parachain in later blocks: where there are several, one is its own."""
        alone = len({node.chain for node in world.record.nodes} - {RELAY}) == 1
        kept: list[float] = []
        for height, of_block in groupby(counted.hits):
            several = len(hits := list(of_block)) > 1
            kept += hits[1:] if height > block and (alone or several) else hits
        return counted if len(kept) == len(counted.hits) else counted.model_copy(update={"hits": tuple(kept)})

    def _then(self, pace: Pace, when: float) -> float:
        return pace(self.span.start, when) if when in self.span else when


def up_to(counted: Occurrences, last: int) -> Occurrences:
    """The count as it would be if the chain were final up to that block only."""
    kept = tuple(hit for hit in counted.hits if hit <= last)
    return counted.model_copy(update={"last": max(counted.first, float(last)), "hits": kept})


def follows_best(about: Subject) -> bool:
    """Whether it is part of a node's state, or counted by its work on blocks."""
    if about.source in {"chainRead", "storage"}:
        return True
    signal = CATALOGUE.get(about.name) if about.source == "signal" else None
    return signal is not None and signal.kind != "gauge" and signal.direction == "higher"
