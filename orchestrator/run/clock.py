"""Records the chains' heights once a second, so that windows in blocks and sessions can be resolved offline.

It asks a few validators, because a fault may have stopped some, and records the furthest. Of each parachain it asks two
nodes. Used by `lifecycle`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from orchestrator.chain import SubstrateReader
from orchestrator.chain import storage_keys as keys
from orchestrator.errors import ChainError
from orchestrator.genesis.chainspec import Node
from orchestrator.inspection.reach import ask_all
from orchestrator.journal import Clock
from orchestrator.readiness.access import Access
from orchestrator.spec.testnet import RELAY

WITNESSES = 4
PARACHAIN_WITNESSES = 2
PERIOD = 1.0
"""Seconds between two records."""

_NOW = keys.value("Timestamp", "Now")


@dataclass(frozen=True, slots=True)
class _Stand:
    """The state of a node's chain. `stamp` is the timestamp in its best block, in Unix seconds."""

    best: int
    finalized: int
    session: int = 0
    stamp: float | None = None


class ChainClock:
    """Runs in a thread within a `with` block, and passes each record to `keep`."""

    def __init__(self, access: Access, keep: Callable[[Clock], object]) -> None:
        self._access = access
        self._keep = keep
        relay = [node for node in access.nodes if node.chain == RELAY and node.authority][:WITNESSES]
        chains = dict.fromkeys(node.chain for node in access.nodes if node.chain != RELAY)
        paras = [[n for n in access.nodes if n.chain == chain][:PARACHAIN_WITNESSES] for chain in chains]
        self._witnesses = [*relay, *(node for nodes in paras for node in nodes)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        chains = {node.name: node.chain for node in self._witnesses}
        while not self._stop.wait(PERIOD):
            found = ask_all(self._witnesses, self._stand)
            stands = [(chains[name], stand) for name, stand in found.items() if not isinstance(stand, ChainError)]
            if (entry := noted(stands)) is not None:
                self._keep(entry)

    def _stand(self, node: Node) -> _Stand:
        reader = self._access.reader(node)
        if node.chain != RELAY:
            return _Stand(0, reader.finalized().number)
        return _Stand(reader.best().number, reader.finalized().number, reader.session(), _stamp(reader))


def noted(stands: list[tuple[str, _Stand]]) -> Clock | None:
    """The furthest value of each height. None if no validator answered.

    The values may come from several nodes, because on a divided network no single node has all of them.
    """
    relay = [stand for chain, stand in stands if chain == RELAY]
    if not relay:
        return None
    parachains: dict[str, int] = {}
    for chain, stand in stands:
        if chain != RELAY:
            parachains[chain] = max(stand.finalized, parachains.get(chain, 0))
    return Clock(
        best=max(stand.best for stand in relay),
        finalized=max(stand.finalized for stand in relay),
        session=max(stand.session for stand in relay),
        stamp=max((stand.stamp for stand in relay if stand.stamp is not None), default=None),
        parachains=parachains,
    )


def _stamp(reader: SubstrateReader) -> float | None:
    raw = reader.storage(_NOW)
    return int.from_bytes(raw, "little") / 1000 if raw else None
