"""What the library needs to know about the network that its gates are for. Built from a `Testnet`, used by `expand`."""

from dataclasses import dataclass
from typing import Any, Self

from orchestrator.gates.library.catalogue import Scaled
from orchestrator.journal import Node
from orchestrator.metrics.signals import CATALOGUE, targets
from orchestrator.spec import Parachain, Selector, Testnet
from orchestrator.spec.profiles import profile
from orchestrator.spec.testnet import RELAY
from orchestrator.units import format_duration

OUTGOING = 8
"""Connections that a node opens by itself (`--out-peers`). It does not depend on the size of the network."""

_LIVE_SLOT, _LIVE_SESSION = 6.0, 10
_SUFFIXES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class Network:
    """A network: nodes, parachains (id, name), the slot in seconds, memory limits (group, bytes).

    Without a Testnet it has no nodes, and six-second slots.
    """

    nodes: tuple[Node, ...] = ()
    parachains: tuple[tuple[int, str], ...] = ()
    slot: float = _LIVE_SLOT
    session_blocks: int = _LIVE_SESSION
    simulated: bool = False
    memory_limits: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, testnet: Testnet | None) -> Self:
        """The network of a testnet; the default network if there is none."""
        if testnet is None:
            return cls()
        spec = testnet.spec
        nodes: list[Node] = []
        limits: list[tuple[str, float]] = []
        for chain, group in spec.groups():
            name = chain.chain if isinstance(chain, Parachain) else RELAY
            limit = profile(group, client=chain.client_of(group), role=group.role).memory_limit
            limits.append((group.name, _bytes(limit)))
            nodes += [
                Node(
                    name=node,
                    chain=name,
                    group=group.name,
                    role=group.role,
                    ordinal=ordinal,
                    embeds_relay=not isinstance(chain, Parachain) or chain.relay == "embedded",
                )
                for ordinal, node in enumerate(group.nodes())
            ]
        return cls(
            nodes=tuple(nodes),
            parachains=tuple((parachain.id, parachain.chain) for parachain in spec.parachains),
            slot=spec.relaychain.slot,
            session_blocks=spec.relaychain.session_blocks,
            simulated=spec.relaychain.simulated,
            memory_limits=tuple(limits),
        )

    def resolve(self, scaled: Scaled, words: dict[str, Any]) -> dict[str, Any]:
        """The gate fields with the thresholds that `scaled` gives for this network."""
        found: dict[str, Any] = {}
        for bound, slots in (scaled.slots or {}).items():
            seconds = slots * self.slot
            found[bound] = format_duration(seconds) if bound == "progresses" else round(seconds, 3)
        if scaled.candidates_per_block is not None:
            # The block with the session change has no candidate.
            countable = (self.session_blocks - 1) / self.session_blocks
            found["ratePerMinute"] = {"atLeast": round(scaled.candidates_per_block * countable * 60 / self.slot, 2)}
        if scaled.author_share is not None:
            authors = sum(node.role == "validator" and node.chain == RELAY for node in self.nodes)
            found["ratePerMinute"] = {"atLeast": round(scaled.author_share * 60 / self.slot / max(1, authors), 4)}
        if scaled.peers is not None:
            others = len(targets(self.nodes, Selector.model_validate(words.get("on") or {}))) - 1
            found["atLeast"] = max(1.0, float(int(scaled.peers * min(OUTGOING, others))))
        if scaled.memory_limit is not None:
            found["atMost"] = round(scaled.memory_limit * self._lowest_limit(str(words.get("signal"))))
        return found

    def _lowest_limit(self, signal: str) -> float:
        """The lowest memory limit, in bytes, of the groups that have the signal; 1 GiB if no group is known to."""
        having = {target.node for target in targets(self.nodes, Selector(), CATALOGUE.get(signal))}
        groups = {node.group for node in self.nodes if node.name in having}
        return min((limit for group, limit in self.memory_limits if group in groups), default=float(2**30))


def _bytes(quantity: str) -> float:
    """A Kubernetes quantity in bytes."""
    for suffix, factor in _SUFFIXES.items():
        if quantity.endswith(suffix):
            return float(quantity.removesuffix(suffix)) * factor
    return float(quantity)
