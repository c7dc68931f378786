"""The sources that gates ask, as small protocols. They are implemented in `metrics` and `run`, and by tests.

Every method raises CoalmineError when the source refuses or does not answer. The caller keeps the reason as evidence.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from orchestrator.journal import Node
from orchestrator.spec.source import ChainEvents, ChainRead, Storage

if TYPE_CHECKING:  # Judging a run again needs no client of Prometheus.
    from orchestrator.metrics.prometheus import RangeResult


class RangeSource(Protocol):
    """`metrics.prometheus.Prometheus`, or samples held in memory by a test."""

    def query_range(
        self, query: str, start: float, end: float, step: float, *, lookback: float | None = None
    ) -> "RangeResult": ...

    def clock(self) -> float:
        """The time by Prometheus' clock, unix seconds."""
        ...


class ChainReads(Protocol):
    """What chain reads need of a node's RPC."""

    def finalized_height(self, node: str, chain: str) -> int: ...

    def block_hash(self, node: str, chain: str, height: int) -> str | None: ...

    def stored(self, node: str, chain: str, storage: Storage, height: int) -> str | None:
        """A storage value at a height, in hex; `0x` if nothing is stored, None if the node does not have the block."""
        ...

    def number(self, node: str, chain: str, what: ChainRead | Storage) -> float:
        """The node's current answer, as a number."""
        ...

    def happened(self, chain: str, event: ChainEvents, first: int, last: int) -> tuple[str, list[int]]:
        """The node that was asked, and the block of each such event in blocks `first` to `last`."""
        ...


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod's counts since the run began to watch it, and whether it is ready."""

    restarts: int
    oom_kills: int
    ready: bool


class Pods(Protocol):
    """What Kubernetes says about the nodes."""

    def facts(self) -> Mapping[str, Pod]: ...


@dataclass(frozen=True, slots=True)
class Lines:
    """The times of matching lines, unix seconds. The log is known to be complete from `since` on.

    `lines` are the texts of the first hits, cut to what a journal keeps (`journal.Occurrences`).
    """

    since: float
    hits: tuple[float, ...]
    lines: tuple[str, ...] = ()


class Logs(Protocol):
    """The nodes' logs."""

    def matching(self, node: str, pattern: str, since: float, until: float) -> Lines: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources, the nodes to ask about, and the scrape interval in seconds."""

    prometheus: RangeSource
    chains: ChainReads
    pods: Pods
    logs: Logs
    nodes: tuple[Node, ...]
    scrape: float = 1.0
    now: Callable[[], float] = time.time
