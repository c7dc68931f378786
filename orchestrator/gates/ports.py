"""Whom gates ask: small ports, implemented in `metrics` and `run`, and by tests.

Everything raises CoalmineError when what is asked says no or nothing; who asks keeps the reason as evidence.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.journal import Node
from orchestrator.metrics.prometheus import RangeResult
from orchestrator.spec.source import ChainEvents, ChainRead, Storage


class RangeSource(Protocol):
    """`metrics.prometheus.Prometheus`, or samples held in memory by a test."""

    def query_range(
        self, query: str, start: float, end: float, step: float, *, lookback: float | None = None
    ) -> RangeResult: ...

    def clock(self) -> float:
        """What Prometheus thinks the time is, unix seconds."""
        ...


class ChainReads(Protocol):
    """What chain reads need of a node's RPC."""

    def finalized_height(self, node: str, chain: str) -> int: ...

    def block_hash(self, node: str, chain: str, height: int) -> str | None: ...

    def stored(self, node: str, chain: str, storage: Storage, height: int) -> str | None:
        """A storage value at a height in hex, `0x` where nothing is stored; None where the node lacks the block."""
        ...

    def number(self, node: str, chain: str, what: ChainRead | Storage) -> float:
        """What a node says now, as a number."""
        ...

    def happened(self, chain: str, event: ChainEvents, first: int, last: int) -> tuple[str, list[int]]:
        """Which node was asked, and the block of each such event in these blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod's counts since the run began to watch it, and whether it is ready."""

    restarts: int
    oom_kills: int
    ready: bool


class Pods(Protocol):
    """What Kubernetes says of the nodes."""

    def facts(self) -> Mapping[str, Pod]: ...


@dataclass(frozen=True, slots=True)
class Lines:
    """When matching lines were written; the log is known to be whole from `since` on."""

    since: float
    hits: tuple[float, ...]


class Logs(Protocol):
    """The nodes' logs."""

    def matching(self, node: str, pattern: str, since: float, until: float) -> Lines: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to ask, about which nodes, and how often those are scraped (seconds)."""

    prometheus: RangeSource
    chains: ChainReads
    pods: Pods
    logs: Logs
    nodes: tuple[Node, ...]
    scrape: float = 1.0
    now: Callable[[], float] = time.time
