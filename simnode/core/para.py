"""A parachain node with its embedded relay node: it follows what the relay chain includes, and collates if it may.

It authors like the lookahead collator: on every new relay block, at most one block ahead of what is not included yet.
So a parachain gets one block per relay block, and stops if the relay chain includes nothing
(`cumulus/client/consensus/aura/src/collators/lookahead.rs`).

If all nodes of a parachain lose a block, it is lost: it is not recovered from validators' chunks.
"""

from dataclasses import dataclass

from orchestrator.genesis.header import Header
from simnode.core import babe
from simnode.core.babe import Claim
from simnode.core.chain import ChainNode
from simnode.core.messages import Block, Candidate, Hash, Status
from simnode.core.relay import RelayNode
from simnode.state import extrinsics, inclusion, paras
from simnode.state.model import last_upgrade
from simnode.state.para import NEW_CODE, ParaChain, segment
from simnode.state.port import BlockOutcome, State

UNINCLUDED = 2
"""How many blocks may follow the last included one before the collator waits."""
_RECENT_LEAVES = 32
_ATTEMPTS = 2
"""How many blocks an author makes in its slot if the relay chain's head changes during it."""


@dataclass(frozen=True, slots=True)
class ParaConfig:
    para_id: int
    slot_duration: float
    authorities: int
    authority: int | None


class ParaNode(ChainNode):
    """The parachain's side of a collator or full node. The shell calls `follow` after every step of the relay node."""

    def __init__(self, rules: ParaChain, genesis: Header, config: ParaConfig, relay: RelayNode) -> None:
        super().__init__(
            rules,
            genesis,
            slot_duration=config.slot_duration,
            authorities=config.authorities,
            authority=config.authority,
        )
        self.para_id = config.para_id
        self.relay = relay
        self.generated = 0
        self.backed_after: list[float] = []
        """Seconds between building a block and seeing it backed. The shell takes the values away."""
        self.segment_sizes: list[int] = []
        """The length of the unincluded segment at each relay block. The shell takes the values away."""
        self._attempts: tuple[int, int] = (-1, 0)
        self._candidates: dict[Hash, tuple[Candidate, float]] = {}
        self._relay_seen = ("", "")
        self._included = self.tree.root

    def start(self, now: float) -> None:
        super().start(now)
        self._follow_final()
        self._choose(None)
        self.out.drain()

    def status(self) -> Status:
        """The status. GRANDPA's part is empty, because a parachain's finality is the relay chain's."""
        return Status(self.best, self.best_number, self.tree.finalized, self.tree.finalized_number, 0, (0, 0, 0, 0))

    def read_claim(self, header: Header, parent: State, slot: int) -> Claim:  # noqa: ARG002  Authors are fixed.
        claim = babe.read_aura(header, self.authorities)
        if claim.slot < slot:
            raise ValueError(f"slot {claim.slot} is before its parent's")
        return claim

    def imported(self, block: Block, source: str | None) -> None:
        if self._restoring:
            return
        self._follow_final()
        self._choose(block)
        self.sync.announce(block, source)

    def follow(self, now: float) -> bool:
        """Follows the relay node: included and final heads, and perhaps a slot in which to author."""
        seen = (self.relay.best, self.relay.tree.finalized)
        if seen == self._relay_seen:
            return False
        new_best = seen[0] != self._relay_seen[0]
        self._relay_seen = seen
        self._follow_final(now)
        self._choose(None)
        if new_best and not self.relay.major_syncing():
            self._watch_backing(now)
            self.segment_sizes.append(self.best_number - self.tree.number(self._included))
            self._author(now)
        return True

    # Following the relay chain

    def _follow_final(self, now: float | None = None) -> None:
        state = self.relay.state(self.relay.tree.finalized)
        head = None if state is None else self._head(state)
        if head is None:
            return
        hash_, number = head
        if hash_ in self.tree:
            if number > self.tree.finalized_number and self.tree.is_ancestor(self.tree.finalized, hash_):
                self.on_final(self.tree.finalize(hash_))
        elif now is not None:
            self.sync.want(hash_, number, None, now)

    def _head(self, state: State) -> tuple[Hash, int] | None:
        """The parachain's head in a relay state."""
        data = paras.head(state, self.para_id)
        if data is None:
            return None
        return inclusion.head_hash(data), Header.decode(bytes.fromhex(data[2:])).number

    def _choose(self, block: Block | None) -> None:
        """Fork choice: the included head, the pending candidate on it, then the longest chain that may be backed."""
        state = self.relay.best_state
        head = self._head(state)
        if head is None or head[0] not in self.tree:
            if head is not None and not self._restoring:
                self.sync.want(head[0], head[1], None, 0.0)
            self.set_best(self.best if self.best in self.tree else self.tree.root, block)
            return
        self._included = base = head[0]
        waiting = inclusion.pending(state, self.para_id)
        if waiting is not None and waiting.candidate.head_hash in self.tree:
            base = waiting.candidate.head_hash
        best = base
        # While the relay chain includes nothing, attempts accumulate. Only the latest can still be backed.
        for leaf in self.tree.leaves()[-_RECENT_LEAVES:]:
            if self.tree.is_ancestor(base, leaf):
                top = self._viable(base, leaf)
                if self.tree.number(top) > self.tree.number(best):
                    best = top
        if self.tree.is_ancestor(self.tree.finalized, best) and self.tree[best].content.state is not None:
            self.set_best(best, block)

    def _viable(self, base: Hash, leaf: Hash) -> Hash:
        """The highest block on the way from `base` to `leaf` that the relay chain may still back."""
        at = base
        for number in range(self.tree.number(base) + 1, self.tree.number(leaf) + 1):
            step = self.tree.ancestor(leaf, number)
            assert step is not None
            if not self._may_be_backed(self.tree[step].content.block):
                break
            at = step
        return at

    def _may_be_backed(self, block: Block) -> bool:
        args = extrinsics.parse(block.body[1]).call["args"]
        allowed = self.relay.chain_rules.cores.config.allowed_ancestry_len
        recent: bool = args["relay_parent_number"] > self.relay.best_number - allowed
        return recent and self.relay.hash_at(args["relay_parent_number"]) == str(args["relay_parent"])

    def _watch_backing(self, now: float) -> None:
        """Records which of the node's own candidates were backed, and sends the others again."""
        waiting = inclusion.pending(self.relay.best_state, self.para_id)
        for hash_, (candidate, built) in list(self._candidates.items()):
            if waiting is not None and waiting.candidate.hash == hash_:
                self.backed_after.append(now - built)
                del self._candidates[hash_]
            elif not self._may_be_backed(self.tree[candidate.head_hash].content.block):
                del self._candidates[hash_]
            else:
                self.relay.distribute(candidate)

    # Collating

    def _author(self, now: float) -> None:
        head = self.relay.tree[self.relay.best].content
        if self.authority is None or head.claim is None or head.state is None:
            return
        slot = int(head.claim.slot * self.relay.slot_duration / self.slot_duration + 1e-6)
        claim = babe.aura_claim(slot, self.authority, self.authorities)
        attempts = self._attempts[1] + 1 if self._attempts[0] == slot else 1
        if claim is None or attempts > _ATTEMPTS or babe.slot_at(now, self.slot_duration) > slot + 1:
            return
        if self.best_number - self.tree.number(self._included) >= UNINCLUDED:
            return
        parent = self.best
        included = self._head(head.state)
        if included is None or included[0] not in self.tree:
            return
        self._attempts = (slot, attempts)
        inherents = self._inherents(slot, head.state, included[1])
        built = self.build(parent, claim, babe.aura_log(claim), inherents)
        if built is None or not self.publish(built[0], claim):
            return
        candidate = self._candidate(parent, built[0], built[1], head.state)
        if candidate is not None:
            self.generated += 1
            self._candidates[candidate.hash] = (candidate, now)
            self.relay.distribute(candidate)

    def _inherents(self, slot: int, relay_state: State, included: int) -> list[str]:
        data = {
            "relay_parent": self.relay.best,
            "relay_parent_number": self.relay.best_number,
            "go_ahead": paras.go_ahead(relay_state, self.para_id),
            "restricted": paras.restricted(relay_state, self.para_id),
            "included": included,
        }
        return [
            extrinsics.compose(
                {"pallet": "Timestamp", "call": "set", "args": {"now": round(slot * self.slot_duration * 1000)}}
            ),
            extrinsics.compose({"pallet": "ParachainSystem", "call": "set_validation_data", "args": data}),
        ]

    def _candidate(self, parent: Hash, block: Block, outcome: BlockOutcome, relay_state: State) -> Candidate | None:
        before = self.tree[parent].content.state
        assert before is not None
        # An ancestor that is not included yet and consumed the go-ahead has changed the code before this one counts.
        changed = any(entry[1] == paras.GO_AHEAD for entry in segment(outcome.state)[:-1])
        future = paras.future_code_hash(relay_state, self.para_id) if changed else None
        code_hash = future or paras.current_code_hash(relay_state, self.para_id)
        new_code = outcome.state.get(NEW_CODE)
        if code_hash is None or self.authority is None:
            return None
        return Candidate(
            para_id=self.para_id,
            relay_parent=self.relay.best,
            relay_parent_number=self.relay.best_number,
            parent_head=parent,
            head="0x" + block.header.encode().hex(),
            number=block.number,
            code_hash=code_hash,
            new_code=None if new_code is None else "0x" + new_code.hex(),
            migrates=last_upgrade(before) != last_upgrade(outcome.state),
            collator=self.authority,
        )
