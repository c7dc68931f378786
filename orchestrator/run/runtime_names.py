"""Asks the chains before the first stage whether their runtimes have what gates read: storage items and events.

A key that nobody has reads as nothing on every node, which looks like agreement. An event that nobody has is counted as
zero. Called by `names`. An upgrade may change the names during the run; this is about the start.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.chain import Vocabulary, runtime
from orchestrator.chain.vocabulary import Kind
from orchestrator.errors import ChainError, Refused
from orchestrator.journal import Node
from orchestrator.metrics.exposed import Doubt
from orchestrator.metrics.signals import targets
from orchestrator.readiness.access import Access
from orchestrator.spec import Gate
from orchestrator.spec.testnet import RELAY

_ASKED = 3
"""How many nodes of a chain are asked in turn, until one answers."""


@dataclass(frozen=True, slots=True)
class RuntimeName:
    """A name that gates read of a chain, `Pallet.Item`. `known` is None if the chain's names could not be read."""

    chain: str
    name: str
    kind: Kind
    known: bool | None
    reason: str = ""


def check(
    gates: Iterable[tuple[str, Gate]], nodes: tuple[Node, ...], access: Access
) -> tuple[tuple[RuntimeName, ...], tuple[Doubt, ...]]:
    """All names that gates read of runtimes, and the doubts about these gates. Gates come with their stage's name."""
    vocabularies: dict[str, Vocabulary | str] = {}
    names: dict[tuple[str, str, str], RuntimeName] = {}
    doubts = []
    for stage, gate in gates:
        for chain, kind, name in _read(gate, nodes):
            if chain not in vocabularies:
                vocabularies[chain] = _vocabulary(access, chain)
            found = names[chain, kind, name] = _looked_up(vocabularies[chain], chain, kind, name)
            if not found.known:
                reason = f"{chain}: {found.reason}"
                doubts.append(Doubt(stage, gate.name, name, chain, reason, certain=found.known is False))
    return tuple(names.values()), tuple(doubts)


def nobody(gates: Iterable[tuple[str, Gate]], nodes: tuple[Node, ...]) -> Iterator[Doubt]:
    """Doubts about the gates whose `on` selects no node. Signals have their own (`metrics.exposed`)."""
    for stage, gate in gates:
        if gate.signal is None and not targets(nodes, gate.on):
            yield Doubt(stage, gate.name, "", "", "its `on` selects no node", certain=True)


def _read(gate: Gate, nodes: tuple[Node, ...]) -> Iterator[tuple[str, Kind, str]]:
    """The chains of which a gate reads a name, with the kind and the name."""
    if gate.storage is not None:
        for chain in dict.fromkeys(target.chain or RELAY for target in targets(nodes, gate.on)):
            yield chain, "storage", f"{gate.storage.pallet}.{gate.storage.item}"
    if gate.chain_events is not None:
        yield gate.on.chain or RELAY, "event", f"{gate.chain_events.pallet}.{gate.chain_events.name}"


def _looked_up(vocabulary: Vocabulary | str, chain: str, kind: Kind, name: str) -> RuntimeName:
    if isinstance(vocabulary, str):
        return RuntimeName(chain, name, kind, None, f"whether it has {kind} {name} is unknown: {vocabulary}")
    lack = vocabulary.lack(kind, name)
    return RuntimeName(chain, name, kind, known=lack is None, reason=lack or "")


def _vocabulary(access: Access, chain: str) -> Vocabulary | str:
    """The names of the chain's runtime, or why they could not be read."""
    failed = f"{chain} has no node to ask"
    for node in [node for node in access.nodes if node.chain == chain][:_ASKED]:
        try:
            return runtime(access.reader(node).rpc).vocabulary()
        except (ChainError, Refused) as error:
            failed = error.message
    return failed
