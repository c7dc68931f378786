"""GRANDPA: which votes a node casts, when its round ends, and which blocks are final. Full nodes do not vote.

It follows section 2.5 of the paper, without the primary's proposal, which only saves a round in rare races. The voting
rules are the client's defaults: two blocks below the best, and at most three quarters of the unfinalised chain
(`client/consensus/grandpa/src/voting_rule.rs`). Therefore finality is two or three blocks behind.

`Status` repairs lost messages. Each peer says which votes it has and gets the others. A peer that is rounds behind asks
to catch up. A peer whose finality is behind gets the last commit. So finality recovers after any partition or restart.
"""

from collections.abc import Callable
from typing import Any

from simnode.core.messages import PRECOMMIT, PREVOTE, CatchUp, CatchUpRequest, Commit, Hash, Status, Vote, Votes
from simnode.core.outbox import Outbox
from simnode.core.rounds import Round, threshold
from simnode.core.tree import Tree

BEHIND_BEST = 2
_KEPT_ROUNDS = 8
_PENDING_LIMIT = 2048


class Grandpa:
    """One node's part. `authority` is its index among the voters. None for a node that only follows.

    `gossip` is the paper's T, in seconds: prevotes are cast 2T after a round begins, precommits 4T. The client has one
    second for slots of six seconds.
    """

    def __init__(
        self,
        tree: Tree[Any],
        outbox: Outbox,
        *,
        voters: int,
        authority: int | None,
        gossip: float,
        on_final: Callable[[list[Hash]], None],
        wanted: Callable[[Hash, int, str | None], None],
        needed: int | None = None,
    ) -> None:
        self.voters = voters
        self.authority = authority
        self._gossip = gossip
        self._tree = tree
        self._out = outbox
        self._on_final = on_final
        self._wanted = wanted
        self._needed = needed
        self.peers: dict[str, Status | None] = {}
        self.rounds: dict[int, Round] = {}
        self.round = 0
        self.commit: Commit | None = None
        self.counted = [0, 0]
        """Prevotes and precommits cast since the process started."""
        self._cast: dict[tuple[int, int], Vote] = {}
        self._timers: list[float] = []
        self._flush: list[tuple[Vote, str]] = []
        self._flush_at: float | None = None
        self._pending: dict[Hash, list[Vote]] = {}
        self._pending_commits: list[Commit] = []
        self._asked: dict[str, float] = {}

    def start(self, now: float) -> None:
        """Begins the first round; after a restart, the round after the last completed one."""
        if self.round == 0:
            self.rounds[0] = self._new_round(0)
            self._begin(1, now)
        else:
            self._begin(self.round, now)
        self.advance(now)

    def restore(self, record: dict[str, Any]) -> None:
        """Restores its own record from before a restart, so that it never votes twice."""
        if record["kind"] == "vote":
            vote = Vote(*record["vote"])
            self._cast[vote.round, vote.phase] = vote
        elif record["kind"] == "round":
            votes = [Vote(*item) for item in record["votes"]]
            if all(vote.hash in self._tree for vote in votes):
                self._complete(record["round"], votes)
        elif record["kind"] == "final":
            commit = Commit.from_wire(record["commit"])
            if commit.hash in self._tree and self._tree.is_ancestor(self._tree.finalized, commit.hash):
                self.commit = commit
                self._on_final(self._tree.finalize(commit.hash))

    def wakeup(self) -> float | None:
        """When the next timer is due. None if there is none."""
        times = []
        if self._flush_at is not None:
            times.append(self._flush_at)
        if self._timers and self.authority is not None:
            times.append(self._timers[0])
        return min(times, default=None)

    def on_timer(self, now: float) -> None:
        if self._flush_at is not None and now >= self._flush_at:
            self._forward()
        self.advance(now)

    # Messages

    def on_votes(self, peer: str, message: Votes, now: float) -> None:
        for vote in message.votes:
            self._receive(vote, peer)
        self._schedule_forward(now)
        self.advance(now)

    def on_status(self, peer: str, status: Status, now: float) -> None:
        """Sends what a peer's status lacks, and asks for what this node lacks."""
        self.peers[peer] = status
        if status.round >= self.round + 2:
            if now - self._asked.get(peer, -1e9) > 2 * self._gossip + 0.5:
                self._asked[peer] = now
                self._out.send(peer, CatchUpRequest(status.round - 1))
        else:
            votes = [
                vote
                for round_, masks in ((status.round, status.masks[:2]), (status.round - 1, status.masks[2:]))
                if round_ in self.rounds
                for vote in self.rounds[round_].votes()
                if not masks[vote.phase] >> vote.authority & 1
            ]
            if votes:
                self._out.send(peer, Votes(tuple(votes)))
        if self.commit is not None and status.finalized_number < self.commit.number:
            self._out.send(peer, self.commit)

    def on_commit(self, peer: str, commit: Commit, now: float) -> None:
        """Handles another node's proof of finality: its precommits."""
        if commit.number <= self._tree.finalized_number or not self._proves(commit):
            return
        if commit.hash in self._tree:
            self._finalize(commit, forward=peer)
            self.advance(now)
        else:
            self._pending_commits = [*self._pending_commits[-7:], commit]
            self._wanted(commit.hash, commit.number, peer)

    def on_catch_up_request(self, peer: str, request: CatchUpRequest) -> None:
        if request.round in self.rounds and request.round < self.round:
            self._out.send(peer, CatchUp(request.round, tuple(self.rounds[request.round].votes())))

    def on_catch_up(self, peer: str, message: CatchUp, now: float) -> None:
        """Jumps to the round after one that its votes show to be completable."""
        if message.round < self.round:
            return
        for vote in message.votes:
            if vote.hash not in self._tree:
                self._wanted(vote.hash, vote.number, peer)
                return
        trial = self._new_round(message.round)
        for vote in message.votes:
            trial.add(vote)
        if trial.completable:
            votes = [list(vote) for vote in message.votes]
            self._out.persist({"kind": "round", "round": message.round, "votes": votes})
            self._complete(message.round, list(message.votes))
            self._begin(self.round, now)
            self.advance(now)

    def on_block(self, hash_: Hash, now: float) -> None:
        """Handles an imported block: votes and commits that waited for it count now."""
        for vote in self._pending.pop(hash_, ()):
            self._receive(vote, "")
        waiting = [commit for commit in self._pending_commits if commit.hash == hash_]
        for commit in waiting:
            self._pending_commits.remove(commit)
            self.on_commit("", commit, now)
        self._schedule_forward(now)
        self.advance(now)

    def status_masks(self) -> tuple[int, int, int, int]:
        current, before = self.rounds.get(self.round), self.rounds.get(self.round - 1)
        return (
            current.mask(PREVOTE) if current else 0,
            current.mask(PRECOMMIT) if current else 0,
            before.mask(PREVOTE) if before else 0,
            before.mask(PRECOMMIT) if before else 0,
        )

    # The rules

    def advance(self, now: float) -> None:
        """Casts all votes that may be cast, and ends all rounds that may end."""
        if not self.round:
            return
        while True:
            while self._timers and now >= self._timers[0]:
                del self._timers[0]
            current = self.rounds[self.round]
            self._vote(current)
            for known in (self.rounds.get(self.round - 1), current):
                if known is not None:
                    self._check_final(known)
            if not current.completable or not self._voted():
                return
            votes = [list(vote) for vote in current.votes()]
            self._out.persist({"kind": "round", "round": self.round, "votes": votes})
            self._begin(self.round + 1, now)

    def _voted(self) -> bool:
        return self.authority is None or (self.round, PRECOMMIT) in self._cast

    def _vote(self, current: Round) -> None:
        if self.authority is None:
            return
        before = self.rounds[self.round - 1]
        estimate = before.estimate if before.number else self._tree.root
        if estimate is None:
            return
        if (self.round, PREVOTE) not in self._cast and (len(self._timers) < 2 or current.completable):
            self._send_vote(PREVOTE, self._target(estimate))
        if (self.round, PREVOTE) not in self._cast or (self.round, PRECOMMIT) in self._cast:
            return
        ghost = current.ghost
        if ghost is not None and self._tree.is_ancestor(estimate, ghost) and (not self._timers or current.completable):
            self._send_vote(PRECOMMIT, ghost)

    def _target(self, estimate: Hash) -> Hash:
        """The block to prevote for: on the best chain above the last estimate, limited by the voting rules."""
        base = estimate if self._tree.is_ancestor(self._tree.finalized, estimate) else self._tree.finalized
        best = self._tree.best_containing(base)
        number, final = self._tree.number(best), self._tree.finalized_number
        limit = min(number - BEHIND_BEST, final + ((number - final) * 3 + 2) // 4)
        return self._tree.ancestor(best, max(limit, self._tree.number(base))) or base

    def _send_vote(self, phase: int, target: Hash) -> None:
        assert self.authority is not None
        vote = Vote(self.round, phase, self.authority, target, self._tree.number(target))
        self._out.persist({"kind": "vote", "vote": list(vote)})
        self._cast[self.round, phase] = vote
        self.counted[phase] += 1
        self.rounds[self.round].add(vote)
        for peer in self.peers:
            self._out.send(peer, Votes((vote,)))

    def _begin(self, number: int, now: float) -> None:
        self.round = number
        self._timers = [now + 2 * self._gossip, now + 4 * self._gossip]
        self.rounds.setdefault(number, self._new_round(number))
        self._forget(number)
        self._cast = {key: vote for key, vote in self._cast.items() if key[0] >= number - 1}
        for phase in (PREVOTE, PRECOMMIT):
            if (number, phase) in self._cast:
                self.rounds[number].add(self._cast[number, phase])
        waiting = [vote for votes in self._pending.values() for vote in votes if vote.round >= number - 1]
        self._pending = {}
        for vote in waiting:
            self._receive(vote, "")

    def _forget(self, number: int) -> None:
        for old in [old for old in self.rounds if old < number - _KEPT_ROUNDS]:
            del self.rounds[old]

    def _complete(self, number: int, votes: list[Vote]) -> None:
        """Stores a completed round, so that the next one can begin."""
        known = self.rounds.setdefault(number, self._new_round(number))
        for vote in votes:
            known.add(vote)
        self.round = number + 1
        self._forget(self.round)
        self._check_final(known)

    def _new_round(self, number: int) -> Round:
        return Round(number, self.voters, self._tree, needed=self._needed)

    def _receive(self, vote: Vote, peer: str) -> None:
        """Counts a vote, or keeps it until its block is here."""
        if not 0 <= vote.authority < self.voters or vote.round < self.round - 1:
            return
        if vote.hash not in self._tree or vote.round > self.round:
            if vote.number > self._tree.finalized_number and sum(map(len, self._pending.values())) < _PENDING_LIMIT:
                waiting = self._pending.setdefault(vote.hash, [])
                if vote not in waiting:
                    waiting.append(vote)
                if vote.hash not in self._tree:
                    self._wanted(vote.hash, vote.number, peer or None)
            return
        if self.rounds[vote.round].add(vote):
            self._flush.append((vote, peer))

    def _schedule_forward(self, now: float) -> None:
        if self._flush and self._flush_at is None:
            self._flush_at = now + 0.1

    def _forward(self) -> None:
        """Forwards others' votes, one message per peer, so that they reach nodes that the voter cannot reach."""
        flush, self._flush, self._flush_at = self._flush, [], None
        for peer, status in self.peers.items():
            votes = tuple(vote for vote, source in flush if source != peer and not _has(status, vote))
            if votes:
                self._out.send(peer, Votes(votes))

    def _check_final(self, known: Round) -> None:
        final = known.final
        if final is None or self._tree.is_ancestor(final, self._tree.finalized):
            return
        above: list[Vote] = []
        ancestry: dict[Hash, Hash] = {}
        for vote in known.precommits():
            if self._tree.is_ancestor(final, vote.hash):
                above.append(vote)
                at = vote.hash
                while at != final:
                    ancestry[at] = self._tree[at].parent
                    at = ancestry[at]
            elif len(known.of(PRECOMMIT, vote.authority)) > 1:
                above.append(vote)  # A voter that votes twice counts for every block.
        commit = Commit(
            known.number, final, self._tree.number(final), tuple(sorted(above)), tuple(sorted(ancestry.items()))
        )
        self._finalize(commit, forward=None)

    def _finalize(self, commit: Commit, *, forward: str | None) -> None:
        """Finalises a block and tells the peers that may not know it."""
        self.commit = commit
        self._out.persist({"kind": "final", "commit": commit.to_wire()[1:]})
        self._on_final(self._tree.finalize(commit.hash))
        for peer, status in self.peers.items():
            if peer != forward and status is not None and status.round < commit.round:
                self._out.send(peer, commit)

    def _proves(self, commit: Commit) -> bool:
        """Whether enough voters precommitted for the block or above it."""
        parents = dict(commit.ancestry)
        behind: set[int] = set()
        targets: dict[int, set[Hash]] = {}
        for vote in commit.precommits:
            if vote.phase != PRECOMMIT or vote.round != commit.round or not 0 <= vote.authority < self.voters:
                return False
            at: Hash | None = vote.hash
            while at is not None and at != commit.hash:
                at = parents.get(at)
            targets.setdefault(vote.authority, set()).add(vote.hash)
            if at is not None or len(targets[vote.authority]) > 1:
                behind.add(vote.authority)
        return len(behind) >= (self._needed or threshold(self.voters))


def _has(status: Status | None, vote: Vote) -> bool:
    """Whether a peer's last status says that it has a vote or does not need it."""
    if status is None:
        return False
    masks = status.masks[:2] if status.round == vote.round else status.masks[2:]
    return status.round in {vote.round, vote.round + 1} and bool(masks[vote.phase] >> vote.authority & 1)
