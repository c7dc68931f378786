"""Changes of heights: a chain, or one node's view of it, stands, slows down, lags, or is another one."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.gates.mutate.disturbances import failed
from orchestrator.gates.mutate.edit import Edit
from orchestrator.gates.mutate.happenings import Fork, Stops
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.mutate.phases import UPGRADED
from orchestrator.gates.mutate.scene import Scene
from orchestrator.gates.mutate.warp import Pace, Warp, goes_on, halves, late, stands
from orchestrator.journal import Node, Target
from orchestrator.spec.testnet import RELAY


@dataclass(frozen=True, slots=True)
class _Change:
    """The paces of blocks and of finality, and the gates of the library for it, of a relay chain and of a parachain.

    `slow`: blocks come, only fewer. While a network recovers from a fault, that is no trouble. `late`: they come later,
    and as many. That is a pause to a parachain's users, and to the relay chain a lag that stays.
    """

    name: str
    best: Pace
    final: Pace
    relay: tuple[str, ...]
    para: tuple[str, ...]
    slow: bool = False
    late: bool = False

    def degrades(self, chain: str, scene: Scene) -> bool:
        return not (self.slow and scene.phase.disturbed) and not (self.late and chain != RELAY)


def _changes(scene: Scene) -> tuple[_Change, ...]:
    lagging = late(scene.session)
    comes = ("blocks-come", "blocks-resume", "blocks-on-pace")
    finality = (
        "finality-progresses",
        "finality-recovers",
        "finality-resumes",
        "finality-close",
        "finality-close-after",
    )
    resumes = ("parachain-progresses", "parachain-recovers", "parachain-resumes", "parachain-survives")
    para = (*resumes, "parachain-inclusion-rate")
    return (
        _Change("blocks stand", stands, stands, comes, para),
        _Change("blocks come at half the pace", halves, halves, ("blocks-on-pace", *finality), para[::-1], slow=True),
        _Change("finality stands", goes_on, stands, finality, para),
        _Change("finality goes at half the pace", goes_on, halves, finality[::-1], para[::-1], slow=True),
        _Change("finality lags by a session", goes_on, lagging, finality[::-1], para[::-1], late=True),
    )


def of_chains(scene: Scene) -> Iterator[Mutant]:
    """What all nodes of a chain see alike. A parachain is final when its relay chain is, and has no pace of its own."""
    for chain in (RELAY, *scene.parachains):
        targets = scene.targets(chain if chain != RELAY else None)
        for change in _changes(scene):
            edit = Warp(scene.phase.span, targets, change.best, change.final, frozenset({chain}))
            by = change.relay if chain == RELAY else change.para
            if edit.moves(scene.world):
                edits = (edit, *_unbacked(scene, chain, change), *_unsettled(scene, chain, change))
                yield scene.mutant(change.name, chain, edits, by, degradation=change.degrades(chain, scene))


def _unbacked(scene: Scene, chain: str, change: _Change) -> Iterator[Edit]:
    """What validators do not do any more when the only parachain stands."""
    if chain != RELAY and len(scene.parachains) == 1 and change.best is stands:
        signals = ("statements-signed", "candidates-seconded", "chunks-received", "pvf-executed", "blocks-backed")
        carriers = frozenset[Target]().union(*map(scene.carriers, signals))
        yield Stops(scene.phase.span, carriers, frozenset(signals))


def _unsettled(scene: Scene, chain: str, change: _Change) -> Iterator[Edit]:
    """The controller does not find an upgrade settled while finality of the relay chain stands."""
    if chain == RELAY and change.final is stands and scene.phase.when == UPGRADED:
        upgrade = scene.phase.stage.upgrade
        assert upgrade is not None
        yield failed(scene, scene.phase.span, upgrade.chain, "Settling", "finality has stood")


def of_nodes(scene: Scene) -> Iterator[Mutant]:
    """What one node alone sees. A collator's view of its parachain is no better than its relay node's."""
    for node in scene.nodes:
        chains = dict.fromkeys((node.chain, RELAY) if node.embeds_relay else (node.chain,))
        for chain in chains:
            where = node.name if len(chains) == 1 else f"{node.name}/{chain}"
            yield from _of_one(scene, node, chain, where)


def _of_one(scene: Scene, node: Node, chain: str, where: str) -> Iterator[Mutant]:
    mine = Target(node=node.name, chain=chain)
    targets = frozenset({mine, Target(node=node.name, chain=node.chain)})
    for change in _changes(scene):
        edit = Warp(scene.phase.span, targets, change.best, change.final)
        by = change.relay if chain == RELAY else change.para
        if edit.moves(scene.world):
            yield scene.mutant(change.name, where, (edit,), by, degradation=change.degrades(chain, scene))
    if Warp(scene.phase.span, frozenset({mine}), final=stands).moves(scene.world):
        yield scene.mutant("finalises a fork", where, (Fork(scene.phase.span, mine),), ("one-chain",))
