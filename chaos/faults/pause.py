"""Pauses nodes. Measured when the agents read from the kernel that all processes are stopped. Used through `held`."""

from chaos.faults.base import counted, listed
from chaos.scene import Action, Scene
from chaos.wire import Order, PauseOrder
from orchestrator.spec.status import LedgerEntry

_Measurement = tuple[tuple[Action, ...], str | None, str | None]


class PauseFault:
    kind = "pause"

    def order(self, scene: Scene, entry: LedgerEntry, seconds: float) -> Order:
        del scene  # The order does not depend on other pods.
        return PauseOrder(pod_uid=entry.pod_uid, container_id=entry.container_id or "", ttl_seconds=seconds)

    def follows_containers(self) -> bool:
        return True

    def concerns_others(self) -> bool:
        return False

    def measure(self, scene: Scene, ledger: tuple[LedgerEntry, ...]) -> _Measurement:
        del scene
        return (), f"{counted(len(ledger), 'node')} paused; {listed([f'{e.node}: {e.effect}' for e in ledger])}", None

    def measure_recovery(self, scene: Scene, ledger: tuple[LedgerEntry, ...]) -> _Measurement:
        del scene
        return (
            (),
            f"{counted(len(ledger), 'node')} continued; {listed([f'{e.node}: {e.recovery}' for e in ledger])}",
            None,
        )
