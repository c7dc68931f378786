"""Reads from the nodes' own RPC what gates need. Implements `gates.ports.ChainReads`; created by `sources`."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping

from orchestrator.chain import SubstrateReader, clients
from orchestrator.chain import storage_keys as keys
from orchestrator.chain.history import events_between
from orchestrator.chain.rounds import RoundState, absent
from orchestrator.errors import ChainError
from orchestrator.genesis.chainspec import Node
from orchestrator.readiness.access import Access
from orchestrator.scale import Reader
from orchestrator.spec.source import ChainEvents, ChainRead, Storage

_LOOKS = 5
"""How many GRANDPA rounds are remembered for each node. A round that has just begun has no votes yet."""

_NUMBERS: Mapping[str, Callable[[SubstrateReader], int]] = {
    "best-height": lambda reader: reader.best().number,
    "finalized-height": lambda reader: reader.finalized().number,
    "spec-version": lambda reader: reader.runtime_version().spec_version,
    "session": lambda reader: reader.session(),
    "authorities": lambda reader: len(reader.authors()),
}

_WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16}


class NodeReads:
    """The chain reads that gates need."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._nodes: dict[str, Node] = {node.name: node for node in access.nodes}
        self._looks: dict[tuple[str, str], deque[RoundState]] = defaultdict(lambda: deque(maxlen=_LOOKS))

    def finalized_height(self, node: str, chain: str) -> int:
        return self._reader(node, chain).finalized().number

    def block_hash(self, node: str, chain: str, height: int) -> str | None:
        return self._reader(node, chain).hash_at(height)

    def stored(self, node: str, chain: str, storage: Storage, height: int) -> str | None:
        reader = self._reader(node, chain)
        block = reader.hash_at(height)
        return None if block is None else "0x" + (reader.storage(_key(storage), block) or b"").hex()

    def number(self, node: str, chain: str, what: ChainRead | Storage) -> float:
        reader = self._reader(node, chain)
        if isinstance(what, Storage):
            return _decoded(node, what, reader.storage(_key(what)))
        if what in {"grandpa-round", "grandpa-absent"}:
            state = reader.round_state()
            looks = self._looks[node, chain]
            looks.append(state)
            return float(state.best.number if what == "grandpa-round" else len(absent(looks)))
        return float(_NUMBERS[what](reader))

    def happened(self, chain: str, event: ChainEvents, first: int, last: int) -> tuple[str, list[int]]:
        """Asks the nodes of the chain in turn, until one has all the blocks."""
        failed: ChainError | None = None
        for node in (node for node in self._nodes.values() if node.chain == chain):
            reader = self._reader(node.name, chain)
            try:
                found = events_between(reader, clients.runtime(reader.rpc), first, last)
                title = f"{event.pallet}.{event.name}"
                return node.name, [block for block, one in found if one.title == title]
            except ChainError as error:
                failed = error
        raise failed or ChainError(f"no node of {chain} to ask")

    def _reader(self, node: str, chain: str) -> SubstrateReader:
        return self._access.reader(self._nodes[node], chain=chain)


def _key(storage: Storage) -> bytes:
    return keys.value(storage.pallet, storage.item) + bytes.fromhex(storage.key.removeprefix("0x"))


def _decoded(node: str, storage: Storage, raw: bytes | None) -> float:
    """The number at the beginning of a value, or the user's `absent` value if nothing is stored.

    Raises:
        ChainError: the value is too short, or nothing is stored and the user gives no value for that.
    """
    if raw is None and storage.absent is not None:
        return storage.absent
    if raw is None:
        raise ChainError(f"{node}: nothing is stored under {storage.pallet}.{storage.item}")
    if storage.as_ == "compact":
        return float(Reader(raw).compact())
    width = _WIDTHS[storage.as_]
    if len(raw) < width:
        raise ChainError(f"{node}: {storage.pallet}.{storage.item} has {len(raw)} bytes, no {storage.as_}")
    return float(int.from_bytes(raw[:width], "little"))
