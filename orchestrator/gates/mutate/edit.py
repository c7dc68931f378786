"""An edit: what a change does to each kind of entry. The base class changes nothing. Used by `rewrite`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orchestrator.gates.mutate.subject import Subject
from orchestrator.gates.mutate.world import Past, World
from orchestrator.journal import Clock, Event, Occurrences, Reading, Readings, Target
from orchestrator.spec.testnet import RELAY


@dataclass(frozen=True)
class Span:
    """From when to when a change lasts, Unix seconds."""

    start: float
    end: float

    def __contains__(self, when: float) -> bool:
        return self.start <= when <= self.end


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series as it was recorded: what it is about, whose it is, and its value at any time."""

    about: Subject
    target: Target
    past: Past
    world: World


@dataclass(frozen=True)
class Edit:
    """What happens in a span of time. Each method gives an entry, or a value, as it would have been."""

    span: Span

    def touches(self, about: Subject, target: Target) -> bool:  # noqa: ARG002
        """Whether the answers of a target about a subject change."""
        return False

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:  # noqa: ARG002
        """One sample of a series that it touches."""
        return value

    def clock(self, clock: Clock, world: World) -> Clock:  # noqa: ARG002
        return clock

    def readings(self, done: Readings, world: World) -> Readings:  # noqa: ARG002
        return done

    def occurrences(self, about: Subject, counted: Occurrences, world: World) -> Occurrences:  # noqa: ARG002
        return counted

    def event(self, event: Event) -> Event | None:
        """The event, another one in its place, or None if it would not have been reported."""
        return event


def at_one_height(done: Readings, reads: list[Reading], most: Mapping[str, int] = MappingProxyType({})) -> Readings:
    """The round with other finalised heights: a chain's nodes are asked at the lowest, and agree as they did.

    `most` is the height of a chain beyond which nobody asked, because it was final later than the window's end.
    """
    common = dict(most)
    for read in reads:
        chain = read.target.chain or RELAY
        if read.finalized is not None:
            common[chain] = min(read.finalized, common.get(chain, read.finalized))
    lowered = tuple(
        read
        if read.height is None
        else read.model_copy(update={"height": min(read.height, common[read.target.chain or RELAY])})
        for read in reads
    )
    return done.model_copy(update={"reads": lowered})
