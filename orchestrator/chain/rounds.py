"""GRANDPA's rounds as a node tells of them: who has not voted. Called by `reader`; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Round:
    """One round. Voters are named by their GRANDPA keys, as SS58 addresses of prefix 42; weights are votes."""

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
    """`grandpa_roundState`: the round under way, and older ones that are not concluded on this node."""

    set_id: int
    best: Round
    background: tuple[Round, ...]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        background = tuple(Round.of(one) for one in found["background"])
        return cls(int(found["setId"]), Round.of(found["best"]), background)

    @property
    def silent(self) -> frozenset[str]:
        """Who has voted in none of these rounds. In a round just begun that is everybody: see `absent`."""
        rounds = (self.best, *self.background)
        return frozenset.intersection(*(one.no_prevote & one.no_precommit for one in rounds))


def absent(looks: Iterable[RoundState]) -> frozenset[str]:
    """Who was silent at every look. A few looks over more than a round's time tell the absent from the late."""
    return frozenset.intersection(*(look.silent for look in looks))
