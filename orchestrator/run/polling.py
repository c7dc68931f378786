"""Polls what has no history, for every point of the samples' grid: the nodes' RPC and the state of their pods.

It runs during a stage whose gates need such values. A node is not asked again until it has answered, so that a stopped
node does not delay the others. As in Prometheus, a value counts for two and a half points.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from orchestrator.errors import CoalmineError
from orchestrator.gates import samples
from orchestrator.gates.grid import first_point, time_of
from orchestrator.gates.kinds import kind_of
from orchestrator.gates.ports import Pod, Sources
from orchestrator.gates.question import Question
from orchestrator.gates.samples.ask import HOLD
from orchestrator.journal import Entry, Row, Samples, Target
from orchestrator.spec import Gate
from orchestrator.spec.testnet import RELAY

BATCH = 5
"""How many points are written as one entry. Judging does not have to wait for that: `flush` writes the rest."""

_READERS = 32

Key = tuple[str, Target]
"""A question's key and its target."""


@dataclass(slots=True)
class _Wanted:
    """A question, a gate that asks it, and the targets of all gates that do."""

    question: Question
    gate: Gate
    targets: dict[Target, None]


Reading = Callable[[], list[tuple[Key, float]]]
"""Asks once and returns one or more answers."""


class Poller:
    """Runs in a thread within a `with` block, and passes what it read to `keep`."""

    def __init__(self, gates: Iterable[Gate], sources: Sources, keep: Callable[[Entry], object]) -> None:
        self._step = sources.scrape
        self._keep = keep
        self._wanted = _wanted(gates, sources)
        self._readings = list(_readings(self._wanted, sources))
        self._under_way: dict[int, Future[None]] = {}
        self._latest: dict[Key, tuple[float, float]] = {}
        self._batch: dict[int, dict[Key, float]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    @property
    def asks(self) -> bool:
        """Whether there is anything to be polled."""
        return bool(self._readings)

    def __enter__(self) -> Self:
        if self.asks:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self.asks:
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Writes what has been read so far."""
        with self._lock:
            batch, self._batch = self._batch, {}
        if not batch:
            return
        first, last = min(batch), max(batch)
        for key, wanted in self._wanted.items():
            rows = [
                Row(labels=_labels(target), values=tuple(batch[p].get((key, target)) for p in range(first, last + 1)))
                for target in wanted.targets
            ]
            kept = tuple(row for row in rows if any(value is not None for value in row.values))
            entry = Samples(
                key=key,
                query=wanted.question.query,
                first=time_of(first, self._step),
                step=self._step,
                count=last - first + 1,
                rows=kept,
            )
            self._keep(entry)

    def _follow(self) -> None:
        with ThreadPoolExecutor(_READERS) as pool:
            self._ask(pool)
            point = first_point(time.time(), self._step)
            while not self._stop.wait(max(0.0, time_of(point, self._step) - time.time())):
                self._note(point)
                self._ask(pool)
                point += 1

    def _ask(self, pool: ThreadPoolExecutor) -> None:
        """Asks all targets that do not still owe an answer."""
        for index, reading in enumerate(self._readings):
            outstanding = self._under_way.get(index)
            if outstanding is None or outstanding.done():
                self._under_way[index] = pool.submit(self._read, reading)

    def _read(self, reading: Reading) -> None:
        try:
            found = reading()
        except CoalmineError:
            return  # No answer gives no sample, so that there is a gap after a while.
        now = time.time()
        with self._lock:
            self._latest.update({key: (now, value) for key, value in found})

    def _note(self, point: int) -> None:
        """Records the last answer for this point, unless it is too old."""
        when = time_of(point, self._step)
        with self._lock:
            fresh = {key: value for key, (at, value) in self._latest.items() if when - at <= HOLD * self._step}
            self._batch[point] = fresh
            full = len(self._batch) >= BATCH
        if full:
            self.flush()


def _wanted(gates: Iterable[Gate], sources: Sources) -> dict[str, _Wanted]:
    """The distinct questions to poll by their keys."""
    found: dict[str, _Wanted] = {}
    for gate in gates:
        if kind_of(gate) == "samples" and not samples.from_prometheus(gate):
            question = samples.ask(gate, sources.nodes, sources.scrape)
            wanted = found.setdefault(question.key, _Wanted(question, gate, {}))
            wanted.targets.update(dict.fromkeys(question.targets))
    return found


def _readings(wanted: dict[str, _Wanted], sources: Sources) -> Iterator[Reading]:
    """One reading for each node that is asked something, and one for all pods together."""
    pods = {key: (one.gate.pods, tuple(one.targets)) for key, one in wanted.items() if one.gate.pods is not None}
    if pods:

        def facts() -> list[tuple[Key, float]]:
            found = sources.pods.facts()
            return [
                ((key, target), _number(fact, found[target.node]))
                for key, (fact, targets) in pods.items()
                for target in targets
                if target.node in found
            ]

        yield facts
    for key, one in wanted.items():
        if one.gate.pods is None:
            yield from (_reading(key, one.gate, target, sources) for target in one.targets)


def _reading(key: str, gate: Gate, target: Target, sources: Sources) -> Reading:
    what = gate.storage or gate.chain_read
    assert what is not None
    return lambda: [((key, target), sources.chains.number(target.node, target.chain or RELAY, what))]


def _number(fact: str, pod: Pod) -> float:
    return {"restarts": float(pod.restarts), "oom-kills": float(pod.oom_kills), "ready": float(pod.ready)}[fact]


def _labels(target: Target) -> dict[str, str]:
    return {"node": target.node} | ({"chain": target.chain} if target.chain is not None else {})
