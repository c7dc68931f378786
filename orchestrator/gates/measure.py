"""Collects the evidence: the only part of gates that talks to anybody. It never raises, for what went wrong is kept.

Called by `run` when a gate's window is closed, with all gates that became due together, so that one range query serves
all gates that ask the same.
"""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from orchestrator.errors import CoalmineError
from orchestrator.gates.window import Unresolved
from orchestrator.journal import Chart, HashRead, MeasuredWindow, Measurement, Node, Target
from orchestrator.metrics.prometheus import RangeResult
from orchestrator.metrics.signals import CATALOGUE, RELAY, select, targets
from orchestrator.spec import Gate, Selector

HOLD = 2.5
"""Scrape intervals for which a value counts: one or two scrapes may be missed, a third makes a hole."""

_POINTS = 10_000
"""Prometheus refuses ranges of more than 11,000 points."""


class RangeSource(Protocol):
    """`metrics.prometheus.Prometheus`, or samples held in memory by a test."""

    def query_range(
        self, query: str, start: float, end: float, step: float, *, lookback: float | None = None
    ) -> RangeResult: ...


class ChainReads(Protocol):
    """What chain reads need of a node's RPC. Both raise ChainError when the node says no or nothing."""

    def finalized_height(self, node: str, chain: str) -> int: ...

    def block_hash(self, node: str, chain: str, height: int) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One gate to be measured: where it belongs, when it is, whom it leaves out."""

    stage: str
    gate: Gate
    window: MeasuredWindow | Unresolved
    spared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to ask, about which nodes, and how often those are scraped (seconds)."""

    prometheus: RangeSource
    chains: ChainReads
    nodes: tuple[Node, ...]
    scrape: float = 1.0


def measure(asked: Sequence[Asked], sources: Sources) -> tuple[Measurement, ...]:
    """A measurement for each gate, in their order, with whatever was found in the way of one."""
    raise NotImplementedError


def collect_charts(sources: Sources, start: float, end: float) -> tuple[Chart, ...]:
    """The signals that a report draws, over the whole run, at no more points than a page can show."""
    raise NotImplementedError
