"""Gets blocks: announcements, requests for missing blocks, and orphans that wait for their parents.

An author sends the whole block to all its peers. A node that imports it announces the hash, and peers without the block
ask for it. So a block reaches nodes that the author cannot reach, and a node that was away learns everything from the
first `Status`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simnode.core.messages import Announce, Block, BlockRequest, BlockResponse, Hash
from simnode.core.outbox import Outbox
from simnode.core.tree import Tree

MAJOR_SYNC = 5
"""A node this many blocks behind its peers is syncing and authors nothing (`client/network/sync/src/strategy`)."""
_BATCH_BLOCKS, _BATCH_SIZE = 64, 1 << 20
_RETRY = 1.5
_PATIENCE = 12
_ORPHANS = 512

Import = Callable[[Block, str | None], str]
"""Imports a block whose parent is known. Returns a result as in `substrate_import_queue_processed_total`."""


@dataclass(slots=True)
class _Wanted:
    """A missing block: which peers to ask, and when next."""

    number: int
    due: float
    peers: list[str] = field(default_factory=list)
    tries: int = 0


class Sync:
    def __init__(self, tree: Tree[Any], outbox: Outbox, load: Callable[[Hash], Block], import_block: Import) -> None:
        self._tree = tree
        self._out = outbox
        self._load = load
        self._import = import_block
        self._orphans: dict[Hash, dict[Hash, Block]] = {}
        self._wanted: dict[Hash, _Wanted] = {}
        self._common: dict[str, Hash] = {}
        self._bad: set[Hash] = set()
        self.peers: dict[str, tuple[Hash, int]] = {}
        """The best block of each peer, as far as known."""
        self.results: dict[str, int] = {}

    def connected(self, peer: str) -> None:
        self.peers[peer] = ("", 0)

    def disconnected(self, peer: str) -> None:
        self.peers.pop(peer, None)
        self._common.pop(peer, None)

    def queued(self) -> int:
        """Blocks that have arrived and wait for their parents."""
        return sum(len(waiting) for waiting in self._orphans.values())

    def target(self) -> int:
        """The highest block that any peer has."""
        return max((number for _, number in self.peers.values()), default=0)

    def wakeup(self) -> float | None:
        return min((wanted.due for wanted in self._wanted.values()), default=None)

    def seen(self, peer: str, hash_: Hash, number: int, now: float) -> None:
        """Records that a peer has a block. Asks for it a moment later, unless it arrives by itself."""
        if peer in self.peers and number >= self.peers[peer][1]:
            self.peers[peer] = (hash_, number)
        self.want(hash_, number, peer, now + 0.1)

    def want(self, hash_: Hash, number: int, peer: str | None, due: float) -> None:
        if hash_ in self._tree or hash_ in self._bad or self._is_orphan(hash_):
            return
        wanted = self._wanted.setdefault(hash_, _Wanted(number, due))
        if peer is not None and peer not in wanted.peers:
            wanted.peers.append(peer)

    def on_timer(self, now: float) -> None:
        for hash_, wanted in list(self._wanted.items()):
            if hash_ in self._tree or wanted.tries > _PATIENCE:
                del self._wanted[hash_]
            elif now >= wanted.due:
                wanted.due = now + _RETRY
                wanted.tries += 1
                self._request(hash_, wanted)

    def on_block(self, peer: str | None, block: Block, now: float) -> None:
        """Handles a received block: imports it and all that waited for it, or keeps it until its parent arrives."""
        if block.hash in self._tree or block.hash in self._bad:
            return
        if block.parent not in self._tree:
            self._count("unknown_parent")
            if len(self._orphans) < _ORPHANS:
                self._orphans.setdefault(block.parent, {})[block.hash] = block
            self._wanted.pop(block.hash, None)
            self.want(block.parent, block.number - 1, peer, now)
            return
        ready = [block]
        while ready:
            at = ready.pop()
            self._wanted.pop(at.hash, None)
            result = "success" if at.hash in self._tree else self._import(at, peer)
            self._count(result)
            if result == "success":
                ready += self._orphans.pop(at.hash, {}).values()
            elif result != "verification_failed":
                # Verification may succeed later if the block is from the future.
                self._bad.add(at.hash)

    def on_request(self, peer: str, request: BlockRequest) -> None:
        if request.tip not in self._tree:
            return
        known = [hash_ for hash_ in request.locator if self._tree.is_ancestor(hash_, request.tip)]
        start = max((self._tree.number(hash_) for hash_ in known), default=self._tree.number(self._tree.root))
        top = min(self._tree.number(request.tip), start + _BATCH_BLOCKS)
        blocks: list[Block] = []
        size = 0
        for number in range(start + 1, top + 1):
            hash_ = self._tree.ancestor(request.tip, number)
            assert hash_ is not None
            block = self._load(hash_)
            size += sum(map(len, block.body))
            if blocks and size > _BATCH_SIZE:
                break
            blocks.append(block)
        if blocks:
            self._out.send(peer, BlockResponse(request.tip, tuple(blocks)))

    def on_response(self, peer: str, response: BlockResponse, now: float) -> None:
        before = len(self._tree.entries)
        for block in response.blocks:
            self.on_block(peer, block, now)
            if block.hash in self._tree:
                self._common[peer] = block.hash
        wanted = self._wanted.get(response.tip)
        if wanted is not None and len(self._tree.entries) > before:
            wanted.tries = 0
            wanted.due = now + _RETRY
            self._out.send(peer, BlockRequest(response.tip, self._locator(peer)))

    def announce(self, block: Block, source: str | None) -> None:
        for peer, (best, _) in self.peers.items():
            if peer != source and best != block.hash:
                self._out.send(peer, Announce(block.hash, block.number))

    def _request(self, hash_: Hash, wanted: _Wanted) -> None:
        """Asks in turn the peers that are known to have the block, then all others."""
        sources = [peer for peer in wanted.peers if peer in self.peers] or sorted(self.peers)
        if sources:
            peer = sources[(wanted.tries - 1) % len(sources)]
            self._out.send(peer, BlockRequest(hash_, self._locator(peer)))

    def _locator(self, peer: str) -> tuple[Hash, ...]:
        """Blocks that this node has: the last one from that peer, and from each head down with growing distances."""
        found = [self._common[peer]] if self._common.get(peer, "") in self._tree else []
        for leaf in self._tree.leaves()[-4:]:
            number, step = self._tree.number(leaf), 1
            while number > self._tree.finalized_number:
                hash_ = self._tree.ancestor(leaf, number)
                assert hash_ is not None
                found.append(hash_)
                number, step = number - step, step * 2
        return (*dict.fromkeys(found), self._tree.finalized)

    def _is_orphan(self, hash_: Hash) -> bool:
        return any(hash_ in waiting for waiting in self._orphans.values())

    def _count(self, result: str) -> None:
        self.results[result] = self.results.get(result, 0) + 1
