"""One round of GRANDPA as one node sees it: which votes it has, and what follows from them.

The definitions are those of the paper ("GRANDPA: a Byzantine finality gadget", sections 2.1 to 2.4), including
equivocations, because a validator that lost its database may vote twice. Votes for unknown blocks are kept elsewhere.
"""

from typing import Any

from simnode.core.messages import PRECOMMIT, PREVOTE, Hash, Vote
from simnode.core.tree import Tree


def threshold(voters: int) -> int:
    """How many voters are a supermajority: all except the (n - 1) // 3 that may be faulty."""
    return voters - (voters - 1) // 3


class Round:
    """The votes of one round. Every vote is for a descendant of the tree's root."""

    def __init__(self, number: int, voters: int, tree: Tree[Any], *, needed: int | None = None) -> None:
        self.number = number
        self.voters = voters
        self.needed = threshold(voters) if needed is None else needed
        self._tree = tree
        self._votes: tuple[dict[int, list[Vote]], dict[int, list[Vote]]] = ({}, {})
        self._stale = True
        self._ghost: Hash | None = None
        self._estimate: Hash | None = None
        self._completable = False
        self._final: Hash | None = None

    def add(self, vote: Vote) -> bool:
        """Counts a vote. Returns False if it adds nothing, like a third vote of an equivocator."""
        cast = self._votes[vote.phase].setdefault(vote.authority, [])
        if len(cast) == 2 or any(other.hash == vote.hash for other in cast):
            return False
        cast.append(vote)
        self._stale = True
        return True

    def votes(self) -> list[Vote]:
        return [vote for phase in self._votes for cast in phase.values() for vote in cast]

    def precommits(self) -> list[Vote]:
        return [vote for cast in self._votes[PRECOMMIT].values() for vote in cast]

    def of(self, phase: int, authority: int) -> list[Vote]:
        return self._votes[phase].get(authority, [])

    def seen(self, phase: int) -> int:
        """How many voters have voted."""
        return len(self._votes[phase])

    def mask(self, phase: int) -> int:
        mask = 0
        for authority in self._votes[phase]:
            mask |= 1 << authority
        return mask

    def missing(self, phase: int) -> list[int]:
        return [authority for authority in range(self.voters) if authority not in self._votes[phase]]

    @property
    def ghost(self) -> Hash | None:
        """The highest block with a supermajority of prevotes."""
        self._refresh()
        return self._ghost

    @property
    def estimate(self) -> Hash | None:
        """The highest block that may yet be finalised in this round, as far as this node can tell."""
        self._refresh()
        return self._estimate

    @property
    def completable(self) -> bool:
        """Whether no block above the estimate can be finalised in this round any more."""
        self._refresh()
        return self._completable

    @property
    def final(self) -> Hash | None:
        """The highest block with a supermajority of precommits."""
        self._refresh()
        return self._final

    def _refresh(self) -> None:
        if not self._stale:
            return
        self._stale = False
        self._ghost = self._highest(self._votes[PREVOTE])
        self._final = self._highest(self._votes[PRECOMMIT])
        if self._ghost is None:
            self._estimate, self._completable = None, False
        elif self.seen(PRECOMMIT) < self.needed:
            # The missing votes could still finalise any block above, so the round cannot end yet.
            self._estimate, self._completable = self._ghost, False
        else:
            self._estimate = self._highest_possible(self._ghost)
            self._completable = self._estimate is not None and (
                self._estimate != self._ghost or not self._child_possible(self._ghost)
            )

    def _behind(self, votes: dict[int, list[Vote]], block: Hash) -> int:
        """How many voters support a block: those that voted for it or a descendant, and every equivocator."""
        return sum(len(cast) > 1 or self._tree.is_ancestor(block, cast[0].hash) for cast in votes.values())

    def _highest(self, votes: dict[int, list[Vote]]) -> Hash | None:
        """The highest block with a supermajority. A binary search, because support never grows with the height."""
        if len(votes) < self.needed:
            return None
        single = [cast[0].hash for cast in votes.values() if len(cast) == 1]
        equivocators = len(votes) - len(single)
        low = self._tree.number(self._tree.root)
        found = self._tree.root
        high = max((self._tree.number(hash_) for hash_ in single), default=low)
        while low < high:
            middle = (low + high + 1) // 2
            counts: dict[Hash, int] = {}
            for hash_ in single:
                block = self._tree.ancestor(hash_, middle)
                if block is not None:
                    counts[block] = counts.get(block, 0) + 1
            best = max(counts, key=lambda block: (counts[block], block), default=None)
            if best is not None and counts[best] + equivocators >= self.needed:
                low, found = middle, best
            else:
                high = middle - 1
        return found

    def _possible(self, block: Hash) -> bool:
        """Whether a supermajority of precommits for a block is still possible.

        All missing voters may vote for it, and as many voters as the protocol tolerates may equivocate.
        """
        return self._may_reach(self._behind(self._votes[PRECOMMIT], block))

    def _may_reach(self, behind: int) -> bool:
        votes = self._votes[PRECOMMIT]
        equivocators = sum(len(cast) > 1 for cast in votes.values())
        tolerated = max(0, self.voters - self.needed - equivocators)
        return behind + (self.voters - len(votes)) + min(len(votes) - behind, tolerated) >= self.needed

    def _highest_possible(self, ghost: Hash) -> Hash | None:
        low, high = self._tree.number(self._tree.root), self._tree.number(ghost)
        if not self._possible(self._tree.root):
            return None
        while low < high:
            middle = (low + high + 1) // 2
            block = self._tree.ancestor(ghost, middle)
            assert block is not None
            if self._possible(block):
                low = middle
            else:
                high = middle - 1
        return self._tree.ancestor(ghost, low)

    def _child_possible(self, ghost: Hash) -> bool:
        """Whether any child of a block, known or not, may still be finalised."""
        if self._may_reach(sum(len(cast) > 1 for cast in self._votes[PRECOMMIT].values())):
            return True
        above = self._tree.number(ghost) + 1
        cast = [votes[0].hash for votes in self._votes[PRECOMMIT].values()]
        heads = {hash_ for hash_ in cast if self._tree.is_ancestor(ghost, hash_)}
        children = {self._tree.ancestor(head, above) for head in heads}
        return any(child is not None and self._possible(child) for child in children)
