"""Which nodes a fault hits: pure, and the same for the same seed. Called once, when an experiment is planned.

Authorities are counted as consensus counts them. Of n validators GRANDPA survives the loss of f = (n - 1) // 3: a
`minority` is f of them, a `blocking-third` f + 1, a `majority` n // 2 + 1.
"""

import hashlib
from collections.abc import Collection, Iterable
from itertools import groupby

from chaos.nodes import Node
from orchestrator.spec.experiment import Partition, Target


class SelectionError(Exception):
    """The target names nobody, somebody unknown, or somebody twice."""


def select(target: Target, nodes: Collection[Node], *, seed: int, taken: Collection[str] = ()) -> tuple[str, ...]:
    """Names of the nodes that a target hits, sorted. `taken` are not chosen where there is a choice.

    Raises:
        SelectionError: when that is nobody, or not as many as asked for.
    """
    pool, count, what = _candidates(target, nodes)
    if count == 0:
        raise SelectionError(f"{what} is nobody in this network")
    free = [name for name in pool if name not in taken]
    chosen = free if len(pool) > count else pool
    if len(chosen) < count:
        raise SelectionError(f"{what} means {count} nodes, there are {len(chosen)} to choose from")
    return tuple(sorted(_shuffled(chosen, seed)[:count], key=_natural))


def sides(partition: Partition, nodes: Collection[Node], *, seed: int) -> tuple[tuple[str, ...], ...]:
    """The sides of a partition: every node of the network stands on exactly one of them.

    A node on two sides would carry the votes across, and be it the relay node inside a collator.

    Raises:
        SelectionError: when a side is empty, sides overlap, or nodes are left over that must not be spread.
    """
    chosen: dict[int, tuple[str, ...]] = {}
    taken: set[str] = set()
    # Sides without a choice first, so that the others choose from what is left.
    for index, target in sorted(enumerate(partition.sides), key=lambda side: side[1].nodes is None):
        names = select(target, nodes, seed=seed, taken=taken)
        if twice := taken.intersection(names):
            raise SelectionError(f"{', '.join(sorted(twice, key=_natural))} would stand on two sides")
        chosen[index] = names
        taken.update(names)
    rest = [node for node in nodes if node.name not in taken]
    if rest and partition.others == "refuse":
        left_over = ", ".join(sorted((node.name for node in rest), key=_natural))
        raise SelectionError(f"no side names {left_over}; name them or let others be spread")
    dealt = _deal(rest, len(partition.sides))
    return tuple(tuple(sorted((*chosen[i], *dealt[i]), key=_natural)) for i in range(len(partition.sides)))


def _candidates(target: Target, nodes: Collection[Node]) -> tuple[list[str], int, str]:
    """Who may be chosen, how many of them, and what the target is called in a message."""
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
    """By hash and not by a generator's state: a node more or less does not change everybody else's place."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())


def _deal(nodes: Iterable[Node], count: int) -> list[list[str]]:
    """Deals each group's nodes to the sides in turn, starting anew with each group."""
    hands: list[list[str]] = [[] for _ in range(count)]
    ordered = sorted(nodes, key=lambda node: (node.group, node.ordinal))
    for _, group in groupby(ordered, key=lambda node: node.group):
        for position, node in enumerate(group):
            hands[position % count].append(node.name)
    return hands


def _natural(name: str) -> tuple[str, int]:
    group, _, ordinal = name.rpartition("-")
    return group, int(ordinal)
