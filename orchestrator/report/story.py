"""The content of a report, computed once from the journal: stages, disturbances, moments and the chains' heights. Pure.

Every format uses it, so that no two formats can disagree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.gates import measured, verdict
from orchestrator.gates.judge import RunVerdict
from orchestrator.gates.timeline import Timeline
from orchestrator.journal import Chart, Clock, Event, GateVerdict, Journal, RunStarted, Verdict, anchors
from orchestrator.spec import Stage

TROUBLE = ("upgrade.failed", "experiment.failed", "nodes.behind", "run.aborted")
"""Events that readers look for first."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time in which the network was disturbed on purpose."""

    kind: str
    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class StageStory:
    """One stage: what was done, when, and the verdicts of its gates. The times are None if it never began."""

    name: str
    action: str
    start: float | None
    end: float | None
    bands: tuple[Band, ...]
    gates: tuple[GateVerdict, ...]
    left_out: Mapping[str, str]
    """Gates of the library that could not be judged on this network, each with the reason."""

    @property
    def verdict(self) -> Verdict:
        return verdict.merge(gate.verdict for gate in self.gates)


@dataclass(frozen=True, slots=True)
class Story:
    """A run from its start to its last entry."""

    run: RunStarted
    verdict: RunVerdict
    outcome: str
    start: float
    end: float
    stages: tuple[StageStory, ...]
    events: tuple[Event, ...]
    charts: tuple[Chart, ...]
    timeline: Timeline
    images: dict[str, str]
    torn: bool

    @property
    def bands(self) -> tuple[Band, ...]:
        return tuple(band for stage in self.stages for band in stage.bands)

    def since(self, when: float | None) -> str:
        """Time since the start of the run, such as `+3:07`."""
        if when is None:
            return ""
        minutes, seconds = divmod(round(when - self.start), 60)
        return f"+{minutes}:{seconds:02d}" if minutes >= 0 else "before"

    def headline(self) -> str:
        """How many gates have each verdict, worst first: `2 failed, 19 passed`."""
        said = [gate.verdict for gate in self.verdict.gates]
        ranked = sorted(set(said), key=verdict.rank, reverse=True)
        return ", ".join(f"{said.count(one)} {one.lower()}" for one in ranked) or "no gates"


def tell(journal: Journal, run_verdict: RunVerdict) -> Story:
    """The content of the reports on a run.

    Raises:
        UsageError: the journal has no `run.started`, so it does not say what was run.
    """
    run = journal.started
    times = [entry.at for entry in journal.entries]
    start = next((e.at for e in journal.all(Event) if e.name == "run.start"), run.at)
    stages = _stages(journal, run, run_verdict, max(times))
    finished = journal.finished
    return Story(
        run=run,
        verdict=run_verdict,
        outcome=finished.outcome if finished else "cut short",
        start=start,
        end=max(*times, start + 1.0),
        stages=tuple(stages),
        events=tuple(sorted(journal.all(Event), key=lambda event: event.at)),
        charts=journal.all(Chart),
        timeline=Timeline.of(journal.all(Clock)),
        images=journal.images,
        torn=journal.torn,
    )


def _stages(journal: Journal, run: RunStarted, run_verdict: RunVerdict, last: float) -> Iterator[StageStory]:
    known = {stage.name: stage for stage in run.rehearsal.spec.stages}
    for name in dict.fromkeys(gate.stage for gate in run_verdict.gates):
        times = anchors(journal.events(name))
        start = times.get("stage.start")
        end = times.get("stage.end", last if start is not None else None)
        stage = known.get(name)
        yield StageStory(
            name=name,
            action=_action(stage) if stage else "not in the rehearsal that was run",
            start=start,
            end=end,
            bands=tuple(_bands(stage, times, end)) if stage and end is not None else (),
            gates=tuple(gate for gate in run_verdict.gates if gate.stage == name),
            left_out=stage.left_out if stage else {},
        )


def _action(stage: Stage) -> str:
    if stage.experiment is not None:
        return f"{stage.experiment.chosen()} for {stage.experiment.duration:g} s"
    if stage.upgrade is not None:
        return f"runtime upgrade of {stage.upgrade.chain}"
    return f"hold for {stage.hold:g} s"


def _bands(stage: Stage, times: Mapping[str, float], end: float) -> Iterator[Band]:
    if stage.experiment is not None and "inject.confirmed" in times:
        over = times.get("recover.confirmed", end)
        yield Band("fault", stage.experiment.chosen(), times["inject.confirmed"], over)
    if stage.upgrade is not None and (start := times.get("upgrade.applied", times.get("upgrade.authorized"))):
        over = times.get("upgrade.failed", times.get("upgrade.completed", end))
        yield Band("upgrade", f"upgrade of {stage.upgrade.chain}", start, over)


def implied(gate: GateVerdict) -> bool:
    """Whether coalmine added the gate to the stage by itself."""
    return gate.gate in {measured.FAULT, measured.UPGRADE}


def figure(gate: GateVerdict) -> str:
    """The worst value with its unit, for a table."""
    if gate.value is None:
        return ""
    if gate.value in {float("inf"), float("-inf")}:
        return "∞"
    return f"{gate.value:.4g} {gate.unit}".strip()
