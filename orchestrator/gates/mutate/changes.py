"""Everything that may befall a network, stage by stage: makes the mutants of a run."""

from collections.abc import Iterator, Sequence

from orchestrator.gates.mutate import disturbances, misspelt, trouble
from orchestrator.gates.mutate.heights import of_chains, of_nodes
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.mutate.phases import phases
from orchestrator.gates.mutate.scene import Scene
from orchestrator.gates.mutate.world import World
from orchestrator.journal import Journal
from orchestrator.spec import Stage


def mutants(journal: Journal, stages: Sequence[Stage]) -> Iterator[Mutant]:
    """The run with each change that makes a difference to it. The stages have the disturbances that the run had."""
    world = World.of(journal)
    for stage in stages:
        for index, phase in enumerate(phases(stage, journal)):
            scene = Scene.of(phase, world, journal)
            yield from of_chains(scene)
            yield from of_nodes(scene)
            yield from trouble.of_chains(scene)
            yield from trouble.of_nodes(scene)
            yield from disturbances.changed(scene)
            yield from misspelt.changed(scene) if index == 0 else ()
