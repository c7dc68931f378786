"""Chooses which nodes of a chain the clock asks. Pure.

A fault may stop or cut off any node, and nobody tells the clock which. So it asks those again that had the furthest
heights, and some of the others in turn. Nodes that fall silent are replaced within a few rounds, and each side of a
divided network has its turn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orchestrator.genesis.chainspec import Node
from orchestrator.spec.testnet import RELAY


@dataclass(frozen=True, slots=True)
class Heights:
    """How far a node's chain is."""

    best: int
    finalized: int


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The nodes of one chain, by name. `kept` are asked again, at most `keep`; the others wait for their turn.

    Each round asks `keep + guests` nodes, so more of the others if few have answered.
    """

    waiting: tuple[str, ...]
    keep: int
    guests: int
    kept: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The nodes to ask in this round."""
        return (*self.kept, *self.waiting[: self._turns])

    def after(self, answers: Mapping[str, Heights]) -> "Witnesses":
        """The witnesses of the next round. A node that was asked and is not in `answers` was silent."""
        asked = self.asked
        kept = _furthest({name: answers[name] for name in asked if name in answers})[: self.keep]
        back = (name for name in asked if name not in kept)
        return replace(self, kept=kept, waiting=(*self.waiting[self._turns :], *back))

    @property
    def _turns(self) -> int:
        return self.keep + self.guests - len(self.kept)


def witnesses(nodes: Iterable[Node]) -> dict[str, Witnesses]:
    """The witnesses of each chain before the first round: on the relay chain the authorities first."""
    chains: dict[str, list[Node]] = {}
    for node in nodes:
        chains.setdefault(node.chain, []).append(node)
    found = {}
    for chain, members in chains.items():
        names = tuple(node.name for node in sorted(members, key=lambda node: not node.authority))
        found[chain] = Witnesses(names, keep=3, guests=2) if chain == RELAY else Witnesses(names, keep=1, guests=1)
    return found


def _furthest(answers: Mapping[str, Heights]) -> tuple[str, ...]:
    """The names, furthest first. On a divided network the furthest best block may be where finality stands still."""
    final = sorted(answers, key=lambda name: (answers[name].finalized, answers[name].best), reverse=True)
    best = sorted(answers, key=lambda name: answers[name].best, reverse=True)
    return tuple(dict.fromkeys([*final[:1], *best[:1], *final]))
