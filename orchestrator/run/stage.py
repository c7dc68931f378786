"""Runs one stage of a rehearsal: disturb, wait for every gate's window, measure, judge. Called by `lifecycle`."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.cluster import Cluster
from orchestrator.gates import window
from orchestrator.gates.assess import ABORTED
from orchestrator.gates.evidence import Known
from orchestrator.gates.ports import Sources
from orchestrator.journal import Event, GateVerdict, Judged, Verdict
from orchestrator.run.chronicle import Chronicle
from orchestrator.run.custom import Disturbance
from orchestrator.run.polling import Poller
from orchestrator.spec import Gate, Span, Stage, Testnet

LOOK = 0.5
"""Seconds between two checks whether the windows are closed. The chain clock ticks once a second."""

LIVE_LOOK = 2.0
"""Seconds between two judgements of a gate that may end the stage."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A stage's verdicts. `because` says why the run must end; it is empty if the run may continue."""

    verdicts: tuple[GateVerdict, ...]
    because: str = ""


class StageRun:
    """A stage while it runs. `sound` raises what ended a thread that collects evidence; nothing is waited for then."""

    def __init__(
        self,
        stage: Stage,
        *,
        testnet: Testnet,
        cluster: Cluster,
        sources: Sources,
        chronicle: Chronicle,
        sound: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._stage = stage
        self._testnet = testnet
        self._cluster = cluster
        self._sources = sources
        self._chronicle = chronicle
        self._sound = sound
        self._say = say
        self._poller = Poller(stage.gates, sources, chronicle.keep)
        self._looked = 0.0
        self._live: dict[str, GateVerdict] = {}
        self._broken: GateVerdict | None = None

    def run(self) -> Ended:
        """Runs the stage and judges it. No fault remains afterwards, whatever happens."""
        with self._poller:
            time.sleep(2 * self._sources.scrape if self._poller.asks else 0)  # By then the first answers are there.
            self._event("stage.start")
            good = self._disturb()
            self._event("stage.end")
            time.sleep(2 * self._sources.scrape)  # The last samples of the windows must have been scraped and polled.
        verdicts = self._judge()
        if self._broken is not None:
            return Ended(verdicts, f"gate {self._broken.gate} had failed")
        return Ended(verdicts, "" if good else "its disturbance failed")

    def _disturb(self) -> bool:
        """Applies the disturbance, then holds. Returns False if the disturbance failed. An abort undoes it at once."""
        holding = time.monotonic() + self._stage.hold
        good = True
        with self._disturbed() as disturbance:
            if disturbance is not None:
                good = disturbance.follow(self._say, patience=self._patience(), stop=self._aborted)
            while good and not self._aborted() and (time.monotonic() < holding or self._open()):
                time.sleep(LOOK)
        return good

    @contextlib.contextmanager
    def _disturbed(self) -> Iterator[Disturbance | None]:
        if self._stage.experiment is None and self._stage.upgrade is None:
            yield None
            return
        disturbance = Disturbance(self._cluster, self._testnet.namespace, self._stage, self._chronicle.keep)
        with disturbance.placed():
            yield disturbance

    def _event(self, name: str, **detail: str) -> None:
        self._chronicle.keep(Event(name=name, stage=self._stage.name, detail=dict(detail)))

    # While the stage runs

    def _aborted(self) -> bool:
        """Whether a gate that may end the stage has failed. Judges the live gates from time to time."""
        self._sound()
        gates = [gate for gate in self._stage.gates if gate.abort_on is not None or gate.recovers_within is not None]
        if self._broken is None and gates and time.monotonic() > self._looked + LIVE_LOOK:
            self._look(gates)
            self._looked = time.monotonic()
        return self._broken is not None

    def _look(self, gates: list[Gate]) -> None:
        now = self._chronicle.settled()
        self._poller.flush()
        self._chronicle.collect(self._stage, gates, now)
        for gate in gates:
            verdict = self._chronicle.assess(self._stage, gate, now).verdict
            self._live[gate.name] = verdict
            if gate.abort_on == "failed" and verdict.verdict is Verdict.FAILED:
                self._broken = verdict
                self._event(ABORTED, gate=gate.name, cause=verdict.reason)
                self._say(f"{self._stage.name}: ends here, because {gate.name} has failed: {verdict.reason}")
                return

    def _open(self) -> bool:
        """Whether a gate's window still waits for time to pass. It may also wait for the stage's end."""
        return any(self._waits(gate) for gate in self._stage.gates)

    def _waits(self, gate: Gate) -> bool:
        live = self._live.get(gate.name)
        if gate.recovers_within is not None and live is not None and live.verdict is Verdict.PASSED:
            return False  # More time could not change that.
        pace, now = self._chronicle.pace, time.time()
        moments = window.moments(self._stage.name, self._chronicle.events())
        if now > window.deadline(gate, moments, pace):
            return False  # It cannot close any more; it is judged as it is.
        found = window.resolve(gate, moments, self._chronicle.timeline, pace, now=now)
        if isinstance(found, Known) and found.complete:
            return False
        of_a_length = gate.window.for_ is not None or gate.recovers_within is not None
        return not isinstance(found, Known) or of_a_length or gate.window.to is not None

    # At its end

    def _judge(self) -> tuple[GateVerdict, ...]:
        chronicle, stage = self._chronicle, self._stage
        end = next(e.at for e in reversed(chronicle.events()) if e.stage == stage.name and e.name == "stage.end")
        verdicts = []
        for assessment in chronicle.close(stage, end):
            chronicle.keep(assessment.measurement)
            verdict = assessment.verdict
            chronicle.keep(Judged(verdict=verdict))
            self._say(f"{stage.name} / {verdict.gate}: {verdict.verdict} - {verdict.reason}")
            verdicts.append(verdict)
        return tuple(verdicts)

    def _patience(self) -> float:
        """Seconds after which a disturbance that has not ended is given up."""
        if self._stage.experiment is not None:
            return self._stage.experiment.hard_ttl + 120.0
        assert self._stage.upgrade is not None
        sessions = Span(amount=self._stage.upgrade.settle_sessions + 2, unit="sessions")
        return self._stage.upgrade.enact_timeout + 4 * self._chronicle.pace.seconds(sessions) + 60.0
