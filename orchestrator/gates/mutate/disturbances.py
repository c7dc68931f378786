"""What a stage's own fault or upgrade did not do: it was not seen, it changed nothing, no block came after it."""

import math
from collections.abc import Iterator

from pydantic import JsonValue

from orchestrator.gates.mutate.edit import Span
from orchestrator.gates.mutate.happenings import Reported, Undisturbed
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.mutate.phases import FAULTED, UPGRADED
from orchestrator.gates.mutate.scene import Scene
from orchestrator.gates.mutate.warp import Warp, stands
from orchestrator.journal import Event
from orchestrator.spec.testnet import RELAY


def changed(scene: Scene) -> Iterator[Mutant]:
    if scene.phase.when == FAULTED:
        yield from _faults(scene)
    elif scene.phase.when == UPGRADED:
        yield from _upgrades(scene)


def _faults(scene: Scene) -> Iterator[Mutant]:
    """A fault that did nothing is no trouble for the chain. It is trouble for the rehearsal, which shows nothing."""
    stage, span = scene.phase.stage.name, scene.phase.span
    failed = Event(at=span.start, name="experiment.failed", stage=stage, detail={"cause": "no node shows any effect"})
    instead = {"inject.confirmed": failed, "recover.start": None, "recover.confirmed": None}
    unseen = Reported(span, stage, instead)
    yield scene.mutant("no node shows an effect of the fault", "all nodes", (unseen,), degradation=False)
    slots = {chain: _slot(scene, chain) for chain in (RELAY, *scene.parachains)}
    whole = Span(span.start, math.inf)
    undisturbed = Undisturbed(whole, span, slots)
    if undisturbed.moves(scene.world):
        by = ("finality-stalls",)
        yield scene.mutant("the chains go on as without it", "all chains", (undisturbed,), by, degradation=False)


def _slot(scene: Scene, chain: str) -> float:
    """Seconds for each block of a chain before the fault, as far as that is known; a slot at least."""
    start = scene.phase.span.start
    clocks = [clock for clock in scene.world.record.clocks if clock.at <= start]
    if not clocks or chain == RELAY:
        return scene.slot
    built = clocks[-1].parachains.get(chain, 0) - clocks[0].parachains.get(chain, 0)
    return max(scene.slot, (clocks[-1].at - clocks[0].at) / built) if built > 0 else scene.slot


def _upgrades(scene: Scene) -> Iterator[Mutant]:
    """The version is there, and that is all: the controller waits for a block of the new code in vain."""
    upgrade, stage = scene.phase.stage.upgrade, scene.phase.stage.name
    assert upgrade is not None
    applied = scene.journal.events(stage, "upgrade.applied")
    if not applied:
        return
    span = Span(applied[0].at, scene.phase.span.end)
    targets = scene.targets(upgrade.chain if upgrade.chain != RELAY else None)
    silent = Warp(span, targets, stands, stands, frozenset({upgrade.chain}))
    if not silent.moves(scene.world):
        return
    cause = "not enacted: no block was built by the new code"
    told = failed(scene, span, upgrade.chain, "Applied", cause)
    yield scene.mutant("the version changes and no block comes", upgrade.chain, (silent, told))


def failed(scene: Scene, span: Span, chain: str, phase: str, cause: str) -> Reported:
    """The controller reports that the upgrade failed, where it reported that all was well."""
    stage = scene.phase.stage.name
    ends = {event.name: event for event in scene.journal.events(stage, "upgrade.enacted", "upgrade.completed")}
    detail: dict[str, JsonValue] = {"chain": chain, "phase": phase, "cause": cause, "overdue": True}
    told = {"name": "upgrade.failed", "detail": detail}
    last = next(ends[name] for name in ("upgrade.completed", "upgrade.enacted") if name in ends)
    instead: dict[str, Event | None] = {} if phase == "Settling" else {"upgrade.enacted": None}
    return Reported(span, stage, instead | {last.name: last.model_copy(update=told)})
