"""The catalogue of signals: what can be read from a node, with which query, and what a healthy value looks like.

Gates, charts, dashboards and rules all use it, so a metric's name is in its tables and nowhere else. Queries give raw
values per node. `gates.samples` derives growth, rates and recovery, because `rate()` hides resets and gaps. One query
works for all clients, because the simulated client has the real names; `names` says which client has which metric.
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
        node_signals.MACHINE,
    )
    for signal in table
}
"""All signals by name, ordered by concern."""


def targets(nodes: Iterable[Node], selector: Selector, signal: Signal | None = None) -> tuple[Target, ...]:
    """The endpoints that should answer: the selected ones that have the signal.

    A parachain's node with a relay node inside counts as two.
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
