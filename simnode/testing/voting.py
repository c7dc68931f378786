"""Only GRANDPA, in virtual time, without contents of blocks: cheap enough for thousands of schedules.

Blocks come from a seeded producer that sometimes forks. Each node hears of them at different times, and asks for those
that votes refer to. Everything else is `core.grandpa` itself.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simnode.core.grandpa import Grandpa
from simnode.core.messages import CatchUp, CatchUpRequest, Commit, Hash, Message, Status, Votes
from simnode.core.outbox import Outbox, Persist, Record, Send
from simnode.core.tree import Tree

BLOCK_TIME = 1.0


@dataclass(slots=True)
class Voter:
    """One node. `blocks` survives a crash, as the database does."""

    index: int
    tree: Tree[None]
    out: Outbox
    grandpa: Grandpa
    records: list[Record] = field(default_factory=list)
    up: bool = True
    life: int = 0
    wanted: set[Hash] = field(default_factory=set)


class Voting:
    """Voters, and nodes that only follow. `needed` overrides the threshold, to check that a violation is found."""

    def __init__(
        self,
        seed: int,
        *,
        voters: int,
        followers: int = 0,
        loss: float = 0.0,
        gossip: float = 0.4,
        needed: int | None = None,
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311  Seeded on purpose.
        self.voters = voters
        self.loss = loss
        self.now = 0.0
        self.final: dict[int, Hash] = {}
        self.mute: set[int] = set()
        """Nodes that hear everything and that nobody hears. So finality may be known to a single node."""
        self.stormy = False
        """Whether forks are deep and the best chain keeps changing, the case for which the voting rules exist."""
        self._needed = needed
        self._gossip = gossip
        self._parents: dict[Hash, tuple[Hash, int]] = {}
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._blocks = 0
        self._sides: dict[int, int] = {}
        self.nodes = [self._make(index, []) for index in range(voters + followers)]
        for node in self.nodes:
            self._start(node)
        self._at(BLOCK_TIME, self._produce)
        self._at(0.5, self._statuses)

    # Nodes

    def _make(self, index: int, records: list[Record]) -> Voter:
        tree: Tree[None] = Tree("genesis", 0, None)
        out = Outbox()
        voter: Voter

        def wanted(hash_: Hash, _number: int, _peer: str | None) -> None:
            if hash_ not in voter.wanted:
                voter.wanted.add(hash_)
                self._at(0.3, lambda: self._fetch(voter, hash_))

        grandpa = Grandpa(
            tree,
            out,
            voters=self.voters,
            authority=index if index < self.voters else None,
            gossip=self._gossip,
            on_final=lambda chain: self._check(tree, chain),
            wanted=wanted,
            needed=self._needed,
        )
        voter = Voter(index, tree, out, grandpa, records)
        for record in records:
            if record["kind"] == "block":
                if record["hash"] not in tree:
                    tree.insert(record["hash"], record["parent"], None, weight=record["weight"])
            else:
                grandpa.restore(record)
        return voter

    def _start(self, node: Voter) -> None:
        node.out.drain()
        for other in self.nodes:
            if other is not node and other.up:
                node.grandpa.peers[str(other.index)] = None
                other.grandpa.peers[str(node.index)] = None
        node.grandpa.start(self.now)
        self._settle(node)

    def crash(self, index: int) -> None:
        node = self.nodes[index]
        node.up = False
        node.life += 1
        for other in self.nodes:
            other.grandpa.peers.pop(str(index), None)

    def restart(self, index: int, *, keep_database: bool = True) -> None:
        old = self.nodes[index]
        fresh = self._make(index, old.records if keep_database else [])
        fresh.life = old.life
        self.nodes[index] = fresh
        self._start(fresh)

    def partition(self, sides: dict[int, int]) -> None:
        self._sides = sides

    # Time

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            self.now, _, action = heapq.heappop(self._queue)
            action()
        self.now = end

    def _at(self, delay: float, action: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now + delay, self._order, action))

    def _settle(self, node: Voter) -> None:
        for effect in node.out.drain():
            if isinstance(effect, Persist):
                node.records.append(effect.record)
            elif isinstance(effect, Send):
                self._send(node.index, int(effect.peer), effect.message)
        due = node.grandpa.wakeup()
        if due is not None:
            life = node.life
            self._at(max(0.0, due - self.now), lambda: self._wake(node, life))

    def _wake(self, node: Voter, life: int) -> None:
        due = node.grandpa.wakeup()
        if node.up and node.life == life and due is not None and due <= self.now:
            node.grandpa.on_timer(self.now)
            self._settle(node)

    def _apart(self, one: int, other: int) -> bool:
        sides = self._sides
        return one in self.mute or (one in sides and other in sides and sides[one] != sides[other])

    def _send(self, source: int, target: int, message: Message) -> None:
        if self._apart(source, target) or self.random.random() < self.loss:
            return
        life = self.nodes[target].life

        def deliver() -> None:
            node = self.nodes[target]
            if node.up and node.life == life:
                self._receive(node, str(source), message)
                self._settle(node)

        self._at(self.random.uniform(0.01, 0.3), deliver)

    def _receive(self, node: Voter, peer: str, message: Message) -> None:
        grandpa = node.grandpa
        match message:
            case Votes():
                grandpa.on_votes(peer, message, self.now)
            case Status():
                grandpa.on_status(peer, message, self.now)
            case Commit():
                grandpa.on_commit(peer, message, self.now)
            case CatchUpRequest():
                grandpa.on_catch_up_request(peer, message)
            case CatchUp():
                grandpa.on_catch_up(peer, message, self.now)
            case _:
                raise AssertionError(message)

    def _statuses(self) -> None:
        for node in self.nodes:
            if node.up:
                tree, grandpa = node.tree, node.grandpa
                status = Status("", 0, tree.finalized, tree.finalized_number, grandpa.round, grandpa.status_masks())
                for other in grandpa.peers:
                    self._send(node.index, int(other), status)
        self._at(1.0, self._statuses)

    # Blocks

    def _produce(self) -> None:
        """A node builds on its best block. Sometimes two do at once, or one that is behind."""
        self._at(BLOCK_TIME, self._produce)
        builders = [node for node in self.nodes[: self.voters] if node.up]
        sides = {self._sides.get(node.index, 0) for node in builders}
        for side in sorted(sides):
            here = [node for node in builders if self._sides.get(node.index, 0) == side]
            for node in self.random.sample(here, min(len(here), self.random.choice((1, 1, 1, 2)))):
                best = node.tree.best_containing(node.tree.finalized)
                if self.stormy and self.random.random() < 0.7:
                    depth = self.random.randrange(1, 6)
                    number = max(node.tree.finalized_number, node.tree.number(best) - depth)
                    best = node.tree.ancestor(best, number) or best
                self._blocks += 1
                hash_, weight = f"b{self._blocks}", self.random.randrange(8 if self.stormy else 2)
                self._parents[hash_] = (best, weight)
                self._insert(node, hash_)
                for other in self.nodes:
                    if other is not node and not self._apart(node.index, other.index):
                        self._deliver(other, hash_)

    def _deliver(self, node: Voter, hash_: Hash) -> None:
        """Delivers a block to a node some time later, or not at all."""
        if self.random.random() < self.loss:
            return
        life = node.life

        def arrive() -> None:
            if node.up and node.life == life:
                self._insert(node, hash_)

        self._at(self.random.uniform(0.02, 0.6), arrive)

    def _insert(self, node: Voter, hash_: Hash) -> None:
        """Imports a block and its ancestors, as a sync would."""
        missing = []
        while hash_ not in node.tree:
            missing.append(hash_)
            hash_ = self._parents[hash_][0]
        for one in reversed(missing):
            parent, weight = self._parents[one]
            node.tree.insert(one, parent, None, weight=weight)
            node.records.append({"kind": "block", "hash": one, "parent": parent, "weight": weight})
            node.grandpa.on_block(one, self.now)
        if missing:
            self._settle(node)

    def _fetch(self, node: Voter, hash_: Hash) -> None:
        """Fetches a block that the node has heard of from any reachable node that has it."""
        if not node.up or node is not self.nodes[node.index]:
            return
        holders = [one for one in self.nodes if one.up and not self._apart(one.index, node.index) and hash_ in one.tree]
        if holders:
            node.wanted.discard(hash_)
            self._insert(node, hash_)
        else:
            self._at(1.0, lambda: self._fetch(node, hash_))

    def _check(self, tree: Tree[Any], chain: list[Hash]) -> None:
        for hash_ in chain:
            number = tree.number(hash_)
            if self.final.setdefault(number, hash_) != hash_:
                raise AssertionError(f"safety broken: {hash_} and {self.final[number]} are final at {number}")
