"""Records the chains' heights once a second, so that windows in blocks and sessions can be resolved offline.

It asks a few nodes of each chain (`witnesses`) and records the furthest heights. Used by `lifecycle`.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from orchestrator.chain import SubstrateReader
from orchestrator.chain import storage_keys as keys
from orchestrator.errors import ChainError
from orchestrator.genesis.chainspec import Node
from orchestrator.inspection.reach import WORKERS
from orchestrator.journal import Clock
from orchestrator.readiness.access import Access
from orchestrator.run.background import InThread
from orchestrator.run.witnesses import Heights, witnesses
from orchestrator.spec.testnet import RELAY

PERIOD = 1.0
"""Seconds between two records. No node is waited for longer than that; who answers later is heard in a later round."""

_NOW = keys.value("Timestamp", "Now")


@dataclass(frozen=True, slots=True)
class Stand:
    """A node's chain as it was read at `at`. `stamp` is the timestamp in its best block; both are Unix seconds."""

    chain: str
    at: float
    heights: Heights
    session: int = 0
    stamp: float | None = None


class ChainClock(InThread):
    """Asks once a period, and passes each record to `keep`."""

    def __init__(self, access: Access, keep: Callable[[Clock], object]) -> None:
        super().__init__()
        self._access = access
        self._keep = keep
        self._nodes = {node.name: node for node in access.nodes}
        self._witnesses = witnesses(access.nodes)
        self._owing: dict[str, Future[Stand]] = {}
        self._final: dict[str, int] = {}

    def _work(self) -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            due = time.monotonic()
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due = time.monotonic() + PERIOD
                self._round(pool)

    def _round(self, pool: ThreadPoolExecutor) -> None:
        names = [name for chain in self._witnesses.values() for name in chain.asked if name not in self._owing]
        asked = self._owing | {name: pool.submit(self._stand, self._nodes[name]) for name in names}
        done, _ = wait(asked.values(), timeout=PERIOD)
        self._owing = {name: future for name, future in asked.items() if future not in done}
        found = {name: future for name, future in asked.items() if future in done}
        stands = {name: one.result() for name, one in found.items() if not isinstance(one.exception(), ChainError)}
        heights = {name: stand.heights for name, stand in stands.items()}
        self._witnesses = {chain: one.after(heights) for chain, one in self._witnesses.items()}
        if (entry := noted(stands.values(), self._final)) is not None:
            self._final |= {RELAY: entry.finalized, **entry.parachains}
            self._keep(entry)

    def _stand(self, node: Node) -> Stand:
        reader = self._access.reader(node)
        if node.chain != RELAY:
            final = reader.finalized().number
            return Stand(node.chain, time.time(), Heights(final, final))
        heights = Heights(reader.best().number, reader.finalized().number)
        return Stand(RELAY, time.time(), heights, reader.session(), _stamp(reader))


def noted(stands: Iterable[Stand], final: Mapping[str, int]) -> Clock | None:
    """The furthest value of each height, as of the last answer. None if no node of the relay chain answered.

    The values may come from several nodes, because on a divided network no single node has all of them. `final` has the
    finalised heights that were seen before, by chain. They stay final when the node that had them is stopped.
    """
    finalized: dict[str, int] = {}
    relay = []
    for stand in stands:
        seen = finalized.get(stand.chain, final.get(stand.chain, 0))
        finalized[stand.chain] = max(stand.heights.finalized, seen)
        if stand.chain == RELAY:
            relay.append(stand)
    if not relay:
        return None
    return Clock(
        at=max(stand.at for stand in relay),
        best=max(finalized[RELAY], *(stand.heights.best for stand in relay)),
        finalized=finalized.pop(RELAY),
        session=max(stand.session for stand in relay),
        stamp=max((stand.stamp for stand in relay if stand.stamp is not None), default=None),
        parachains=finalized,
    )


def _stamp(reader: SubstrateReader) -> float | None:
    raw = reader.storage(_NOW)
    return int.from_bytes(raw, "little") / 1000 if raw else None
