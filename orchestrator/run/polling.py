"""Reads, at every point of the samples' grid, what has no history: the nodes' RPC and the state of their pods.

Runs during a stage whose gates ask for such things. A node that does not answer keeps its value for two points, as it
does in Prometheus, and then has a hole.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from orchestrator.errors import CoalmineError
from orchestrator.gates.ports import Pod, Sources
from orchestrator.gates.question import ask
from orchestrator.gates.strip import first_point
from orchestrator.journal import Entry, Row, Samples, Target
from orchestrator.metrics.signals import RELAY
from orchestrator.spec import Gate

HELD = 2
"""Points for which a value counts when nothing newer came."""

BATCH = 5
"""Points that are written as one entry; what is judged meanwhile waits for nothing, for `flush` writes the rest."""

_READERS = 32

Values = dict[Target, float]


class Poller:
    """Runs in a thread for the duration of a `with` block; writes what it read to `keep`."""

    def __init__(self, gates: Iterable[Gate], sources: Sources, keep: Callable[[Entry], object]) -> None:
        self._sources = sources
        self._keep = keep
        self._readers = readers(gates, sources)
        self._held: dict[tuple[str, Target], tuple[int, float]] = {}
        self._batch: dict[int, dict[str, Values]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        if self._readers:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._readers:
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Writes what was read so far."""
        with self._lock:
            batch, self._batch = self._batch, {}
        if not batch:
            return
        step, first, last = self._sources.scrape, min(batch), max(batch)
        for query in self._readers:
            found = {target: None for values in batch.values() for target in values.get(query, {})}
            rows = tuple(
                Row(
                    labels=_labels(target),
                    values=tuple(batch.get(point, {}).get(query, {}).get(target) for point in range(first, last + 1)),
                )
                for target in found
            )
            entry = Samples(query=query, first=round(first * step, 3), step=step, count=last - first + 1, rows=rows)
            self._keep(entry)

    def _follow(self) -> None:
        step = self._sources.scrape
        point = first_point(time.time(), step)
        with ThreadPoolExecutor(_READERS) as pool:
            while not self._stop.wait(max(0.0, point * step - time.time())):
                read = {query: reader(pool) for query, reader in self._readers.items()}
                with self._lock:
                    self._batch[point] = {query: self._holding(query, point, found) for query, found in read.items()}
                    full = len(self._batch) >= BATCH
                if full:
                    self.flush()
                # A round that took longer than a step skips points, and they are filled or holes as for a slow node.
                late = first_point(time.time(), step)
                for skipped in range(point + 1, late):
                    with self._lock:
                        self._batch[skipped] = {query: self._holding(query, skipped, {}) for query in self._readers}
                point = max(point + 1, late)

    def _holding(self, query: str, point: int, found: Values) -> Values:
        """What was read, and what still counts of what was read before."""
        for target, value in found.items():
            self._held[query, target] = (point, value)
        return {
            target: value
            for (asked, target), (then, value) in self._held.items()
            if asked == query and point - then <= HELD
        }


Reader = Callable[[ThreadPoolExecutor], Values]
"""One round of asking everybody."""


def readers(gates: Iterable[Gate], sources: Sources) -> dict[str, Reader]:
    """How to answer each distinct question that has to be polled, by its words."""
    wanted: dict[str, tuple[Gate, dict[Target, None]]] = {}
    for gate in gates:
        if gate.signal is not None or gate.promql is not None:
            continue
        question = ask(gate, sources.nodes, sources.scrape)
        if question.way == "polled":
            _, targets = wanted.setdefault(question.query, (gate, {}))
            targets.update(dict.fromkeys(question.targets))
    pods = _SharedPods(sources)
    return {query: _reader(gate, tuple(targets), sources, pods) for query, (gate, targets) in wanted.items()}


def _reader(gate: Gate, targets: tuple[Target, ...], sources: Sources, pods: "_SharedPods") -> Reader:
    fact, what = gate.pods, gate.storage or gate.chain_read
    if fact is not None:
        return lambda _: {
            target: _number(fact, pod) for target in targets if (pod := pods.facts().get(target.node)) is not None
        }
    assert what is not None

    def number(target: Target) -> float | None:
        try:
            return sources.chains.number(target.node, target.chain or RELAY, what)
        except CoalmineError:
            return None

    def everybody(pool: ThreadPoolExecutor) -> Values:
        found = zip(targets, pool.map(number, targets), strict=True)
        return {target: value for target, value in found if value is not None}

    return everybody


class _SharedPods:
    """One listing of the pods for all who ask within half a step."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._listed = float("-inf")
        self._facts: Mapping[str, Pod] = {}

    def facts(self) -> Mapping[str, Pod]:
        if time.monotonic() - self._listed > self._sources.scrape / 2:
            try:
                self._facts = self._sources.pods.facts()
            except CoalmineError:
                self._facts = {}
            self._listed = time.monotonic()
        return self._facts


def _number(fact: str, pod: Pod) -> float:
    return {"restarts": float(pod.restarts), "oom-kills": float(pod.oom_kills), "ready": float(pod.ready)}[fact]


def _labels(target: Target) -> dict[str, str]:
    return {"node": target.node} | ({"chain": target.chain} if target.chain is not None else {})
