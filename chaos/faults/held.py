"""Faults that an agent holds on a pod: ordered, compared with the agent's report, ordered again, undone.

An order is the wanted state of a pod. It is computed again at each step from the pods that exist. If the agent's state
differs, the order is sent again: for a replaced pod, a restarted container, a peer's new address, or an agent that lost
its state. Used by `plan`.
"""

from datetime import timedelta
from typing import Protocol

from chaos.faults.base import Blocked, Progress, listed
from chaos.nodes import Node
from chaos.scene import Action, ActionOutcome, AskAgent, End, Place, Scene
from chaos.wire import Ended, Order, Placed, Survey, digest
from orchestrator.spec.status import LedgerEntry

_AGENTS_OWN_LIMIT = timedelta(seconds=15)
"""How long after the hard limit an agent, or its successor, has to end everything by itself."""


class HeldFault(Protocol):
    """What differs between held faults."""

    kind: str

    def order(self, scene: Scene, entry: LedgerEntry, seconds: float) -> Order:
        """The state that the entry's pod must have. `seconds` is the time limit."""
        ...

    def follows_containers(self) -> bool:
        """Whether a restarted container needs a new order. Processes do; a network namespace outlives containers."""
        ...

    def concerns_others(self) -> bool:
        """Whether a replaced pod changes the orders of other pods."""
        ...

    def measure(
        self, scene: Scene, ledger: tuple[LedgerEntry, ...]
    ) -> tuple[tuple[Action, ...], str | None, str | None]:
        """Called once everything is placed. Returns the next probes, the effect if it is right, the trouble if not."""
        ...

    def measure_recovery(
        self, scene: Scene, ledger: tuple[LedgerEntry, ...]
    ) -> tuple[tuple[Action, ...], str | None, str | None]:
        """The same, once everything is undone."""
        ...


class HeldFaultMethod:
    """The method for every held fault."""

    injection_limit = 60.0

    def __init__(self, fault: HeldFault) -> None:
        self._fault = fault

    def prepare(self, scene: Scene, names: tuple[str, ...]) -> tuple[Action, ...]:
        nodes = [scene.world.nodes[name] for name in names]
        if dual := [node.name for node in nodes for ip in node.ips if ":" in ip]:
            raise Blocked(f"{listed(dual)} also speaks IPv6, which faults do not cover", for_good=True)
        if down := [node.name for node in nodes if not node.running]:
            raise Blocked(f"{listed(down)} does not run", for_good=False)
        machines = sorted({node.machine for node in nodes})
        if bare := [machine for machine in machines if machine not in scene.world.agents]:
            raise Blocked(f"there is no agent on {listed(bare)}", for_good=False)
        surveys = scene.world.surveys()
        for machine, survey in surveys.items():
            if reason := survey.unsupported.get(self._fault.kind):
                raise Blocked(f"{machine} cannot {self._fault.kind}: {reason}", for_good=True)
        pods = {node.pod_uid: node.name for node in nodes}
        for survey in surveys.values():
            for placed in survey.faults:
                if placed.kind == self._fault.kind and placed.pod_uid in pods:
                    raise Blocked(f"{pods[placed.pod_uid]} has a {placed.kind} already: {placed.id}", for_good=False)
        return tuple(AskAgent(machine) for machine in machines if machine not in surveys)

    def hold(self, scene: Scene) -> Progress:
        followed = [self._follow(scene, entry) for entry in scene.status.ledger]
        if self._fault.concerns_others() and followed != list(scene.status.ledger):
            followed = [_unplaced(entry) for entry in followed]
        placings, surveys = scene.world.outcomes_of(Place), scene.world.surveys()
        ledger: list[LedgerEntry] = []
        actions: list[Action] = [AskAgent(machine) for machine in sorted({entry.machine for entry in followed})]
        refusals = []
        for entry in followed:
            node = scene.world.nodes.get(entry.node)
            if node is None or not self._can_hold(node, entry):
                ledger.append(_unplaced(entry, trouble="the pod does not run"))
                continue
            order = self._fault.order(_with(scene, tuple(followed)), entry, max(scene.seconds_left, 0.001))
            outcome = placings.get(entry.node)
            if outcome is not None and outcome.refused:
                refusals.append(f"{entry.node}: {outcome.failure}")
            settled = _settle(scene, entry, order, outcome, surveys.get(entry.machine))
            if settled.placed_at is None:
                settled = settled.model_copy(update={"requested_at": settled.requested_at or scene.now})
                actions.append(Place(entry.machine, entry.node, scene.experiment.fault_id(entry.node), order))
            ledger.append(settled)
        if missing := [entry for entry in ledger if entry.placed_at is None]:
            trouble = listed([f"{entry.node}: {entry.trouble or 'not placed yet'}" for entry in missing])
            return Progress(tuple(ledger), tuple(actions), refused=listed(refusals) or None, trouble=trouble)
        probes, measured, trouble_ = self._fault.measure(scene, tuple(ledger))
        return Progress(tuple(ledger), (*actions, *probes), measured=measured, trouble=trouble_)

    def recover(self, scene: Scene) -> Progress:
        endings = scene.world.outcomes_of(End)
        ledger = tuple(_ended(scene, entry, endings.get(entry.node)) for entry in scene.status.ledger)
        remaining = [entry for entry in ledger if entry.recovered_at is None]
        if not remaining:
            probes, measured, trouble = self._fault.measure_recovery(scene, ledger)
            return Progress(ledger, probes, measured=measured, trouble=trouble)
        actions = tuple(
            End(entry.machine, entry.node, scene.experiment.fault_id(entry.node), entry.pod_uid) for entry in remaining
        )
        trouble = listed([f"{entry.node}: {entry.trouble or 'not asked yet'}" for entry in remaining])
        overdue = scene.seconds_left < -_AGENTS_OWN_LIMIT.total_seconds()
        return Progress(ledger, actions, refused=trouble if overdue else None, trouble=trouble)

    def _follow(self, scene: Scene, entry: LedgerEntry) -> LedgerEntry:
        """The entry, moved to its node's current pod."""
        node = scene.world.nodes.get(entry.node)
        if node is None or not node.running or self._same(node, entry):
            return entry
        where = {"pod_uid": node.pod_uid, "pod_ip": node.ip, "machine": node.machine, "container_id": node.container_id}
        return _unplaced(entry).model_copy(update={**where, "requested_at": scene.now})

    def _same(self, node: Node, entry: LedgerEntry) -> bool:
        same_pod = (node.pod_uid, node.ip) == (entry.pod_uid, entry.pod_ip)
        return same_pod and (not self._fault.follows_containers() or node.container_id == entry.container_id)

    def _can_hold(self, node: Node, entry: LedgerEntry) -> bool:
        """Whether the pod can have the fault now. Its network outlives its containers; its processes do not."""
        return node.pod_uid == entry.pod_uid and (node.running or not self._fault.follows_containers())


def _with(scene: Scene, ledger: tuple[LedgerEntry, ...]) -> Scene:
    status = scene.status.model_copy(update={"ledger": ledger})
    return Scene(scene.experiment, status, scene.world, scene.now)


def _unplaced(entry: LedgerEntry, *, trouble: str | None = None) -> LedgerEntry:
    return entry.model_copy(update={"placed_at": None, "trouble": trouble or entry.trouble})


def _settle(
    scene: Scene, entry: LedgerEntry, order: Order, outcome: ActionOutcome | None, survey: Survey | None
) -> LedgerEntry:
    """The entry after the agent's last answer about it."""
    wanted = digest(order)
    if outcome is not None and isinstance(outcome.answer, Placed) and outcome.answer.digest == wanted:
        found = {"placed_at": entry.placed_at or scene.now, "effect": outcome.answer.effect, "trouble": None}
        return entry.model_copy(update=found)
    if outcome is not None and outcome.failure:
        return _unplaced(entry, trouble=outcome.failure)
    if survey is None or entry.placed_at is None:
        return entry
    fault_id = scene.experiment.fault_id(entry.node)
    held = any(p.id == fault_id and p.digest == wanted and p.effect for p in survey.faults)
    return entry if held else _unplaced(entry, trouble="the agent does not hold it any more")


def _ended(scene: Scene, entry: LedgerEntry, outcome: ActionOutcome | None) -> LedgerEntry:
    if entry.recovered_at is not None or outcome is None:
        return entry
    if isinstance(outcome.answer, Ended):
        done = {"recovered_at": scene.now, "recovery": outcome.answer.recovery, "trouble": None}
        return entry.model_copy(update=done)
    node = scene.world.nodes.get(entry.node)
    if node is None or node.pod_uid != entry.pod_uid:
        gone = {"recovered_at": scene.now, "recovery": "the pod is gone, and the fault with it", "trouble": None}
        return entry.model_copy(update=gone)
    return entry.model_copy(update={"trouble": outcome.failure})
