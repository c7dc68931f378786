"""Who is hit, over all shapes of networks that hypothesis finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos import targets
from chaos.nodes import Node
from chaos.targets import SelectionError
from orchestrator.spec.experiment import Partition, Target


def node(group, ordinal, role, chain="relay", para_id=None):
    name = f"{group}-{ordinal}"
    return Node(name, group, role, chain, para_id, f"uid-{name}", "m", ("10.0.0.1",), "c" * 64, ready=True)


def network(*, validators=4, bootnodes=1, collators=2, full=0):
    return [
        *(node("validator", i, "validator") for i in range(validators)),
        *(node("bootnode", i, "bootnode") for i in range(bootnodes)),
        *(node("full", i, "full") for i in range(full)),
        *(node("collator", i, "collator", "nest", 2000) for i in range(collators)),
    ]


networks = st.builds(
    network,
    validators=st.integers(4, 40),
    bootnodes=st.integers(0, 3),
    collators=st.integers(0, 12),
    full=st.integers(0, 5),
)


@given(networks, st.integers())
def test_a_minority_is_what_finality_survives_and_a_blocking_third_is_one_more(nodes, seed):
    n = sum(node.role == "validator" for node in nodes)
    chosen = {
        word: targets.select(Target(authorities=word), nodes, seed=seed)
        for word in ("one", "minority", "blocking-third", "majority")
    }
    need = n - (n - 1) // 3  # GRANDPA's threshold of votes.
    assert n - len(chosen["minority"]) == need
    assert n - len(chosen["blocking-third"]) == need - 1
    assert len(chosen["majority"]) * 2 > n >= 2 * (len(chosen["majority"]) - 1)
    assert len(chosen["one"]) == 1
    assert all(name.startswith("validator-") for names in chosen.values() for name in names)


@given(networks, st.integers(), st.randoms())
def test_the_same_seed_chooses_the_same_nodes_in_whatever_order_pods_are_listed(nodes, seed, random):
    target = Target(authorities="blocking-third")
    shuffled = random.sample(nodes, len(nodes))
    assert targets.select(target, nodes, seed=seed) == targets.select(target, shuffled, seed=seed)


def test_another_seed_chooses_others():
    nodes = network(validators=30)
    assert len({targets.select(Target(authorities="one"), nodes, seed=seed) for seed in range(40)}) > 10


@given(networks, st.integers(), st.integers(2, 4), st.data())
def test_every_node_stands_on_exactly_one_side(nodes, seed, count, data):
    names = [node.name for node in nodes]
    picked = data.draw(st.lists(st.sampled_from(names), min_size=count, max_size=len(names), unique=True))
    cut = Partition(sides=tuple(Target(nodes=tuple(picked[i::count])) for i in range(count)), others="spread")
    result = targets.sides(cut, nodes, seed=seed)
    assert sorted(name for side in result for name in side) == sorted(names)
    assert all(set(picked[i::count]) <= set(side) for i, side in enumerate(result))


@given(networks, st.integers())
def test_those_left_over_are_dealt_group_by_group(nodes, seed):
    cut = Partition(sides=(Target(nodes=("validator-0",)), Target(nodes=("validator-1",))), others="spread")
    left, right = targets.sides(cut, nodes, seed=seed)
    for group in {node.group for node in nodes} - {"validator"}:
        members = sorted(node.ordinal for node in nodes if node.group == group)
        assert [f"{group}-{o}" for o in members[0::2]] == [n for n in left if n.startswith(f"{group}-")]
        assert [f"{group}-{o}" for o in members[1::2]] == [n for n in right if n.startswith(f"{group}-")]


def test_a_side_with_a_choice_keeps_off_those_that_are_named():
    cut = Partition(sides=(Target(authorities="blocking-third"), Target(nodes=("validator-0", "validator-1"))))
    for seed in range(20):
        assert targets.sides(cut, network(), seed=seed)[0][-2:] == ("validator-2", "validator-3")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param(Target(nodes=("validator-9",)), "no node validator-9", id="unknown node"),
        pytest.param(Target(group="archive"), "group archive: this network has no such node", id="unknown group"),
        pytest.param(Target(parachain=3000), "parachain 3000: this network has no such node", id="unknown parachain"),
        pytest.param(Target(group="validator", count=5), "means 5 nodes, there are 4", id="too many"),
        pytest.param(Target(authorities="one", count=2), "count cannot stand", id="count beside authorities"),
    ],
)
def test_what_selects_nobody_is_refused(target, message):
    with pytest.raises(SelectionError, match=message):
        targets.select(target, network(), seed=1)


def test_three_validators_have_no_minority():
    with pytest.raises(SelectionError, match="minority of 3 authorities: this network has no such node"):
        targets.select(Target(authorities="minority"), network(validators=3), seed=1)


def test_overlapping_sides_are_refused():
    cut = Partition(sides=(Target(group="validator"), Target(nodes=("validator-2", "bootnode-0"))))
    with pytest.raises(SelectionError, match="validator-2 would be on two sides"):
        targets.sides(cut, network(), seed=1)


def test_nodes_left_over_are_listed_when_they_must_not_be_spread():
    cut = Partition(sides=(Target(group="validator"), Target(group="bootnode")), others="refuse")
    with pytest.raises(SelectionError, match="no side names collator-0, collator-1"):
        targets.sides(cut, network(), seed=1)


@pytest.mark.parametrize("target", [Target(authorities="majority"), Target(parachain=2000), Target(group="validator")])
def test_bootnodes_are_hit_only_when_they_are_named(target):
    names = targets.select(target, network(bootnodes=3), seed=1)
    assert not any(name.startswith("bootnode") for name in names)
    assert targets.select(Target(nodes=("bootnode-1",)), network(bootnodes=3), seed=1) == ("bootnode-1",)


def test_ordinals_sort_as_numbers():
    names = targets.select(Target(group="validator"), network(validators=12), seed=1)
    assert names[1:3] == ("validator-1", "validator-2")
