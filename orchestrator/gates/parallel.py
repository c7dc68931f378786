"""Asks many nodes at once. Used by whatever collects from nodes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_READERS = 16
"""How many nodes are asked in parallel."""

_T = TypeVar("_T")
_R = TypeVar("_R")


def each(items: Sequence[_T], read: Callable[[_T], _R]) -> list[_R]:
    """What `read` gives for each item, in the order of the items."""
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        return list(pool.map(read, items))
