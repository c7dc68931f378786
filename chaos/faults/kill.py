"""Kills nodes: pods are deleted without a grace period. The measured effect is a new pod for each. Used by `plan`."""

from datetime import timedelta

from chaos.faults.base import Blocked, Progress, counted, listed
from chaos.scene import Action, DeletePod, Scene
from orchestrator.spec.status import LedgerEntry

_PATIENCE = timedelta(seconds=5)
"""How long a deletion may take to show before it is sent again."""


class KillMethod:
    injection_limit = 300.0  # The replacement must be scheduled, initialised and started.

    def prepare(self, scene: Scene, names: tuple[str, ...]) -> tuple[Action, ...]:
        if down := [name for name in names if not scene.world.nodes[name].running]:
            raise Blocked(f"{listed(down)} does not run", for_good=False)
        return ()

    def hold(self, scene: Scene) -> Progress:
        steps = [_deleted(scene, entry) for entry in scene.status.ledger]
        ledger = tuple(entry for entry, _ in steps)
        actions = tuple(action for _, action in steps if action is not None)
        if missing := [entry for entry in ledger if entry.placed_at is None]:
            trouble = listed([f"{entry.node}: {entry.trouble or 'not replaced yet'}" for entry in missing])
            return Progress(ledger, actions, trouble=trouble)
        effect = (
            f"{counted(len(ledger), 'pod')} deleted and replaced; {listed([f'{e.node}: {e.effect}' for e in ledger])}"
        )
        return Progress(ledger, actions, measured=effect)

    def recover(self, scene: Scene) -> Progress:
        ledger = tuple(_back(scene, entry) for entry in scene.status.ledger)
        if waiting := [entry.node for entry in ledger if entry.recovered_at is None]:
            return Progress(ledger, trouble=f"{listed(waiting)} is not ready yet")
        recovery = f"{counted(len(ledger), 'node')} ready; {listed([f'{e.node}: {e.recovery}' for e in ledger])}"
        return Progress(ledger, measured=recovery)


def _deleted(scene: Scene, entry: LedgerEntry) -> tuple[LedgerEntry, DeletePod | None]:
    if entry.placed_at is not None:
        return entry, None
    node = scene.world.nodes.get(entry.node)
    if node is not None and node.pod_uid != entry.pod_uid:
        if not node.running:
            return entry, None
        effect = f"pod {entry.pod_uid[:8]} replaced by {node.pod_uid[:8]}"
        return entry.model_copy(update={"placed_at": scene.now, "effect": effect, "trouble": None}), None
    asked = entry.requested_at
    if node is None or (asked is not None and scene.now - asked < _PATIENCE):
        outcome = scene.world.outcomes_of(DeletePod).get(entry.node)
        return entry.model_copy(update={"trouble": outcome.failure}) if outcome and outcome.failure else entry, None
    return entry.model_copy(update={"requested_at": scene.now}), DeletePod(entry.node, entry.pod_uid)


def _back(scene: Scene, entry: LedgerEntry) -> LedgerEntry:
    """The entry, recovered if its node is ready. Right after a deletion the ready pod may still be the old one."""
    node = scene.world.nodes.get(entry.node)
    if entry.recovered_at is not None or node is None or not node.ready:
        return entry
    asked = entry.requested_at
    if node.pod_uid == entry.pod_uid and asked is not None and scene.now - asked < _PATIENCE:
        return entry
    seconds = (scene.now - asked).total_seconds() if asked is not None else 0.0
    return entry.model_copy(update={"recovered_at": scene.now, "recovery": f"ready {seconds:.1f}s after its deletion"})
