"""Block headers and genesis hashes. Used by `chainspec` and simnode, so that both compute the same genesis hash.

The layout is that of `substrate/primitives/runtime/src/generic/header.rs` in polkadot-sdk.
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
"""The root of an empty trie: the extrinsics root of every genesis block."""

blake2_256 = hashing.blake2_256
"""Blake2b with 256 bits: the hash of headers and of most other things on a chain."""


@dataclass(frozen=True, slots=True)
class Header:
    """A Substrate header. `digest` holds encoded digest items."""

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
        """Decodes a header.

        Raises:
            ValueError: the bytes are not a header.
        """
        reader = Reader(data)
        parent, number = reader.take(32), reader.compact()
        state, extrinsics = reader.take(32), reader.take(32)
        return cls(parent, number, state, extrinsics, tuple(_item(reader) for _ in range(reader.compact())))


def pre_runtime(engine: bytes, payload: bytes) -> bytes:
    """A digest item with which the author proves its right to author the block."""
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
    """The header of block 0 of a model's chain spec. Its state root is a hash of the genesis configuration."""
    text = json.dumps(spec["genesis"]["runtimeGenesis"], sort_keys=True, separators=(",", ":"))
    return Header(
        parent_hash=bytes(32),
        number=0,
        state_root=blake2_256(text.encode()),
        extrinsics_root=EMPTY_TRIE_ROOT,
    )
