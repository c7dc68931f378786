"""The tree of blocks: ancestry, leaves, finality. The caller chooses between forks by the weights that it gives blocks.

Every block has a pointer far back, as in Bitcoin's index, so that an ancestor thousands of blocks below is found in a
few steps. In a rehearsal finality may stand for hours while blocks are still built.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from simnode.core.messages import Hash

Content = TypeVar("Content")


@dataclass(slots=True)
class Entry(Generic[Content]):
    """A block in the tree. `order` is its place in the order of arrival, which decides between equal weights."""

    hash: Hash
    parent: Hash
    number: int
    weight: int
    order: int
    content: Content
    skip: "Entry[Content] | None" = None
    up: "Entry[Content] | None" = None


def _skip_number(number: int) -> int:
    """How far back the pointer of a block of that height goes: the height with its lowest set bits cleared."""
    if number < 2:
        return 0
    if number & 1:
        lower = (number - 1) & (number - 2)
        return (lower & (lower - 1)) + 1
    return number & (number - 1)


class Tree(Generic[Content]):
    """Blocks from a root upwards.

    Forks that finality has ruled out stop being leaves and stay otherwise: old votes stand on them, and a laggard that
    counts those votes asks for them.
    """

    def __init__(self, root: Hash, number: int, content: Content) -> None:
        self.entries: dict[Hash, Entry[Content]] = {root: Entry(root, "", number, 0, 0, content)}
        self.canonical: dict[int, Hash] = {number: root}
        """Finalised blocks by height."""
        self.root = root
        self.finalized = root
        self._order = 0
        self._leaves = {root}

    def __contains__(self, hash_: Hash) -> bool:
        return hash_ in self.entries

    def __getitem__(self, hash_: Hash) -> Entry[Content]:
        return self.entries[hash_]

    def get(self, hash_: Hash) -> Entry[Content] | None:
        return self.entries.get(hash_)

    def number(self, hash_: Hash) -> int:
        return self.entries[hash_].number

    @property
    def finalized_number(self) -> int:
        return self.entries[self.finalized].number

    def insert(self, hash_: Hash, parent: Hash, content: Content, *, weight: int = 0) -> Entry[Content]:
        """Adds a block whose parent is known. `weight` is the block's own; its chain's is summed up here."""
        up = self.entries[parent]
        self._order += 1
        entry = Entry(hash_, parent, up.number + 1, up.weight + weight, self._order, content, up=up)
        entry.skip = self._above(up, _skip_number(entry.number))
        self.entries[hash_] = entry
        self._leaves.discard(parent)
        if self.is_ancestor(self.finalized, hash_):
            self._leaves.add(hash_)
        return entry

    def ancestor(self, hash_: Hash, number: int) -> Hash | None:
        """The block at a height of the chain that ends in `hash_`; None above that and below the root."""
        entry = self._above(self.entries[hash_], number)
        return entry.hash if entry is not None and entry.number == number else None

    def _above(self, entry: Entry[Content], number: int) -> Entry[Content] | None:
        at: Entry[Content] | None = entry
        while at is not None and at.number > number:
            skip = at.skip
            at = skip if skip is not None and skip.number >= number else at.up
        return at

    def is_ancestor(self, ancestor: Hash, hash_: Hash) -> bool:
        """Whether one block stands on the other, or is it."""
        low = self.entries.get(ancestor)
        return low is not None and hash_ in self.entries and self.ancestor(hash_, low.number) == ancestor

    def leaves(self) -> list[Hash]:
        """The heads of all forks that finality has not ruled out."""
        return sorted(self._leaves, key=lambda leaf: self.entries[leaf].order)

    def best_containing(self, base: Hash) -> Hash:
        """The best head above a block: the heaviest chain, then the longest, then the one seen first.

        That is BABE's rule: the weight counts blocks of primary slots (`client/consensus/babe/src/lib.rs`,
        fork_choice).
        """
        best = self.entries[base]
        for leaf in self._leaves:
            entry = self.entries[leaf]
            if _better(entry, best) and self.is_ancestor(base, leaf):
                best = entry
        return best.hash

    def common_ancestor(self, one: Hash, other: Hash) -> Hash:
        low, high = sorted((self.entries[one], self.entries[other]), key=lambda entry: entry.number)
        start = self._above(high, low.number)
        assert start is not None
        left, right = low, start
        while left is not right:
            assert left.up is not None
            assert right.up is not None
            assert left.skip is not None
            assert right.skip is not None
            apart = left.skip is not right.skip
            left, right = (left.skip, right.skip) if apart else (left.up, right.up)
        return left.hash

    def finalize(self, hash_: Hash) -> list[Hash]:
        """Makes a block final; returns the newly final blocks, oldest first.

        Raises:
            AssertionError: when it contradicts what is final already. No schedule may ever lead there.
        """
        if not self.is_ancestor(self.finalized, hash_):
            raise AssertionError(f"safety broken: {hash_} does not stand on the finalised {self.finalized}")
        chain: list[Hash] = []
        at = hash_
        while at != self.finalized:
            chain.append(at)
            at = self.entries[at].parent
        chain.reverse()
        for step in chain:
            self.canonical[self.entries[step].number] = step
        self.finalized = hash_
        self._leaves = {leaf for leaf in self._leaves if self.is_ancestor(hash_, leaf)}
        return chain


def _better(one: Entry[Content], other: Entry[Content]) -> bool:
    return (one.weight, one.number, -one.order) > (other.weight, other.number, -other.order)
