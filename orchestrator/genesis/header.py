"""Block headers and genesis hashes. Used by `chainspec` and by simnode, so that both know a network's genesis alike.

Layout after `substrate/primitives/runtime/src/generic/header.rs`.
"""

import json
from dataclasses import dataclass
from typing import Any, Self

from orchestrator.runtime import hashing, trie
from orchestrator.scale import Reader, compact, vector

_ENGINE_LOG = {"PreRuntime": 6, "Consensus": 4, "Seal": 5}
_RUNTIME_UPDATED = 8
_OTHER = 0

EMPTY_TRIE_ROOT = trie.EMPTY_ROOT
"""The root of a trie without entries: the extrinsics root of every genesis block."""

blake2_256 = hashing.blake2_256
"""By which headers, and most else on a chain, are known."""


@dataclass(frozen=True, slots=True)
class Header:
    """A Substrate header; `digest` are encoded digest items."""

    parent_hash: bytes
    number: int
    state_root: bytes
    extrinsics_root: bytes
    digest: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        items = compact(len(self.digest)) + b"".join(self.digest)
        return self.parent_hash + compact(self.number) + self.state_root + self.extrinsics_root + items

    @property
    def hash(self) -> bytes:
        return blake2_256(self.encode())

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The header.

        Raises:
            ValueError: when the bytes are none.
        """
        reader = Reader(data)
        parent, number = reader.take(32), reader.compact()
        state, extrinsics = reader.take(32), reader.take(32)
        return cls(parent, number, state, extrinsics, tuple(_item(reader) for _ in range(reader.compact())))


def pre_runtime(engine: bytes, payload: bytes) -> bytes:
    """A digest item by which the author says why it may author."""
    return bytes([_ENGINE_LOG["PreRuntime"]]) + engine + vector(payload)


def runtime_updated() -> bytes:
    """The digest item of a block that sets code."""
    return bytes([_RUNTIME_UPDATED])


def _item(reader: Reader) -> bytes:
    kind = reader.u8()
    if kind == _RUNTIME_UPDATED:
        return bytes([kind])
    if kind == _OTHER:
        return bytes([kind]) + vector(reader.vector())
    return bytes([kind]) + reader.take(4) + vector(reader.vector())


def genesis_header(spec: dict[str, Any]) -> Header:
    """The header of block 0 of a chain spec. Under the model the state root is a hash of the genesis configuration."""
    text = json.dumps(spec["genesis"]["runtimeGenesis"], sort_keys=True, separators=(",", ":"))
    return Header(
        parent_hash=bytes(32),
        number=0,
        state_root=blake2_256(text.encode()),
        extrinsics_root=EMPTY_TRIE_ROOT,
    )
