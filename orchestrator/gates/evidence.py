"""Evidence: what is known, from when to when, or why it is not known. Every part of `gates` speaks of it.

A gate is judged by evidence and by nothing else: samples, counts, hashes, heights, clock readings, moments, windows,
names, comparisons of clocks, an experiment's own measurements. What is `Unknown` never helps a gate to pass.
"""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Known(Generic[_T]):
    """A value that holds from `valid_from` to `valid_to`, in Unix seconds.

    `complete`: nothing more can be added to it. A window whose end has not come is not complete, nor is a count that
    does not reach the end of its window.
    """

    value: _T
    valid_from: float
    valid_to: float
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known. `reason` is a sentence without a full stop."""

    reason: str


Evidence: TypeAlias = Known[_T] | Unknown
