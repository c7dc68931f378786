"""Collects the evidence: the only part of gates that talks to anybody. It never raises, for what went wrong is kept.

Called by `run` when a gate's window is closed, with all gates that became due together, so that one range query serves
all gates that ask the same.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.errors import CoalmineError
from orchestrator.gates import evidence
from orchestrator.gates.window import Unresolved
from orchestrator.journal import HashRead, MeasuredWindow, Measurement, Node, Series, Target
from orchestrator.metrics.prometheus import RangeResult
from orchestrator.metrics.signals import CATALOGUE, RELAY, select, targets
from orchestrator.spec import Gate

HOLD = 2.5
"""Scrape intervals for which a value counts: one or two scrapes may be missed, a third makes a hole."""

_POINTS = 10_000
"""Prometheus refuses ranges of more than 11,000 points."""

_READERS = 16
"""Nodes that are asked for their hashes at once."""


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
    shared = _Shared(sources.prometheus)
    return tuple(_measure(item, sources, shared) for item in asked)


@dataclass(slots=True)
class _Shared:
    """Each distinct range query is sent once, whether it was answered or not."""

    prometheus: RangeSource
    answers: dict[tuple[str, float, float, float], RangeResult | CoalmineError] = field(default_factory=dict)

    def query(self, query: str, start: float, end: float, step: float, *, lookback: float) -> RangeResult:
        key = (query, start, end, step)
        if key not in self.answers:
            try:
                self.answers[key] = self.prometheus.query_range(query, start, end, step, lookback=lookback)
            except CoalmineError as error:
                self.answers[key] = error
        answer = self.answers[key]
        if isinstance(answer, CoalmineError):
            raise answer
        return answer


def _measure(item: Asked, sources: Sources, shared: _Shared) -> Measurement:
    blank = Measurement(stage=item.stage, gate=item.gate, spared=item.spared)
    if isinstance(item.window, Unresolved):
        return blank.model_copy(update={"unresolved": item.window.reason})
    blank = blank.model_copy(update={"window": item.window})
    try:
        if item.gate.chain_read is not None:
            return _read_hashes(blank, sources)
        return _query(blank, item.window, sources, shared)
    except CoalmineError as error:
        return blank.model_copy(update={"error": error.message})
    except Exception as error:  # noqa: BLE001  A gate that cannot be measured must not end the run; it is an ERROR.
        return blank.model_copy(update={"error": f"{type(error).__name__}: {error}"})


def _query(blank: Measurement, window: MeasuredWindow, sources: Sources, shared: _Shared) -> Measurement:
    gate, hold = blank.gate, HOLD * sources.scrape
    step = sources.scrape * max(1, math.ceil((window.end - window.since) / sources.scrape / _POINTS))
    since = window.start - step * math.ceil((window.start - window.since) / step - 1e-6)
    end = window.start + step * (evidence.points(window.start, window.end, step) - 1)
    signal = CATALOGUE[gate.signal] if gate.signal is not None else None
    query = signal.query(gate.on, hold=hold) if signal else select(gate.promql or "", gate.on)
    result = shared.query(query, round(since, 3), round(end, 3), step, lookback=hold)
    expected = targets(sources.nodes, gate.on, signal)
    if signal is None:
        expected = _expected_of_query(expected, result.series)
    elif not expected:
        return blank.model_copy(
            update={"query": query, "error": f"no node that it selects has the signal {signal.name}"}
        )
    return blank.model_copy(
        update={
            "query": query,
            "step": step,
            "expected": expected,
            "series": _wanted(result.series, expected),
            "warnings": result.warnings,
        }
    )


def _expected_of_query(selected: tuple[Target, ...], series: tuple[Series, ...]) -> tuple[Target, ...]:
    """Who ought to answer a query of one's own: all nodes selected, as far as the answer tells nodes apart."""
    if not any("node" in one.labels for one in series):
        return ()
    if any("chain" in one.labels for one in series):
        return selected
    return tuple(dict.fromkeys(Target(node=target.node) for target in selected))


def _wanted(series: tuple[Series, ...], expected: tuple[Target, ...]) -> tuple[Series, ...]:
    """Without the series of nodes that the gate is not about, such as a bootnode's among those who author."""
    known = {(target.node, target.chain) for target in expected}
    return tuple(
        one
        for one in series
        if not expected or {(one.labels.get("node"), one.labels.get("chain")), (one.labels.get("node"), None)} & known
    )


def _read_hashes(blank: Measurement, sources: Sources) -> Measurement:
    """Every node's hash at the lowest height that all nodes of its chain have finalised."""
    expected = targets(sources.nodes, blank.gate.on)
    asked = [target for target in expected if target.node not in blank.spared]
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        reads = list(pool.map(lambda target: _finalized(target, sources.chains), asked))
        common: dict[str, int] = {}
        for read in reads:
            if read.finalized is not None:
                chain = read.target.chain or RELAY
                common[chain] = min(read.finalized, common.get(chain, read.finalized))
        reads = list(pool.map(lambda read: _hash(read, common.get(read.target.chain or RELAY), sources.chains), reads))
    return blank.model_copy(update={"query": "finalized-hash", "expected": expected, "hashes": tuple(reads)})


def _finalized(target: Target, chains: ChainReads) -> HashRead:
    return _guarded(
        HashRead(target=target), lambda: {"finalized": chains.finalized_height(target.node, target.chain or RELAY)}
    )


def _hash(read: HashRead, height: int | None, chains: ChainReads) -> HashRead:
    if height is None or read.error is not None:
        return read
    chain = read.target.chain or RELAY
    return _guarded(read, lambda: {"height": height, "hash": chains.block_hash(read.target.node, chain, height)})


def _guarded(read: HashRead, ask: Callable[[], dict[str, object]]) -> HashRead:
    try:
        return read.model_copy(update=ask())
    except CoalmineError as error:
        return read.model_copy(update={"error": error.message})
