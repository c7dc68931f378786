"""A name that is not there: the client calls a metric otherwise, or the runtime an event or an item. Pure.

The check before the run says so. No chain suffers from it; a gate that passes then has seen nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from orchestrator.gates.kinds import question
from orchestrator.gates.mutate.edit import Edit, Recorded
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.mutate.scene import Scene
from orchestrator.gates.mutate.subject import Subject, subject
from orchestrator.gates.mutate.world import World
from orchestrator.gates.names import CHECKED
from orchestrator.journal import Event, Node, Occurrences, Target
from orchestrator.metrics.exposed import Endpoint
from orchestrator.metrics.names import ELSEWHERE
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec.testnet import RELAY


@dataclass(frozen=True)
class Misspelt(Edit):
    """Nobody has what some questions are about. `shown`: what they are answered then, nothing or a default."""

    shown: dict[Subject, float | None]
    doubts: tuple[dict[str, JsonValue], ...] = ()

    def touches(self, about: Subject, target: Target) -> bool:  # noqa: ARG002
        return about in self.shown

    def value(self, series: Recorded, at: float, value: float | None) -> float | None:  # noqa: ARG002
        return None if value is None else self.shown[series.about]

    def occurrences(self, about: Subject, counted: Occurrences, world: World) -> Occurrences:  # noqa: ARG002
        return counted.model_copy(update={"hits": (), "lines": ()}) if about in self.shown else counted

    def event(self, event: Event) -> Event:
        if event.name != CHECKED:
            return event
        detail, names = dict(event.detail), {about.name for about in self.shown if about.source != "signal"}
        if self.doubts:
            detail["doubts"] = [*_list(detail.get("doubts")), *self.doubts]
        if names:
            detail["runtime"] = [_unknown(one, names) for one in _list(detail.get("runtime"))]
        return event.model_copy(update={"detail": detail})


def changed(scene: Scene) -> Iterator[Mutant]:
    """A change for each name that the stage's gates read. A pattern for log lines is no name: nobody can look it up."""
    gates, nodes = scene.phase.stage.gates, scene.journal.started.nodes
    signals = dict.fromkeys(gate.signal for gate in gates if gate.signal is not None)
    for metric in dict.fromkeys(read.name for name in signals for read in reads(CATALOGUE[name].promql)):
        if metric not in ELSEWHERE:
            doubts = tuple(_doubts(metric, nodes))
            yield _mutant(scene, metric, Misspelt(scene.phase.span, _without(metric), doubts))
    for gate in gates:
        if gate.chain_events is not None or (gate.storage is not None and not gate.agrees):
            about = subject(question(gate, nodes, scene.world.record.step).key)
            default = gate.storage.absent if gate.storage is not None else None
            yield _mutant(scene, about.name, Misspelt(scene.phase.span, {about: default}))


def _mutant(scene: Scene, name: str, edit: Misspelt) -> Mutant:
    return scene.mutant("is the name of nothing", name, (edit,), degradation=False)


def _without(metric: str) -> dict[Subject, float | None]:
    """What each signal shows without the metric: zero, if it counts what comes with its first use; else nothing."""
    found: dict[Subject, float | None] = {}
    for signal in CATALOGUE.values():
        names = [read.name for read in reads(signal.promql)]
        if metric in names:
            lazy = " or " in signal.promql and metric == names[0]
            found[Subject("signal", signal.name)] = 0.0 if lazy else None
    return found


def _doubts(metric: str, nodes: tuple[Node, ...]) -> Iterator[dict[str, JsonValue]]:
    for group, chain in dict.fromkeys((node.group, chain) for node in nodes for chain in (node.chain, RELAY)):
        reason = f"{group} on {chain} has no {metric}"
        yield {"metric": metric, "where": str(Endpoint(group, chain)), "certain": True, "reason": reason}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _unknown(one: JsonValue, names: set[str]) -> JsonValue:
    if isinstance(one, dict) and one.get("name") in names:
        return one | {"known": False, "reason": "the runtime has no such name"}
    return one
