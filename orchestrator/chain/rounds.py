"""GRANDPA's rounds as a node reports them, and who has not voted. Pure. Called by `reader`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Round:
    """One round. Voters are GRANDPA keys, as SS58 addresses with prefix 42. Weights are numbers of votes."""

    number: int
    total: int
    threshold: int
    no_prevote: frozenset[str]
    no_precommit: frozenset[str]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        return cls(
            number=int(found["round"]),
            total=int(found["totalWeight"]),
            threshold=int(found["thresholdWeight"]),
            no_prevote=frozenset(found["prevotes"]["missing"]),
            no_precommit=frozenset(found["precommits"]["missing"]),
        )


@dataclass(frozen=True, slots=True)
class RoundState:
    """`grandpa_roundState`: the current round, and older ones that this node has not concluded."""

    set_id: int
    best: Round
    background: tuple[Round, ...]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        background = tuple(Round.of(one) for one in found["background"])
        return cls(int(found["setId"]), Round.of(found["best"]), background)

    @property
    def silent(self) -> frozenset[str]:
        """The voters without a vote in any of these rounds. At the start of a round these are all: see `absent`."""
        rounds = (self.best, *self.background)
        return frozenset.intersection(*(one.no_prevote & one.no_precommit for one in rounds))


def absent(looks: Iterable[RoundState]) -> frozenset[str]:
    """The voters that were silent in all of these reads. Reads over more than one round exclude late voters."""
    return frozenset.intersection(*(look.silent for look in looks))
