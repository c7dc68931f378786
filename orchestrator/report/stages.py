"""The stages of a run: what was done, when, how the network was disturbed, and the gates' verdicts. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.gates import measured, verdict
from orchestrator.gates.judge import RunVerdict
from orchestrator.journal import GateVerdict, Journal, Verdict, anchors
from orchestrator.spec import Stage


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time in which the network was disturbed on purpose."""

    kind: str
    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class StageStory:
    """One stage. The times are None if it never began. `times`: the first time of each of its events, by name."""

    name: str
    action: str
    start: float | None
    end: float | None
    times: Mapping[str, float]
    bands: tuple[Band, ...]
    gates: tuple[GateVerdict, ...]
    left_out: Mapping[str, str]
    """Gates of the library that could not be judged on this network, each with the reason."""

    @property
    def verdict(self) -> Verdict:
        return verdict.merge(gate.verdict for gate in self.gates)


def stages(journal: Journal, run_verdict: RunVerdict, last: float) -> Iterator[StageStory]:
    """The stages in the order of the rehearsal. `last` is the time of the journal's last entry."""
    known = {stage.name: stage for stage in journal.started.rehearsal.spec.stages}
    for name in dict.fromkeys(gate.stage for gate in run_verdict.every):
        times = anchors(journal.events(name))
        start = times.get("stage.start")
        end = times.get("stage.end", last if start is not None else None)
        stage = known.get(name)
        yield StageStory(
            name=name,
            action=_action(stage) if stage else "not in the rehearsal that was run",
            start=start,
            end=end,
            times=times,
            bands=tuple(_bands(stage, times, end)) if stage and end is not None else (),
            gates=tuple(gate for gate in run_verdict.every if gate.stage == name),
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
    return "" if gate.value is None else amount(gate.value, gate.unit)


def amount(value: float, unit: str) -> str:
    """A number with its unit."""
    if value in {float("inf"), float("-inf")}:
        return "∞"
    return f"{value:.4g} {unit}".strip()
