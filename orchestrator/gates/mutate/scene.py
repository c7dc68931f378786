"""What a change needs to know of the network and of the stage that it happens in."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.gates.library.expand import unmodelled
from orchestrator.gates.library.network import Network
from orchestrator.gates.mutate.edit import Edit
from orchestrator.gates.mutate.mutant import Mutant, Phase
from orchestrator.gates.mutate.world import World
from orchestrator.journal import Journal, Node, Target
from orchestrator.metrics.signals import CATALOGUE, targets
from orchestrator.spec import Selector
from orchestrator.spec.testnet import RELAY

OF_A_GROUP = 3
"""How many nodes of a group something befalls, each alone: its first, its last and one between. Others are alike."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`nodes` are those that something befalls alone."""

    phase: Phase
    world: World
    journal: Journal
    network: Network
    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, phase: Phase, world: World, journal: Journal) -> "Scene":
        started = journal.started
        groups: dict[str, list[Node]] = {}
        for node in started.nodes:
            groups.setdefault(node.group, []).append(node)
        chosen = tuple(node for group in groups.values() for node in _some(group))
        return cls(phase, world, journal, Network.of(started.testnet), chosen)

    @property
    def slot(self) -> float:
        return self.world.record.pace.slot

    @property
    def session(self) -> float:
        """Seconds."""
        return self.world.record.pace.session_slots * self.slot

    @property
    def parachains(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(node.chain for node in self.journal.started.nodes if node.chain != RELAY))

    def targets(self, chain: str | None = None) -> frozenset[Target]:
        """All endpoints of the network, or of a chain."""
        return frozenset(targets(self.journal.started.nodes, Selector(chain=chain)))

    def carriers(self, signal: str, node: str | None = None) -> frozenset[Target]:
        """The endpoints that have a signal; none if the network's client has no such thing."""
        found = CATALOGUE[signal]
        if self.network.simulated and unmodelled(found):
            return frozenset()
        return frozenset(targets(self.journal.started.nodes, Selector(node=node), found))

    def mutant(
        self, name: str, where: str, edits: Iterable[Edit], by: tuple[str, ...] = (), *, degradation: bool = True
    ) -> Mutant:
        return Mutant(name, where, self.phase, degradation, by, tuple(edits), self.world)


def _some(group: list[Node]) -> list[Node]:
    if len(group) <= OF_A_GROUP:
        return group
    return [group[0], group[len(group) // 2], group[-1]]
