"""The common part of relay and parachain nodes: a tree of executed blocks, sync, a pool, peers, and a status."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.genesis.header import EMPTY_TRIE_ROOT, Header, blake2_256
from simnode.core.babe import Claim, slot_at
from simnode.core.messages import (
    Announce,
    Block,
    BlockRequest,
    BlockResponse,
    Hash,
    Message,
    NewBlock,
    Status,
    Transactions,
)  # fmt: skip
from simnode.core.outbox import Outbox
from simnode.core.pool import Pool
from simnode.core.sync import MAJOR_SYNC, Sync
from simnode.core.tree import Tree
from simnode.state.port import BlockOutcome, Context, Event, InvalidTransaction, RuntimePanic, State, StateTransition

STATUS_INTERVAL = 1.0
STATE_PRUNING = 256
"""The number of finalised blocks whose state is kept, like `--state-pruning 256`."""


@dataclass(slots=True)
class Imported:
    """A block in the tree. Its state is None once it is pruned."""

    block: Block
    claim: Claim | None
    state: State | None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """What a peer said when it connected: its index among the relay chain's validators, if it is one."""

    role: str
    authority: int | None


class BadBlock(Exception):  # noqa: N818  The client's own word.
    """A block that breaks a rule. The text is the result that the import queue counts."""


class ChainNode:
    """The common part of a node. `simnode.core.relay` and `simnode.core.para` complete it."""

    def __init__(
        self,
        rules: StateTransition,
        genesis: Header,
        *,
        slot_duration: float,
        authorities: int,
        authority: int | None,
    ) -> None:
        self.rules = rules
        self.slot_duration = slot_duration
        self.authorities = authorities
        self.authority = authority
        self.out = Outbox()
        root = Block(genesis, ())
        self.genesis_hash = root.hash
        self.tree: Tree[Imported] = Tree(root.hash, 0, Imported(root, None, rules.genesis()))
        self.sync = Sync(self.tree, self.out, lambda hash_: self.tree[hash_].content.block, self._import)
        self.pool = Pool(rules)
        self.peers: dict[str, PeerInfo] = {}
        self.best = root.hash
        self.authored = 0
        self.authored_slot = -1
        self.stopwatch: Callable[[], float] = lambda: 0.0
        """The shell's clock, to measure how long building takes. No decision depends on it."""
        self.construction: list[float] = []
        self.now = 0.0
        """The last time that the shell passed in."""
        self._status_at = 0.0
        self._pruned = 0
        self._restoring = False

    # What a relay or parachain node does in its own way.

    def read_claim(self, header: Header, parent: State, slot: int) -> Claim:
        """Checks and returns the claim in a header.

        Raises:
            ValueError: the author has no right to the slot.
        """
        raise NotImplementedError

    def status(self) -> Status:
        raise NotImplementedError

    def imported(self, block: Block, source: str | None) -> None:
        """Called after each import."""
        raise NotImplementedError

    def idle_line(self, peers: int) -> str:
        """The status line that is logged every few seconds."""
        kind = "⚙️  Syncing" if self.major_syncing() else "💤 Idle"
        return (
            f"{kind} ({peers} peers), best: #{self.best_number} ({short(self.best)}), "
            f"finalized #{self.tree.finalized_number} ({short(self.tree.finalized)})"
        )

    # Life

    def start(self, now: float) -> None:
        self.now = self._status_at = now

    def restore(self, record: dict[str, Any]) -> None:
        """Restores one record from before a restart."""
        if record["kind"] == "block":
            self._restoring = True
            block = Block.from_wire(record["block"])
            if block.parent in self.tree and block.hash not in self.tree:
                self._import(block, None)
            self._restoring = False

    def wakeup(self) -> float:
        """The latest time of the next call of `tick`."""
        due = self.sync.wakeup()
        return self._status_at if due is None else min(due, self._status_at)

    def tick(self, now: float) -> None:
        self.now = now
        if now >= self._status_at:
            self._status_at = now + STATUS_INTERVAL
            status = self.status()
            for peer in self.peers:
                self.out.send(peer, status)
        self.sync.on_timer(now)

    def connected(self, peer: str, info: PeerInfo, now: float) -> None:
        self.now = now
        self.peers[peer] = info
        self.sync.connected(peer)
        self.out.send(peer, self.status())
        if self.pool.ready:
            self.out.send(peer, Transactions(tuple(self.pool.ready)))

    def disconnected(self, peer: str, now: float) -> None:
        self.now = now
        self.peers.pop(peer, None)
        self.sync.disconnected(peer)

    def receive(self, peer: str, message: Message, now: float) -> None:
        """Handles a message from a connected peer."""
        self.now = now
        if peer not in self.peers:
            return
        match message:
            case NewBlock():
                if message.block.hash not in self.tree:
                    self.sync.seen(peer, message.block.hash, message.block.number, now)
                    self.sync.on_block(peer, message.block, now)
            case Announce():
                self.sync.seen(peer, message.hash, message.number, now)
            case BlockRequest():
                self.sync.on_request(peer, message)
            case BlockResponse():
                self.sync.on_response(peer, message, now)
            case Status():
                self.sync.seen(peer, message.best, message.best_number, now)
            case Transactions():
                self._gossip(message.extrinsics, peer)
            case _:
                self.receive_other(peer, message, now)

    def receive_other(self, peer: str, message: Message, now: float) -> None:
        """Handles a message that only one kind of node knows."""

    # Reading

    def state(self, hash_: Hash) -> State | None:
        entry = self.tree.get(hash_)
        return None if entry is None else entry.content.state

    @property
    def best_state(self) -> State:
        state = self.tree[self.best].content.state
        assert state is not None
        return state

    @property
    def best_number(self) -> int:
        return self.tree.number(self.best)

    def major_syncing(self) -> bool:
        return self.sync.target() > self.best_number + MAJOR_SYNC

    def hash_at(self, number: int) -> Hash | None:
        """The block at a height of the best chain."""
        return self.tree.ancestor(self.best, number) if 0 <= number <= self.best_number else None

    # Transactions

    def submit(self, extrinsic: str) -> Hash:
        """Accepts an extrinsic from RPC. Returns its hash.

        Raises:
            InvalidTransaction: it can be in no block.
        """
        hash_ = self.pool.submit(extrinsic, self.best_state, self.best_number)
        if hash_ is None:
            raise InvalidTransaction("Already imported")
        self._spread((extrinsic,), None)
        return hash_

    def _gossip(self, extrinsics: tuple[str, ...], source: str) -> None:
        new = []
        for extrinsic in extrinsics:
            try:
                if self.pool.submit(extrinsic, self.best_state, self.best_number) is not None:
                    new.append(extrinsic)
            except InvalidTransaction:
                continue
        if new:
            self._spread(tuple(new), source)

    def _spread(self, extrinsics: tuple[str, ...], source: str | None) -> None:
        for peer in self.peers:
            if peer != source:
                self.out.send(peer, Transactions(extrinsics))

    # Blocks

    def _import(self, block: Block, source: str | None) -> str:
        """Verifies and executes a block whose parent is known."""
        try:
            entry = self._execute(block)
        except BadBlock as error:
            return str(error)
        weight = int(entry.claim is not None and entry.claim.primary)
        self.tree.insert(block.hash, block.parent, entry, weight=weight)
        if not self._restoring:
            self.out.persist({"kind": "block", "block": block.to_wire()})
        elif entry.claim is not None and entry.claim.author == self.authority:
            self.authored_slot = max(self.authored_slot, entry.claim.slot)
        self.imported(block, source)
        return "success"

    def _execute(self, block: Block) -> Imported:
        parent = self.tree[block.parent].content
        if parent.state is None:
            raise BadBlock("missing_state")
        try:
            claim = self.read_claim(block.header, parent.state, -1 if parent.claim is None else parent.claim.slot)
        except ValueError as error:
            self.out.log(f"💔 Verification failed for block {block.hash}: {error}")
            raise BadBlock("verification_failed") from error
        # Two clocks may differ by at most one slot (`TooFarInFuture` in the client).
        if not self._restoring and claim.slot > slot_at(self.now, self.slot_duration) + 1:
            raise BadBlock("verification_failed")
        try:
            execution = self.rules.begin(parent.state, Context(block.number, block.parent, claim.slot))
            for extrinsic in block.body:
                execution.apply(extrinsic)
            outcome = execution.finish()
        except (RuntimePanic, InvalidTransaction) as error:
            self.out.log(f"💔 Error importing block {block.hash}: {error}")
            raise BadBlock("failed") from error
        roots = (block.header.state_root, block.header.extrinsics_root)
        if roots != (outcome.state.root, extrinsics_root(block.body)):
            raise BadBlock("bad_block")
        return Imported(block, claim, outcome.state, outcome.events)

    def build(self, parent: Hash, claim: Claim, log: bytes, inherents: list[str]) -> tuple[Block, BlockOutcome] | None:
        """Builds a block. Returns None and logs a line if the runtime panics."""
        state = self.tree[parent].content.state
        assert state is not None
        number = self.tree.number(parent) + 1
        body = list(inherents)
        began = self.stopwatch()
        try:
            execution = self.rules.begin(state, Context(number, parent, claim.slot))
            for extrinsic in inherents:
                execution.apply(extrinsic)
            for extrinsic in self.pool.candidates():
                try:
                    execution.apply(extrinsic)
                except InvalidTransaction:
                    continue
                body.append(extrinsic)
            outcome = execution.finish()
        except RuntimePanic as error:
            self.out.log(f"❌ Error at building block #{number} on {short(parent)}: {error}")
            return None
        header = Header(
            bytes.fromhex(parent[2:]), number, outcome.state.root, extrinsics_root(tuple(body)), (log, *outcome.logs)
        )
        block = Block(header, tuple(body))
        self.construction.append(self.stopwatch() - began)
        self.out.log(f"🎁 Prepared block for proposing at {number} [hash: {block.hash}; extrinsics: {len(body)}]")
        return block, outcome

    def publish(self, block: Block, claim: Claim) -> bool:
        """Imports its own block and sends it to all peers."""
        self.authored_slot = max(self.authored_slot, claim.slot)
        if self._import(block, "") != "success":
            return False
        self.authored += 1
        for peer in self.peers:
            self.out.send(peer, NewBlock(block))
        return True

    def set_best(self, best: Hash, block: Block | None) -> None:
        """Sets a new best block, and logs it as the client does."""
        old, self.best = self.best, best
        if self._restoring:
            return
        if old != best and not self.tree.is_ancestor(old, best):
            common = self.tree.common_ancestor(old, best)
            self.out.log(
                f"♻️  Reorg on #{self.tree.number(old)},{short(old)} to #{self.best_number},{short(best)}, "
                f"common ancestor #{self.tree.number(common)},{short(common)}"
            )
        if block is not None:
            sign = "🏆" if best == block.hash else "🆕"
            self.out.log(f"{sign} Imported #{block.number} ({short(block.parent)} → {short(block.hash)})")
        if old != best:
            self.pool.refresh(self.best_state, self.best_number)

    def on_final(self, chain: list[Hash]) -> None:
        """Handles newly final blocks: frees what is not needed any more."""
        for hash_ in chain:
            self.pool.finalized(self.tree[hash_].content.block.body)
        keep = self.tree.finalized_number - STATE_PRUNING
        while self._pruned < keep:
            hash_ = self.tree.canonical[self._pruned]
            content = self.tree[hash_].content
            content.state, content.events = None, ()
            self._pruned += 1


def extrinsics_root(body: tuple[str, ...]) -> bytes:
    """The hash of all extrinsics. A real root is that of a trie over them."""
    return blake2_256("".join(body).encode()) if body else EMPTY_TRIE_ROOT


def short(hash_: Hash) -> str:
    """A hash, shortened for logs."""
    return f"{hash_[:6]}…{hash_[-4:]}"
