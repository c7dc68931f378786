"""Decides what happens to an experiment next: (experiment, status, world, now) -> Plan. Pure.

The phases:
- Pending selects nodes and asks whether the fault is possible. Nothing is placed yet.
- Injecting places the fault until it is measured everywhere.
- Active keeps it in place for the duration.
- Recovering undoes it until that is measured.
- Recovered and Failed are the end.

Any failure after Pending, and a deletion, leads to Recovering. The hard limit ends every phase. The status is written
before its actions are done, so after a crash the controller continues from the status alone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from chaos import targets
from chaos.conditions import changed_at, with_condition
from chaos.faults import METHODS
from chaos.faults.base import Blocked, Progress, listed
from chaos.scene import Action, Experiment, Plan, Scene, World
from chaos.targets import SelectionError
from orchestrator import units
from orchestrator.spec.status import ExperimentStatus, LedgerEntry

ENDS = frozenset({"Recovered", "Failed"})

_PENDING_LIMIT = timedelta(seconds=30)
_RECOVERY_LIMIT = timedelta(seconds=120)
"""How long recovery may take to be measured, once every fault is undone."""


def step(experiment: Experiment, status: ExperimentStatus, world: World, now: datetime) -> Plan:
    """The next status and the actions that go with it."""
    scene = Scene(experiment, status, world, now)
    handlers: dict[str, Callable[[Scene], Plan]] = {
        "Pending": _pending,
        "Injecting": _injecting,
        "Active": _active,
        "Recovering": _recovering,
    }
    handler = handlers.get(status.phase)
    return handler(scene) if handler is not None else Plan(status)


def _pending(scene: Scene) -> Plan:
    experiment, world = scene.experiment, scene.world
    if experiment.deleted:
        return Plan(_end(scene, "Recovered", reason="Deleted", message="deleted before anything was placed"))
    try:
        names, sides = _selected(scene)
        _check_claims(scene, names)
        questions = METHODS[experiment.kind].prepare(scene, names)
    except SelectionError as error:
        if not world.nodes:  # No pod has been seen yet, so the target may still exist.
            return _wait(scene, "no node has been seen yet")
        return Plan(_refusal(scene, str(error), reason="NothingSelected"))
    except Blocked as error:
        return Plan(_refusal(scene, str(error), reason="Impossible")) if error.for_good else _wait(scene, str(error))
    if questions:
        return _wait(scene, "the agents have not answered yet", questions)
    of_side = {name: index for index, side in enumerate(sides) for name in side}
    selected = f"{len(names)} of {len(world.nodes)} nodes: {listed(names)}"
    update = {
        "phase": "Injecting",
        "fault": experiment.kind,
        "targets": len(names),
        "nodes": names,
        "sides": sides,
        "injected_at": scene.now,
        "expires_at": scene.now + timedelta(seconds=experiment.spec.hard_ttl),
        "ledger": tuple(_entry(scene, name, of_side.get(name)) for name in names),
        "observed_generation": experiment.generation,
    }
    status = _condition(scene, scene.status, "Selected", "True", "Selected", selected)
    return Plan(status.model_copy(update=update))


def _injecting(scene: Scene) -> Plan:
    if scene.experiment.deleted:
        return Plan(_begin_recovery(scene))
    method = METHODS[scene.experiment.kind]
    progress = method.hold(scene)
    status = _injected(scene, progress)
    assert status.injected_at is not None
    if progress.refused:
        return Plan(_begin_recovery(scene, status, cause=f"refused: {progress.refused}"))
    waited = (scene.now - status.injected_at).total_seconds()
    if waited > method.injection_limit or scene.seconds_left <= 0:
        trouble = progress.trouble or "the hard limit came first"
        return Plan(_begin_recovery(scene, status, cause=f"not in place after {waited:.0f}s: {trouble}"))
    if progress.measured is not None:
        status = status.model_copy(update={"phase": "Active", "confirmed_at": scene.now})
    return Plan(status, progress.actions)


def _active(scene: Scene) -> Plan:
    assert scene.status.confirmed_at is not None
    end = scene.status.confirmed_at + timedelta(seconds=scene.experiment.spec.duration)
    if scene.experiment.deleted:
        return Plan(_begin_recovery(scene))
    if scene.now >= end:
        lapses = [c for c in scene.status.conditions if c.type == "EffectMeasured" and c.status != "True"]
        cause = f"at its end the fault was not in place: {lapses[0].message}" if lapses else None
        return Plan(_begin_recovery(scene, cause=cause))
    if scene.seconds_left <= 0:
        ttl = units.format_duration(scene.experiment.spec.hard_ttl)
        return Plan(_begin_recovery(scene, cause=f"the hard limit of {ttl} came before the end of the duration"))
    progress = METHODS[scene.experiment.kind].hold(scene)
    return Plan(_injected(scene, progress), progress.actions)


def _recovering(scene: Scene) -> Plan:
    progress = METHODS[scene.experiment.kind].recover(scene)
    status = scene.status.model_copy(update={"ledger": progress.ledger})
    if progress.measured is not None:
        phase = "Failed" if status.cause else "Recovered"
        return Plan(_end(scene, phase, status, reason="Measured", message=progress.measured))
    assert status.recover_started_at is not None
    last = max((e.recovered_at or status.recover_started_at for e in progress.ledger), default=scene.now)
    late = all(e.recovered_at for e in progress.ledger) and scene.now - last > _RECOVERY_LIMIT
    stuck = not progress.actions and scene.now - status.recover_started_at > _RECOVERY_LIMIT
    if progress.refused or late or stuck:
        cause = f"recovery was not measured: {progress.refused or progress.trouble}"
        both = f"{status.cause}; {cause}" if status.cause else cause
        failed = status.model_copy(update={"cause": both})
        return Plan(_end(scene, "Failed", failed, reason="NotMeasured", message=cause))
    return Plan(status, progress.actions)


def _selected(scene: Scene) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    spec, nodes = scene.experiment.spec, tuple(scene.world.nodes.values())
    if spec.partition is not None:
        sides = targets.sides(spec.partition, nodes, seed=spec.seed)
        return tuple(name for side in sides for name in side), sides
    fault = spec.pause or spec.kill
    assert fault is not None
    return targets.select(fault.target, nodes, seed=spec.seed), ()


def _check_claims(scene: Scene, names: tuple[str, ...]) -> None:
    for other, nodes in scene.world.claims.items():
        if shared := sorted(nodes.intersection(names)):
            kind = scene.experiment.kind
            raise Blocked(f"experiment {other} has a {kind} on {listed(shared)} already", for_good=True)


def _entry(scene: Scene, name: str, side: int | None) -> LedgerEntry:
    node = scene.world.nodes[name]
    return LedgerEntry(
        node=name,
        side=side,
        machine=node.machine,
        pod_uid=node.pod_uid,
        pod_ip=node.ip,
        container_id=node.container_id,
    )


def _wait(scene: Scene, reason: str, actions: tuple[Action, ...] = ()) -> Plan:
    status = _condition(scene, scene.status, "Selected", "False", "Waiting", reason)
    since = changed_at(status.conditions, "Selected") or scene.now
    if scene.now - since > _PENDING_LIMIT:
        return Plan(_refusal(scene, f"{reason}, for {_PENDING_LIMIT.total_seconds():.0f}s", reason="Impossible"))
    return Plan(status, actions)


def _refusal(scene: Scene, cause: str, *, reason: str) -> ExperimentStatus:
    """Failed before anything was placed."""
    status = _condition(scene, scene.status, "Selected", "False", reason, cause)
    update = {"phase": "Failed", "cause": cause, "fault": scene.experiment.kind}
    return status.model_copy(update={**update, "observed_generation": scene.experiment.generation})


def _injected(scene: Scene, progress: Progress) -> ExperimentStatus:
    """The status with the progress of placing and holding the fault."""
    status = scene.status.model_copy(update={"ledger": progress.ledger})
    placed = sum(entry.placed_at is not None for entry in progress.ledger)
    everywhere = placed == len(progress.ledger)
    reason, message = ("Placed" if everywhere else "Placing"), f"{placed} of {len(progress.ledger)} placed"
    status = _condition(scene, status, "Injected", "True" if everywhere else "False", reason, message)
    if progress.measured is not None:
        status = _condition(scene, status, "EffectMeasured", "True", "Measured", progress.measured)
        return status.model_copy(update={"effect": progress.measured})
    return _condition(scene, status, "EffectMeasured", "False", "NotMeasured", progress.trouble or "")


def _begin_recovery(
    scene: Scene, status: ExperimentStatus | None = None, *, cause: str | None = None
) -> ExperimentStatus:
    status = status or scene.status
    status = _condition(scene, status, "Recovered", "False", "Recovering", cause or "the fault is being taken back")
    return status.model_copy(update={"phase": "Recovering", "recover_started_at": scene.now, "cause": cause})


def _end(
    scene: Scene, phase: str, status: ExperimentStatus | None = None, *, reason: str, message: str
) -> ExperimentStatus:
    measured = reason != "NotMeasured"
    status = status or scene.status
    status = _condition(scene, status, "Recovered", "True" if measured else "False", reason, message)
    update = {"phase": phase, "recovered_at": scene.now if measured else None, "recovery": message}
    return status.model_copy(update=update)


def _condition(
    scene: Scene, status: ExperimentStatus, name: str, value: str, reason: str, message: str
) -> ExperimentStatus:
    conditions = with_condition(
        status.conditions,
        name,
        value,
        reason=reason,
        message=message,
        now=scene.now,
        generation=scene.experiment.generation,
    )
    return status.model_copy(update={"conditions": conditions})
