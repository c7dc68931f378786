"""Which metadata a block is read by, and a few of them kept. Called by `substrate`.

What a block's execution stored was stored by the code before it: in the block that sets new code, events and values
are still the old code's. So a block is read by its parent's runtime. Transactions are for the next block, and are
composed by the runtime of the best block's state.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from orchestrator.chain.metadata import Metadata
from orchestrator.chain.port import RuntimeVersion
from orchestrator.chain.reader import SubstrateReader
from orchestrator.errors import ChainError

_KEPT = 4
"""Relay chain and parachain, before and after an upgrade; each takes some 60 MB."""

_Key = tuple[str, str, int]


class _Cache:
    """The metadata used last, by genesis hash, spec name and spec version.

    It is made outside the lock, for a node may take its time to answer and others must not wait for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Metadata] = OrderedDict()

    def get(self, key: _Key, make: Callable[[], Metadata]) -> Metadata:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made


_CACHE = _Cache()


def reading(reader: SubstrateReader, block: str) -> Metadata:
    """By what the block's events and values are decoded. Raises ChainError."""
    header = reader.header(block)
    executed_by = header["parentHash"] if int(header["number"], 16) else block
    return _of(reader, executed_by, reader.runtime_version(executed_by))


def composing(reader: SubstrateReader, block: str) -> tuple[Metadata, RuntimeVersion]:
    """By what the block's children are built. Raises ChainError."""
    version = reader.runtime_version(block)
    return _of(reader, block, version), version


def _of(reader: SubstrateReader, block: str, version: RuntimeVersion) -> Metadata:
    def fetch() -> Metadata:
        found = reader.rpc.call("state_getMetadata", block)
        if not isinstance(found, str):
            raise ChainError(f"{reader.rpc.node}: has no metadata at {block}")
        return Metadata(bytes.fromhex(found[2:]))

    return _CACHE.get((reader.genesis_hash(), version.spec_name, version.spec_version), fetch)
