"""One stage of a rehearsal: disturb, wait for every gate's window, measure, judge. Called by `lifecycle`."""

import contextlib
import time
from collections.abc import Callable, Iterator

from orchestrator.cluster import Cluster
from orchestrator.gates import window
from orchestrator.gates.evaluate import evaluate
from orchestrator.gates.measure import Asked, Sources, measure
from orchestrator.gates.window import Timeline, Unresolved
from orchestrator.journal import Event, GateVerdict, JournalWriter, Judged, Verdict
from orchestrator.run.clock import ChainClock
from orchestrator.run.custom import Disturbance
from orchestrator.spec import Gate, Span, Stage, Testnet

LOOK = 0.5
"""Seconds between two looks at whether the windows are closed; the clock behind them ticks once a second."""

RECOVERY_LOOK = 2.0
"""Seconds between two provisional measurements of a gate that ends as soon as it has passed."""


class StageRun:
    """A stage while it runs."""

    def __init__(
        self,
        stage: Stage,
        *,
        testnet: Testnet,
        cluster: Cluster,
        sources: Sources,
        clock: ChainClock,
        journal: JournalWriter,
        say: Callable[[str], None],
    ) -> None:
        self._stage = stage
        self._testnet = testnet
        self._cluster = cluster
        self._sources = sources
        self._clock = clock
        self._journal = journal
        self._events: list[Event] = []
        self._say = say

    def run(self, run_start: Event) -> tuple[GateVerdict, ...] | None:
        """The verdicts of the stage's gates; None when its disturbance failed and the run must end here."""
        self._events.append(run_start)
        self._event("stage.start")
        holding = time.monotonic() + self._stage.hold
        good = True
        with self._disturbed() as disturbance:
            if disturbance is not None:
                good = disturbance.follow(self._say, patience=self._patience())
            while good and (time.monotonic() < holding or self._open()):
                time.sleep(LOOK)
            self._event("stage.end")
            verdicts = self._measure()
        return verdicts if good else None

    @contextlib.contextmanager
    def _disturbed(self) -> Iterator[Disturbance | None]:
        if self._stage.experiment is None and self._stage.upgrade is None:
            yield None
            return
        disturbance = Disturbance(self._cluster, self._testnet.namespace, self._stage, self._record)
        with disturbance.placed():
            yield disturbance

    def _event(self, name: str) -> None:
        self._record(Event(name=name, stage=self._stage.name))

    def _record(self, event: Event) -> None:
        """Into the journal, and at hand for resolving windows."""
        self._events.append(self._journal.record(event))

    def _resolved(self, gate: Gate) -> Asked:
        now = time.time()
        moments = window.moments(self._stage.name, self._events)
        found = window.resolve(gate, moments, Timeline.of(self._clock.entries), now=now)
        spared = window.spared(gate, self._stage, self._events, found)
        return Asked(self._stage.name, gate, found, spared)

    def _open(self) -> bool:
        """Whether a gate's window still waits for time to pass (and not for the stage's end, which waits for it)."""
        return any(self._waits(gate) for gate in self._stage.gates)

    def _waits(self, gate: Gate) -> bool:
        span = gate.recovers_within or gate.window.for_
        if span is None:
            return False
        asked = self._resolved(gate)
        moments = window.moments(self._stage.name, self._events)
        started = moments.get(str(gate.window.from_))
        if started is None or time.time() > started + gate.window.settle + self._longest(span):
            return False  # It cannot close any more; it will be judged as it stands.
        if isinstance(asked.window, Unresolved):
            return True
        return asked.window.open and not self._recovered(gate, asked)

    def _recovered(self, gate: Gate, asked: Asked) -> bool:
        """Whether a recovery gate has passed already: the time it has left could not change that."""
        if gate.recovers_within is None:
            return False
        time.sleep(RECOVERY_LOOK - LOOK)
        verdict = evaluate(measure([asked], self._sources)[0], Timeline.of(self._clock.entries))
        return verdict.verdict is Verdict.PASSED

    def _measure(self) -> tuple[GateVerdict, ...]:
        time.sleep(2 * self._sources.scrape)  # The last samples of the windows must have been scraped.
        verdicts = []
        for measurement in measure([self._resolved(gate) for gate in self._stage.gates], self._sources):
            self._journal.record(measurement)
            verdict = evaluate(measurement, Timeline.of(self._clock.entries))
            self._journal.record(Judged(verdict=verdict))
            self._say(f"{self._stage.name} / {verdict.gate}: {verdict.verdict} - {verdict.reason}")
            verdicts.append(verdict)
        return tuple(verdicts)

    def _longest(self, span: Span) -> float:
        """Seconds after which a window is given up: four times its length on a healthy chain, and a minute."""
        relay = self._testnet.spec.relaychain
        unit = {"seconds": 1.0, "blocks": relay.slot, "sessions": relay.slot * relay.session_blocks}[span.unit]
        return 60.0 + 4.0 * span.amount * unit

    def _patience(self) -> float:
        relay = self._testnet.spec.relaychain
        if self._stage.experiment is not None:
            return self._stage.experiment.hard_ttl + 120.0
        assert self._stage.upgrade is not None
        sessions = (self._stage.upgrade.settle_sessions + 2) * relay.slot * relay.session_blocks
        return self._stage.upgrade.enact_timeout + 4 * sessions + 60.0
