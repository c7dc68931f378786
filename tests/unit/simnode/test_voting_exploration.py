"""GRANDPA under seeded schedules: loss, delay, reordering, partitions, crashes, lost databases."""

import random

import pytest

from simnode.core.grandpa import Grandpa
from simnode.core.messages import PRECOMMIT
from simnode.core.rounds import Round, threshold
from simnode.testing.voting import Voting
from tests.budget import schedules

LIVES, STORMS = schedules(40), schedules(60)
CHUNKS = 4


def disturb(voting: Voting, choice: random.Random, *, seconds: int) -> None:
    """Faults of every kind for a while; afterwards all is well again."""
    forgetful: set[int] = set()
    end = voting.now + seconds
    while voting.now < end:
        index = choice.randrange(len(voting.nodes))
        match choice.randrange(8):
            case 0:
                voting.partition({node.index: choice.randrange(2) for node in voting.nodes if choice.random() < 0.9})
            case 1:
                voting.partition({})
            case 2 if voting.nodes[index].up:
                voting.crash(index)
            case 3 if not voting.nodes[index].up:
                voting.restart(index, keep_database=not forgets(voting, choice, index, forgetful))
            case 4:
                voting.mute = {index}
            case 5:
                voting.mute = set()
            case _:
                pass
        voting.run(choice.uniform(0.1, 1.5))
    voting.partition({})
    voting.mute = set()
    voting.loss, voting.stormy = 0.0, False
    for node in list(voting.nodes):
        if not node.up:
            voting.restart(node.index)


def forgets(voting: Voting, choice: random.Random, index: int, forgetful: set[int]) -> bool:
    """Whether a node comes back without its database.

    Such a validator may vote twice in a round, and GRANDPA stands up to a third of them.
    """
    allowed = index >= voting.voters or index in forgetful or len(forgetful) < (voting.voters - 1) // 3
    if not allowed or choice.random() < 0.7:
        return False
    if index < voting.voters:
        forgetful.add(index)
    return True


def explore(seed: int) -> None:
    choice = random.Random(seed)
    voters = choice.choice((1, 2, 3, 4, 4, 5, 6, 7))
    voting = Voting(seed, voters=voters, followers=choice.randrange(2), loss=choice.choice((0.0, 0.05, 0.3)))
    voting.stormy = choice.random() < 0.7
    disturb(voting, choice, seconds=8)
    highest = max(voting.final, default=0)
    voting.run(14)
    reached = [node.tree.finalized_number for node in voting.nodes]
    assert min(reached) > highest, f"seed {seed}: finality did not come back, {reached} after {highest}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_schedule_finalises_two_blocks_and_finality_comes_back_after_every_one(chunk):
    for seed in range(chunk, LIVES, CHUNKS):
        explore(seed)


@pytest.mark.parametrize("needed", [2, None], ids=["half", "two-thirds"])
def test_the_exploration_finds_out_when_half_of_the_voters_suffice(needed):
    """Otherwise the test above would prove nothing."""
    voting = Voting(1, voters=4, needed=needed, gossip=2.0)
    voting.partition({0: 0, 1: 0, 2: 1, 3: 1})
    if needed is None:
        voting.run(12)
        return
    with pytest.raises(AssertionError, match="safety broken"):
        voting.run(12)


def storm(seed: int) -> None:
    """Votes hardly get through, one node hears what nobody hears of it, and the best chain keeps changing."""
    choice = random.Random(seed)
    voting = Voting(seed, voters=4, loss=0.6, gossip=0.2)
    voting.stormy = True
    for _ in range(20):
        voting.mute = {choice.randrange(4)} if choice.random() < 0.8 else set()
        voting.partition({index: choice.randrange(2) for index in range(4)} if choice.random() < 0.1 else {})
        voting.run(choice.uniform(0.3, 1.5))


def storms(count: int) -> None:
    for seed in range(count):
        storm(seed)


def test_no_storm_finalises_two_blocks():
    storms(STORMS)


def test_a_storm_finds_out_when_estimates_are_ignored(monkeypatch):
    """Voters that forget what the last round may still finalise are caught, about once in three hundred storms."""
    monkeypatch.setattr(Grandpa, "_target", lambda self, _: self._tree.best_containing(self._tree.finalized))
    monkeypatch.setattr(Round, "completable", property(lambda self: self.seen(PRECOMMIT) >= self.needed))
    monkeypatch.setattr(Round, "estimate", property(lambda self: self._tree.root))
    with pytest.raises(AssertionError, match="safety broken"):
        storms(3000)


@pytest.mark.parametrize(
    ("voters", "needed"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (100, 67)]
)
def test_a_supermajority_is_all_but_the_third_that_may_be_faulty(voters, needed):
    assert threshold(voters) == needed


def test_a_third_offline_stops_finality_and_less_does_not():
    voting = Voting(1, voters=7)
    for index in (0, 1):
        voting.crash(index)
    voting.run(20)
    before = voting.nodes[3].tree.finalized_number
    assert before > 10
    voting.crash(2)
    voting.run(3)
    stopped = voting.nodes[3].tree.finalized_number
    voting.run(20)
    assert voting.nodes[3].tree.finalized_number == stopped
    voting.restart(2)
    voting.run(10)
    assert voting.nodes[3].tree.finalized_number > stopped + 15


def test_a_node_that_reaches_both_sides_carries_votes_across_a_partition():
    voting = Voting(1, voters=4, followers=1)
    voting.partition({0: 0, 1: 0, 2: 1, 3: 1})
    voting.run(20)
    assert min(node.tree.finalized_number for node in voting.nodes) > 4
    voting.partition({0: 0, 1: 0, 2: 1, 3: 1, 4: 0})
    voting.run(4)
    stopped = max(voting.final)
    voting.run(20)
    assert max(voting.final) == stopped
