"""Selects the nodes that a fault hits. Pure: the same seed selects the same nodes. Called once per experiment.

Authorities are counted as consensus counts them. Of n validators, GRANDPA tolerates the loss of f = (n - 1) // 3. A
`minority` is f validators, a `blocking-third` f + 1, a `majority` n // 2 + 1.
"""

import hashlib
from collections.abc import Collection, Iterable
from itertools import groupby

from chaos.nodes import Node
from orchestrator.spec.experiment import Partition, Target


class SelectionError(Exception):
    """The target selects no node, an unknown node, or a node twice."""


def select(target: Target, nodes: Collection[Node], *, seed: int, taken: Collection[str] = ()) -> tuple[str, ...]:
    """The names of the nodes that a target hits, sorted. Nodes in `taken` are avoided if there is a choice.

    Raises:
        SelectionError: there is no such node, or there are not enough.
    """
    pool, count, what = _candidates(target, nodes)
    if count == 0:
        raise SelectionError(f"{what}: this network has no such node")
    free = [name for name in pool if name not in taken]
    chosen = free if len(pool) > count else pool
    if len(chosen) < count:
        raise SelectionError(f"{what} means {count} nodes, there are {len(chosen)} to choose from")
    return tuple(sorted(_shuffled(chosen, seed)[:count], key=_natural))


def sides(partition: Partition, nodes: Collection[Node], *, seed: int) -> tuple[tuple[str, ...], ...]:
    """The sides of a partition, as node names. Every node of the network is on exactly one side.

    A node on two sides would carry votes across the cut, even a relay node inside a collator.

    Raises:
        SelectionError: a side is empty, sides overlap, or nodes are left over that must not be spread.
    """
    chosen: dict[int, tuple[str, ...]] = {}
    taken: set[str] = set()
    # Sides that list their nodes first. The others choose from the rest.
    for index, target in sorted(enumerate(partition.sides), key=lambda side: side[1].nodes is None):
        names = select(target, nodes, seed=seed, taken=taken)
        if twice := taken.intersection(names):
            raise SelectionError(f"{', '.join(sorted(twice, key=_natural))} would be on two sides")
        chosen[index] = names
        taken.update(names)
    rest = [node for node in nodes if node.name not in taken]
    if rest and partition.others == "refuse":
        left_over = ", ".join(sorted((node.name for node in rest), key=_natural))
        raise SelectionError(f"no side names {left_over}; name them or let others be spread")
    dealt = _deal(rest, len(partition.sides))
    return tuple(tuple(sorted((*chosen[i], *dealt[i]), key=_natural)) for i in range(len(partition.sides)))


def _candidates(target: Target, nodes: Collection[Node]) -> tuple[list[str], int, str]:
    """The nodes to choose from, how many to choose, and the target's name in messages."""
    if target.nodes is not None:
        known = {node.name for node in nodes}
        if missing := [name for name in target.nodes if name not in known]:
            raise SelectionError(f"there is no node {', '.join(missing)}")
        pool = list(dict.fromkeys(target.nodes))
        return pool, target.count or len(pool), "the list of nodes"
    if target.group is not None:
        pool = [node.name for node in nodes if node.group == target.group]
        return pool, target.count or len(pool), f"group {target.group}"
    if target.parachain is not None:
        pool = [node.name for node in nodes if node.para_id == target.parachain and node.role == "collator"]
        return pool, target.count or len(pool), f"the collators of parachain {target.parachain}"
    if target.count:
        raise SelectionError("count cannot stand beside authorities, which says how many itself")
    pool = [node.name for node in nodes if node.chain == "relay" and node.role == "validator"]
    tolerated = (len(pool) - 1) // 3
    counts = {"one": 1, "minority": tolerated, "blocking-third": tolerated + 1, "majority": len(pool) // 2 + 1}
    assert target.authorities is not None
    return pool, counts[target.authorities] if pool else 0, f"{target.authorities} of {len(pool)} authorities"


def _shuffled(names: Iterable[str], seed: int) -> list[str]:
    """The names in an order that depends on the seed. It uses hashes, so that adding a node keeps the others' order."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())


def _deal(nodes: Iterable[Node], count: int) -> list[list[str]]:
    """Deals each group's nodes to the sides in turn, starting with the first side for each group."""
    hands: list[list[str]] = [[] for _ in range(count)]
    ordered = sorted(nodes, key=lambda node: (node.group, node.ordinal))
    for _, group in groupby(ordered, key=lambda node: node.group):
        for position, node in enumerate(group):
            hands[position % count].append(node.name)
    return hands


def _natural(name: str) -> tuple[str, int]:
    group, _, ordinal = name.rpartition("-")
    return group, int(ordinal)
