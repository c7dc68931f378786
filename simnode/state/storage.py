"""FRAME's storage keys, and an overlay that collects one block's changes."""

import functools
import hashlib
from typing import Protocol

import xxhash

from simnode.state.port import State

CODE = b":code"
PREFIX = 32
"""Bytes of a storage item's key, or of what the keys of a map begin with."""


class Readable(Protocol):
    """Anything with storage values: a finished state, or that of a block in execution."""

    def get(self, key: bytes) -> bytes | None: ...


def twox128(text: str) -> bytes:
    raw = text.encode()
    return b"".join(xxhash.xxh64_intdigest(raw, seed=seed).to_bytes(8, "little") for seed in (0, 1))


def twox64_concat(data: bytes) -> bytes:
    return xxhash.xxh64_intdigest(data, seed=0).to_bytes(8, "little") + data


def blake2_128_concat(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest() + data


@functools.cache
def item(pallet: str, name: str) -> bytes:
    """The key of a plain storage value, or the prefix of a map."""
    return twox128(pallet) + twox128(name)


@functools.cache
def para_item(pallet: str, name: str, para_id: int) -> bytes:
    """The key of a parachain's entry in a map (`Twox64Concat` of its id)."""
    return item(pallet, name) + twox64_concat(u32(para_id))


def account(public: bytes) -> bytes:
    return item("System", "Account") + blake2_128_concat(public)


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def number_of(value: bytes | None, default: int = 0) -> int:
    """A fixed-width unsigned integer."""
    return default if value is None else int.from_bytes(value, "little")


class Overlay:
    """The state of a block in execution: its parent's state, and the changes since.

    `prefixes` are those of the runtime's storage items. It has nothing else, except its code.
    """

    def __init__(self, parent: State, prefixes: frozenset[bytes]) -> None:
        self._parent = parent
        self._prefixes = prefixes
        self._changes: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._changes[key] if key in self._changes else self._parent.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        assert key[:PREFIX] in self._prefixes or key == CODE, "the runtime says that it has no such storage item"
        self._changes[key] = value

    def delete(self, key: bytes) -> None:
        if self.get(key) is not None:
            self._changes[key] = None

    def snapshot(self) -> dict[bytes, bytes | None]:
        return dict(self._changes)

    def rollback(self, snapshot: dict[bytes, bytes | None]) -> None:
        self._changes = snapshot

    def finish(self) -> State:
        """The new state. Its root is a hash of the parent's root and the changes: cheap, and equal for equal states.

        A real root is that of a trie over all values. Nothing here needs proofs of single values.
        """
        digest = hashlib.blake2b(self._parent.root, digest_size=32)
        values = dict(self._parent.values)
        for key in sorted(self._changes):
            value = self._changes[key]
            if value is None:
                values.pop(key, None)
            else:
                values[key] = value
            digest.update(key + (b"\0" if value is None else b"\1" + hashlib.blake2b(value).digest()))
        return State(values, digest.digest() if self._changes else self._parent.root)
