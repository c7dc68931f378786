"""The one catalogue of signals: what may be asked of a node, in which words, and what a healthy answer looks like.

Gates, charts, dashboards and rules all read it, so a metric's name stands in its tables and nowhere else. Queries are
raw values per node; growth, rates and recovery are derived in `gates.evaluate`, because `rate()` hides resets and gaps.
One query serves all clients, for the simulated one serves the real one's names; who has which name is `clients`.
"""

from collections.abc import Iterable

from orchestrator.journal import Node, Target
from orchestrator.metrics import chain_signals, node_signals, parachain_signals
from orchestrator.metrics.signal import Signal, select
from orchestrator.spec import Selector
from orchestrator.spec.testnet import RELAY

__all__ = ["CATALOGUE", "RELAY", "Signal", "select", "targets"]

CATALOGUE: dict[str, Signal] = {
    signal.name: signal
    for table in (
        chain_signals.BLOCKS,
        chain_signals.FINALITY,
        parachain_signals.PARACHAINS,
        parachain_signals.APPROVAL,
        parachain_signals.DISPUTES,
        parachain_signals.VALIDATION,
        chain_signals.TRANSACTIONS,
        node_signals.NETWORK,
        node_signals.NODE,
    )
    for signal in table
}
"""All signals by name, concern by concern."""


def targets(nodes: Iterable[Node], selector: Selector, signal: Signal | None = None) -> tuple[Target, ...]:
    """The endpoints that ought to answer: those selected, of those that have the signal.

    A node of a parachain is two where a relay node runs inside it.
    """
    found = []
    for node in nodes:
        for chain in dict.fromkeys((node.chain, RELAY) if node.embeds_relay else (node.chain,)):
            wanted = {"chain": chain, "role": node.role, "group": node.group, "node": node.name}
            if any(getattr(selector, key) not in {None, value} for key, value in wanted.items()):
                continue
            if signal is None or signal.carried_by(node, chain):
                found.append(Target(node=node.name, chain=chain))
    return tuple(found)
