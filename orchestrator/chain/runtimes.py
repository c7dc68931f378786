"""Chooses the metadata for a block, and caches a few of them. Called by `substrate`.

The code of the parent's state executes a block. So in the block that sets new code, events and values still have the
old code's types, and a block is read with its parent's runtime. Transactions are for the next block and are built with
the runtime in the best block's state.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

from orchestrator.chain.metadata import Metadata
from orchestrator.chain.port import RuntimeVersion
from orchestrator.chain.reader import SubstrateReader
from orchestrator.errors import ChainError

_KEPT = 4
"""How many are cached: relay chain and parachain, before and after an upgrade. Each takes about 60 MB."""

_Key = tuple[str, str, int]


class _Cache:
    """The metadata used last, by genesis hash, spec name and spec version.

    It is fetched outside the lock, because a node may answer slowly and other threads must not wait for it.
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
    """The metadata with which a block's events and values are decoded. Raises ChainError."""
    header = reader.header(block)
    executed_by = header["parentHash"] if int(header["number"], 16) else block
    return _of(reader, executed_by, reader.runtime_version(executed_by))


def composing(reader: SubstrateReader, block: str) -> tuple[Metadata, RuntimeVersion]:
    """The metadata and version with which the block's children are built. Raises ChainError."""
    version = reader.runtime_version(block)
    return _of(reader, block, version), version


def _of(reader: SubstrateReader, block: str, version: RuntimeVersion) -> Metadata:
    def fetch() -> Metadata:
        found = reader.rpc.call("state_getMetadata", block)
        if not isinstance(found, str):
            raise ChainError(f"{reader.rpc.node}: has no metadata at {block}")
        return Metadata(bytes.fromhex(found[2:]))

    return _CACHE.get((reader.genesis_hash(), version.spec_name, version.spec_version), fetch)
