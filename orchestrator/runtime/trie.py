"""Computes roots of Substrate's base-16 Merkle-Patricia tries, for state versions 0 and 1.

Called by `storage` for state roots and by `imports` for roots of ordered lists. The encoding is that of
`substrate/primitives/trie/src/{node_codec,node_header,trie_stream}.rs`, described in the Polkadot specification, 2.4.
"""

import bisect
from collections.abc import Mapping, Sequence

from orchestrator.runtime.hashing import blake2_256
from orchestrator.scale import compact, vector

EMPTY_ROOT = bytes.fromhex("03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314")
"""The root of an empty trie: blake2-256 of one byte 0."""

_INLINE = 32
"""Nodes that are shorter are stored in their parent instead of their hash. In version 1, longer values are hashed."""

_LEAF, _BRANCH, _BRANCH_WITH_VALUE, _HASHED_LEAF, _HASHED_BRANCH = (0x40, 2), (0x80, 2), (0xC0, 2), (0x20, 3), (0x10, 4)
"""The first bits of a node, and their number. The rest of the byte is the start of the partial key's length."""


def root(values: Mapping[bytes, bytes], version: int) -> bytes:
    """The root of a trie with these keys and values. `version` is the state version, 0 or 1."""
    if not values:
        return EMPTY_ROOT
    keys = sorted(values)
    builder = _Builder([key.hex() for key in keys], [values[key] for key in keys], hashed=version > 0)
    return blake2_256(builder.node(0, len(keys), 0))


def ordered_root(values: Sequence[bytes], version: int) -> bytes:
    """The root of a list, with compact indices as keys. A header has this root of its extrinsics."""
    return root({compact(index): value for index, value in enumerate(values)}, version)


class _Builder:
    """Encodes nodes from sorted keys. Each node is a range of keys. Keys are hexadecimal, so a digit is a nibble."""

    def __init__(self, keys: list[str], values: list[bytes], *, hashed: bool) -> None:
        self.keys, self.values, self.hashed = keys, values, hashed

    def node(self, low: int, high: int, at: int) -> bytes:
        """The node over keys `low` to `high`, which have `at` digits in common above it."""
        first = self.keys[low]
        if high - low == 1:
            kind, value = self._value(low, _LEAF, _HASHED_LEAF)
            return _header(kind, first[at:]) + value
        split = _common(first, self.keys[high - 1], at)
        kind, value = _BRANCH, b""
        if len(first) == split:
            kind, value = self._value(low, _BRANCH_WITH_VALUE, _HASHED_BRANCH)
            low += 1
        bitmap, children = 0, []
        header = _header(kind, first[at:split])
        while low < high:
            digit = self.keys[low][split]
            end = bisect.bisect_right(self.keys, digit, low, high, key=lambda key: key[split])
            bitmap |= 1 << int(digit, 16)
            child = self.node(low, end, split + 1)
            children.append(vector(child if len(child) < _INLINE else blake2_256(child)))
            low = end
        return header + bitmap.to_bytes(2, "little") + value + b"".join(children)

    def _value(self, at: int, plain: tuple[int, int], hashed: tuple[int, int]) -> tuple[tuple[int, int], bytes]:
        value = self.values[at]
        if self.hashed and len(value) > _INLINE:
            return hashed, blake2_256(value)
        return plain, vector(value)


def _common(one: str, other: str, at: int) -> int:
    end = min(len(one), len(other))
    while at < end and one[at] == other[at]:
        at += 1
    return at


def _header(kind: tuple[int, int], partial: str) -> bytes:
    """The kind, the number of nibbles, and the nibbles. If their number is odd, the first one has its own byte."""
    bits, width = kind
    most = 0xFF >> width
    size = len(partial)
    nibbles = bytes.fromhex("0" * (size % 2) + partial)
    if size < most:
        return bytes([bits + size]) + nibbles
    more, last = divmod(size - most, 0xFF)
    return bytes([bits + most]) + b"\xff" * more + bytes([last]) + nibbles
