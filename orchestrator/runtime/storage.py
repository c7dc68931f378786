"""The storage that a runtime reads and writes during a call: a top trie, child tries, nested transactions.

The caller of a runtime creates it (genesis begins with an empty one), host functions change it, and the caller reads
it after the call.
"""

import bisect
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.runtime import trie
from orchestrator.scale import Reader, compact

CHILD_PREFIX = b":child_storage:default:"
"""The prefix in the top trie for the roots of child tries (`substrate/primitives/storage/src/lib.rs`)."""


@dataclass(frozen=True, slots=True)
class Removed:
    """The result of removing a prefix. `rest` says whether some keys are still there."""

    count: int
    rest: bool


class _Keys:
    """One trie's values. Its keys are sorted when the next key is first asked for."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self.values = dict(values)
        self._order: list[bytes] | None = None

    def set(self, key: bytes, value: bytes | None) -> bytes | None:
        """Writes or removes a value. Returns the old one."""
        before = self.values.get(key)
        if value is not None:
            self.values[key] = value
            if before is None and self._order is not None:
                bisect.insort(self._order, key)
        elif before is not None:
            del self.values[key]
            if self._order is not None:
                del self._order[bisect.bisect_left(self._order, key)]
        return before

    def after(self, key: bytes) -> bytes | None:
        order = self.order()
        at = bisect.bisect_right(order, key)
        return order[at] if at < len(order) else None

    def below(self, prefix: bytes) -> list[bytes]:
        order = self.order()
        at = bisect.bisect_left(order, prefix)
        end = at
        while end < len(order) and order[end].startswith(prefix):
            end += 1
        return order[at:end]

    def order(self) -> list[bytes]:
        if self._order is None:
            self._order = sorted(self.values)
        return self._order


class Storage:
    """A chain's state in memory. `child` names a child trie; None is the top trie. Keys of children have no prefix."""

    def __init__(
        self,
        top: Mapping[bytes, bytes] | None = None,
        children: Mapping[bytes, Mapping[bytes, bytes]] | None = None,
    ) -> None:
        self._tries: dict[bytes | None, _Keys] = {None: _Keys(top or {})}
        self._tries |= {child: _Keys(values) for child, values in (children or {}).items()}
        self._undo: list[list[tuple[bytes | None, bytes, bytes | None]]] = []

    @property
    def top(self) -> Mapping[bytes, bytes]:
        return self._tries[None].values

    @property
    def children(self) -> dict[bytes, Mapping[bytes, bytes]]:
        """The child tries that are not empty."""
        return {child: keys.values for child, keys in self._tries.items() if child is not None and keys.values}

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        keys = self._tries.get(child)
        return keys.values.get(key) if keys else None

    def set(self, key: bytes, value: bytes | None, child: bytes | None = None) -> None:
        """Writes a value. None removes it."""
        keys = self._tries.setdefault(child, _Keys({})) if child is not None else self._tries[None]
        before = keys.set(key, value)
        if self._undo:
            self._undo[-1].append((child, key, before))

    def append(self, key: bytes, item: bytes) -> None:
        """Appends an encoded item to a SCALE vector. An invalid value counts as empty (`storage_append.rs`)."""
        reader = Reader(self.get(key) or b"")
        try:
            count = reader.compact() if reader.data else 0
            rest = reader.data[reader.at :]
        except ValueError:
            count, rest = 0, b""
        self.set(key, compact(count + 1) + rest + item)

    def next_key(self, key: bytes, child: bytes | None = None) -> bytes | None:
        keys = self._tries.get(child)
        return keys.after(key) if keys else None

    def clear_prefix(self, prefix: bytes, limit: int | None = None, child: bytes | None = None) -> Removed:
        """Removes keys with the prefix, at most `limit` keys.

        (A node counts only keys from before the block, and removes newer ones in addition.)
        """
        keys = self._tries.get(child)
        found = keys.below(prefix) if keys else []
        doomed = found if limit is None else found[:limit]
        for key in doomed:
            self.set(key, None, child)
        return Removed(len(doomed), rest=len(doomed) < len(found))

    def start(self) -> None:
        """Begins a transaction inside the current one."""
        self._undo.append([])

    def commit(self) -> None:
        """Ends the innermost transaction and keeps its changes.

        Raises:
            IndexError: there is no transaction. As in `rollback`.
        """
        done = self._undo.pop()
        if self._undo:
            self._undo[-1] += done

    def rollback(self) -> None:
        for child, key, before in reversed(self._undo.pop()):
            self._tries[child].set(key, before)

    def child_root(self, child: bytes, version: int) -> bytes:
        return trie.root(self.children.get(child, {}), version)

    def root(self, version: int) -> bytes:
        """The state root, including child tries."""
        roots = {CHILD_PREFIX + child: self.child_root(child, version) for child in self.children}
        return trie.root({**self.top, **roots}, version)
