"""Cuts a network into sides: each pod drops packets of its peers on other sides. Used through `held`.

To measure the cut, each node tries to connect to one node of every other side and to one of its own side. The cost
grows with the number of nodes, not of pairs. Connections across sides must time out. Connections within a side must
pass, otherwise the cut is wider than was asked for.
"""

from chaos.faults.base import listed
from chaos.nodes import Node
from chaos.scene import Action, ProbeFrom, Scene
from chaos.wire import Order, PartitionOrder, Probe, ProbeAnswer
from orchestrator import tcp_ports
from orchestrator.spec.status import LedgerEntry

_Measurement = tuple[tuple[Action, ...], str | None, str | None]
_Found = tuple[list[tuple[str, Probe]], list[tuple[str, Probe]]]


class PartitionFault:
    kind = "partition"

    def order(self, scene: Scene, entry: LedgerEntry, seconds: float) -> Order:
        peers = sorted(other.pod_ip for other in scene.status.ledger if other.side != entry.side and other.pod_ip)
        return PartitionOrder.model_validate({"pod_uid": entry.pod_uid, "peers": peers, "ttl_seconds": seconds})

    def follows_containers(self) -> bool:
        return False

    def concerns_others(self) -> bool:
        return True

    def measure(self, scene: Scene, ledger: tuple[LedgerEntry, ...]) -> _Measurement:
        if scene.status.confirmed_at is not None and _measured_already(scene):
            return (), scene.status.effect, None
        plan, found = _probes(scene, ledger), _found(scene, ledger)
        if found is None:
            return plan, None, "connections are being tried"
        across, within = found
        leaks = [f"{node} reaches {probe.ip} on another side" for node, probe in across if probe.passes]
        broken = [f"{node} does not reach {probe.ip} on its own side" for node, probe in within if not probe.passes]
        if leaks or broken:
            return plan, None, listed([*leaks, *broken])
        sentence = (
            f"{len(across)} of {len(across)} connections across sides time out, "
            f"{len(within)} of {len(within)} within sides pass, from all {len(ledger)} nodes"
        )
        return (), sentence, None

    def measure_recovery(self, scene: Scene, ledger: tuple[LedgerEntry, ...]) -> _Measurement:
        plan, found = _probes(scene, ledger), _found(scene, ledger)
        if not plan:
            return (), "no pod of the ledger is left", None
        if found is None:
            return plan, None, "connections are being tried"
        across, _ = found
        if closed := [f"{node} does not reach {probe.ip} yet" for node, probe in across if not probe.passes]:
            return plan, None, listed(closed)
        return (), f"{len(across)} of {len(across)} connections across the former sides pass", None


def _measured_already(scene: Scene) -> bool:
    return any(c.type == "EffectMeasured" and c.status == "True" for c in scene.status.conditions)


def _probes(scene: Scene, ledger: tuple[LedgerEntry, ...]) -> tuple[ProbeFrom, ...]:
    """One probe per running node: to one node on each other side, in turn, and to the next node on its own side."""
    rings: dict[int, list[Node]] = {}
    for entry in ledger:
        node = scene.world.nodes.get(entry.node)
        if node is not None and node.running and node.pod_uid == entry.pod_uid:
            rings.setdefault(entry.side or 0, []).append(node)
    probes = []
    for side, ring in rings.items():
        for place, node in enumerate(ring):
            across = tuple(
                (other[place % len(other)].ip, tcp_ports.NODE.p2p) for key, other in rings.items() if key != side
            )
            neighbour = ring[(place + 1) % len(ring)]
            within = ((neighbour.ip, tcp_ports.NODE.p2p),) if neighbour is not node else ()
            probes.append(ProbeFrom(node.machine, node.name, node.pod_uid, across, within))
    return tuple(probes)


def _found(scene: Scene, ledger: tuple[LedgerEntry, ...]) -> _Found | None:
    """The results of the last probes, across sides and within them. None if a probe has no answer yet."""
    outcomes = scene.world.outcomes_of(ProbeFrom)
    across: list[tuple[str, Probe]] = []
    within: list[tuple[str, Probe]] = []
    for wanted in _probes(scene, ledger):
        outcome = outcomes.get(wanted.node)
        if outcome is None or outcome.action != wanted or not isinstance(outcome.answer, ProbeAnswer):
            return None
        answers = [(wanted.node, probe) for probe in outcome.answer.probes]
        across += answers[: len(wanted.across)]
        within += answers[len(wanted.across) :]
    return across, within
