"""A relay chain node: BABE authoring, GRANDPA, and a validator's work for parachains, on top of `chain`."""

from dataclasses import dataclass
from typing import Any

from orchestrator.genesis.header import Header
from simnode.core import babe
from simnode.core.babe import Claim
from simnode.core.candidates import Candidates
from simnode.core.chain import ChainNode, PeerInfo
from simnode.core.grandpa import Grandpa
from simnode.core.messages import (
    Block,
    Candidate,
    CatchUp,
    CatchUpRequest,
    Collation,
    Commit,
    Hash,
    Message,
    Status,
    Votes,
)  # fmt: skip
from simnode.state import extrinsics, inclusion
from simnode.state.port import Context, InvalidTransaction, RuntimePanic, State
from simnode.state.relay import GENESIS_SLOT, RelayChain, epoch_of, randomness
from simnode.state.storage import number_of


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """Settings from the chain spec and the command line. Times are in seconds; `gossip` is GRANDPA's T."""

    slot_duration: float
    authorities: int
    authority: int | None
    preparation: float = 1.0
    grandpa_threshold: int | None = None
    """Only the explorer sets it, to check that it would find a violation."""

    @property
    def gossip(self) -> float:
        return self.slot_duration / 6


class RelayNode(ChainNode):
    """The whole protocol of one node. The shell calls it and carries out the effects in `out`."""

    def __init__(self, rules: RelayChain, genesis: Header, config: RelayConfig) -> None:
        super().__init__(
            rules,
            genesis,
            slot_duration=config.slot_duration,
            authorities=config.authorities,
            authority=config.authority,
        )
        self.chain_rules = rules
        self.grandpa = Grandpa(
            self.tree,
            self.out,
            voters=config.authorities,
            authority=config.authority,
            gossip=config.gossip,
            on_final=self._on_final,
            wanted=lambda hash_, number, peer: self.sync.want(hash_, number, peer, self.now),
            needed=config.grandpa_threshold,
        )
        self.candidates = Candidates(
            self.out,
            rules.cores,
            self.state,
            authority=config.authority,
            slot_duration=config.slot_duration,
            preparation=config.preparation,
            peers=self.peers,
            submit=self._submit_own,
        )
        self.collations_sent = 0
        self._slot = 0
        self._best_seen = ""

    # Life

    def start(self, now: float) -> None:
        super().start(now)
        self.out.drain()  # The effects of replaying the database were carried out before the restart.
        self._slot = babe.slot_at(now, self.slot_duration)
        self.grandpa.start(now)
        self._after(now)

    def restore(self, record: dict[str, Any]) -> None:
        super().restore(record)
        self.grandpa.restore(record)
        self._choose(None)

    def wakeup(self) -> float:
        times = [super().wakeup(), (self._slot + 1) * self.slot_duration]
        times += [due for due in (self.grandpa.wakeup(), self.candidates.wakeup()) if due is not None]
        return min(times)

    def tick(self, now: float) -> None:
        super().tick(now)
        self.grandpa.on_timer(now)
        self.candidates.tick(now)
        slot = babe.slot_at(now, self.slot_duration)
        if slot > self._slot:
            # A process that was stopped may have missed slots. It authors at most for the current one.
            self._slot = slot
            self._author(slot)
        self._after(now)

    def connected(self, peer: str, info: PeerInfo, now: float) -> None:
        super().connected(peer, info, now)
        self.grandpa.peers[peer] = None

    def disconnected(self, peer: str, now: float) -> None:
        super().disconnected(peer, now)
        self.grandpa.peers.pop(peer, None)

    def receive(self, peer: str, message: Message, now: float) -> None:
        super().receive(peer, message, now)
        if isinstance(message, Status) and peer in self.peers:
            self.grandpa.on_status(peer, message, now)
        self._after(now)

    def receive_other(self, peer: str, message: Message, now: float) -> None:
        match message:
            case Votes():
                self.grandpa.on_votes(peer, message, now)
            case Commit():
                self.grandpa.on_commit(peer, message, now)
            case CatchUpRequest():
                self.grandpa.on_catch_up_request(peer, message)
            case CatchUp():
                self.grandpa.on_catch_up(peer, message, now)
            case _:
                self.candidates.receive(peer, message, now)

    def distribute(self, candidate: Candidate) -> int:
        """Sends a collation to the connected validators of its backing group. Returns how many got it."""
        state = self.state(candidate.relay_parent)
        if state is None:
            return 0
        group = self.chain_rules.cores.group_for(
            candidate.para_id, candidate.relay_parent_number, inclusion.session_start(state)
        )
        peers = [peer for peer, info in self.peers.items() if info.authority in group]
        for peer in peers:
            self.out.send(peer, Collation(candidate))
        self.collations_sent += len(peers)
        return len(peers)

    def status(self) -> Status:
        return Status(
            self.best,
            self.best_number,
            self.tree.finalized,
            self.tree.finalized_number,
            self.grandpa.round,
            self.grandpa.status_masks(),
        )

    # Blocks

    def read_claim(self, header: Header, parent: State, slot: int) -> Claim:
        claim = babe.read_babe(header)
        if claim.slot <= slot:
            raise ValueError(f"slot {claim.slot} is not after its parent's")
        value = self._randomness(parent, claim.slot)
        if claim.author >= self.authorities or claim != babe.babe_claim(
            value, claim.slot, claim.author, self.authorities
        ):
            raise ValueError(f"authority {claim.author} has no right to slot {claim.slot}")
        return claim

    def imported(self, block: Block, source: str | None) -> None:
        self._choose(block)
        if not self._restoring:
            self.sync.announce(block, source)
            self.grandpa.on_block(block.hash, self.now)

    def _randomness(self, parent: State, slot: int) -> bytes:
        genesis_slot = number_of(parent.get(GENESIS_SLOT), slot)
        return randomness(self.genesis_hash, epoch_of(slot, genesis_slot, self.chain_rules.epoch_duration))

    def _choose(self, block: Block | None) -> None:
        """Fork choice. The best block always descends from the finalised one."""
        best = self.tree.best_containing(self.tree.finalized)
        current = self.tree[best]
        if self.tree.is_ancestor(self.tree.finalized, self.best):
            held = self.tree[self.best]
            if (held.weight, held.number) >= (current.weight, current.number):
                best = self.best
        self.set_best(best, block)

    def _on_final(self, chain: list[Hash]) -> None:
        self.on_final(chain)
        self._choose(None)

    def _after(self, now: float) -> None:
        """Handles a new best block, after everything that came with it is imported."""
        if self.best != self._best_seen:
            self._best_seen = self.best
            self.candidates.on_best(self.best, self.best_number, now)

    def _submit_own(self, call: dict[str, Any]) -> None:
        try:
            self.submit(extrinsics.compose(call))
        except InvalidTransaction as error:
            self.out.log(f"Own transaction refused: {error}")

    # Authoring

    def _author(self, slot: int) -> None:
        if self.authority is None or slot <= self.authored_slot or self.major_syncing():
            return
        if self.authorities > 1 and not self.peers:
            return  # "Waiting for the network", as the client does.
        head = self.tree[self.best].content
        if head.claim is not None and head.claim.slot >= slot:
            return
        value = self._randomness(self.best_state, slot)
        claim = babe.babe_claim(value, slot, self.authority, self.authorities)
        if claim is None:
            return
        parent = self.best
        inherents = [
            extrinsics.compose(
                {"pallet": "Timestamp", "call": "set", "args": {"now": round(slot * self.slot_duration * 1000)}}
            ),
            self._para_inherent(parent, claim),
        ]
        built = self.build(parent, claim, babe.babe_log(claim, value), inherents)
        if built is not None:
            self.publish(built[0], claim)

    def _para_inherent(self, parent: Hash, claim: Claim) -> str:
        """The parachains' inherent, with the candidates that the state transition accepts in a trial."""
        bitfields, backable = self.candidates.bitfields(parent), self.candidates.backable()
        call: dict[str, Any] = {
            "pallet": "ParaInherent",
            "call": "enter",
            "args": {"bitfields": bitfields, "backed": [[one.to_wire(), votes] for one, votes in backable]},
        }
        state = self.state(parent)
        assert state is not None
        if backable:
            try:
                trial = self.chain_rules.begin(state, Context(self.tree.number(parent) + 1, parent, claim.slot))
                trial.apply(extrinsics.compose(call))
            except RuntimePanic:
                return extrinsics.compose(call)  # Building the block will report it.
            taken = {
                waiting.candidate.hash
                for para_id in self.chain_rules.cores.parachains
                if (waiting := inclusion.pending(trial.storage, para_id)) is not None
            }
            call["args"]["backed"] = [[one.to_wire(), votes] for one, votes in backable if one.hash in taken]
        return extrinsics.compose(call)
