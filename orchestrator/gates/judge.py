"""Judges a run by its journal alone. Called by `run` at its end, and by `coalmine judge` at any time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.errors import CoalmineError
from orchestrator.gates import measured, verdict
from orchestrator.gates.assess import assess, figures
from orchestrator.gates.measured import FAULT, UPGRADE
from orchestrator.gates.record import Record
from orchestrator.gates.window import moments, time_of
from orchestrator.journal import Baseline, Event, GateVerdict, Journal, Judged, Verdict
from orchestrator.spec import Gate, Rehearsal, Stage

CLOSED = "stage.closed"
"""The event that `run` records when all evidence for a stage is in, before it judges it."""


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """The verdict on a run, its reason, and the verdicts of all gates in the order of the rehearsal.

    `left_out` are verdicts of the run's own gates that are not among `gates`, because the run was judged by other
    gates. They count for the verdict: leaving out the gate that failed does not make a run pass.
    """

    verdict: Verdict
    reason: str
    gates: tuple[GateVerdict, ...]
    left_out: tuple[GateVerdict, ...] = ()

    @property
    def every(self) -> tuple[GateVerdict, ...]:
        """All verdicts that count."""
        return self.gates + self.left_out

    @property
    def exit_code(self) -> int:
        """The exit code of the process for this verdict."""
        return verdict.exit_code(self.verdict)


@dataclass(frozen=True, slots=True)
class Change:
    """A gate with different verdicts in two judgements. `before` or `after` is None if that one lacks the gate."""

    stage: str
    gate: str
    before: GateVerdict | None
    after: GateVerdict | None


def judge(journal: Journal, rehearsal: Rehearsal | None = None, baselines: Iterable[Baseline] = ()) -> RunVerdict:
    """Judges all gates of the rehearsal, by default the one that was run, on what the journal holds.

    What was done to the network is what the run did, whatever another rehearsal says of it. `baselines` are figures of
    earlier runs that the journal does not hold, for gates that the run did not have.

    Raises:
        UsageError: when the journal does not even say what was run.
    """
    started = journal.started
    own, wanted = started.rehearsal.spec.stages, (rehearsal or started.rehearsal).spec.stages
    record = Record.begun(started)
    for baseline in baselines:
        record.add(baseline)
    done = {stage.name: stage for stage in own}
    found = _by_stage([as_done(stage, done) for stage in wanted], journal, record)
    left_out = _left_out(own, wanted, journal)
    gates = tuple(gate for stage in wanted for gate in found[stage.name])
    outcome, told = _outcome(journal)
    merged = verdict.merge([*(gate.verdict for gate in (*gates, *left_out)), outcome])
    return RunVerdict(merged, _reason(merged, gates, left_out, outcome, told), gates, left_out)


def as_done(stage: Stage, done: Mapping[str, Stage]) -> Stage:
    """The stage with the disturbance that its run had."""
    own = done.get(stage.name)
    if own is None:
        return stage
    return stage.model_copy(update={"experiment": own.experiment, "upgrade": own.upgrade})


def _by_stage(stages: Iterable[Stage], journal: Journal, record: Record) -> dict[str, tuple[GateVerdict, ...]]:
    """The verdicts of each stage, by what the journal held when that stage was judged.

    What was recorded later belongs to later stages, and cannot fill what this one lacks.
    """
    waiting = {stage.name: stage for stage in stages}
    found: dict[str, tuple[GateVerdict, ...]] = {}
    last = 0.0

    def close(name: str) -> None:
        if (stage := waiting.pop(name, None)) is not None:
            found[name] = tuple(stage_verdicts(stage, record, ended(stage, record, last)))

    under_way = ""
    for entry in journal.entries:
        if isinstance(entry, Event) and entry.name == "stage.start" and entry.stage != under_way:
            close(under_way)
            under_way = entry.stage or ""
        record.add(entry)
        last = max(last, entry.at)
        if isinstance(entry, Event) and entry.name == CLOSED:
            close(entry.stage or "")
    for name in tuple(waiting):
        close(name)
    return found


def _left_out(own: Iterable[Stage], wanted: Iterable[Stage], journal: Journal) -> tuple[GateVerdict, ...]:
    """The verdicts of the run's own gates that another rehearsal does not have."""
    kept = {(stage.name, gate.name) for stage in wanted for gate in stage.gates}
    stages = {stage.name for stage in wanted}
    missing = [
        stage.model_copy(update={"gates": tuple(g for g in stage.gates if (stage.name, g.name) not in kept)})
        for stage in own
    ]
    missing = [stage for stage in missing if stage.gates or stage.name not in stages]
    found = _by_stage(missing, journal, Record.begun(journal.started)) if missing else {}
    implied = {FAULT, UPGRADE}
    return tuple(
        gate for stage in missing for gate in found[stage.name] if gate.gate not in implied or stage.name not in stages
    )


def first(journal: Journal) -> RunVerdict:
    """The verdict as the run gave it. Gates that the run did not judge are judged now.

    Raises:
        UsageError: as `judge` does.
    """
    again = judge(journal)
    said = {(entry.verdict.stage, entry.verdict.gate): entry.verdict for entry in journal.all(Judged)}
    gates = tuple(said.get((gate.stage, gate.gate), gate) for gate in again.gates)
    return RunVerdict(again.verdict, again.reason, gates)


def ended(stage: Stage, record: Record, last: float) -> float:
    """The time at which a stage is judged, unix seconds: its end, or `last`, the time of the latest entry."""
    return time_of(moments(stage.name, record.events), "stage.end", last)


def stage_verdicts(stage: Stage, record: Record, now: float) -> list[GateVerdict]:
    """The verdicts of one stage's gates. Those of its implicit gates come first."""
    found = list(measured.implicit(stage, record))
    return found + [assess(stage, gate, record, now).verdict for gate in stage.gates]


def baselines(rehearsal: Rehearsal, read: Callable[[str], Journal]) -> Iterator[Baseline]:
    """The figures of earlier runs that a rehearsal's gates compare with, for this run's journal.

    `read` finds a run's journal by its name. For a run that cannot be read, or was cut short, the figures are empty,
    with the reason.
    """
    for stage in rehearsal.spec.stages:
        for gate in stage.gates:
            if gate.no_worse_than is not None:
                yield _baseline(stage, gate, gate.no_worse_than.run, read)


def _baseline(stage: Stage, gate: Gate, run: str, read: Callable[[str], Journal]) -> Baseline:
    blank = Baseline(run=run, stage=stage.name, gate=gate)
    try:
        journal = read(run)
        record = Record.begun(journal.started)
    except CoalmineError as error:
        return blank.model_copy(update={"lacking": {"": error.message}})
    outcome, told = _outcome(journal)
    if outcome is not Verdict.PASSED:
        return blank.model_copy(update={"lacking": {"": told}})
    assert gate.no_worse_than is not None
    name = gate.no_worse_than.stage or stage.name
    for entry in journal.entries:
        record.add(entry)
        if isinstance(entry, Event) and (entry.name, entry.stage) == (CLOSED, name):
            break
    there = stage.model_copy(update={"name": name})
    return figures(stage, gate, run, record, ended(there, record, max(entry.at for entry in journal.entries)))


def compare(before: RunVerdict, after: RunVerdict) -> tuple[Change, ...]:
    """The gates whose verdict differs between two judgements of one run."""
    old = {(gate.stage, gate.gate): gate for gate in before.every}
    new = {(gate.stage, gate.gate): gate for gate in after.every}
    return tuple(
        Change(*key, old.get(key), new.get(key))
        for key in dict.fromkeys((*old, *new))
        if (a := old.get(key)) is None or (b := new.get(key)) is None or a.verdict is not b.verdict
    )


def _outcome(journal: Journal) -> tuple[Verdict, str]:
    """The best verdict that the end of the run allows, and why; PASSED if the run finished normally."""
    finished = journal.finished
    if finished is None:
        return Verdict.INCONCLUSIVE, "the run was cut short"
    told = f": {finished.detail}" if finished.detail else ""
    if finished.outcome == "error":
        return Verdict.ERROR, f"the run ended in an error{told}"
    if finished.outcome == "interrupted":
        return Verdict.INCONCLUSIVE, f"the run was interrupted{told}"
    ended = {event.stage for event in journal.all(Event) if event.name == "stage.end"}
    missing = [stage.name for stage in journal.started.rehearsal.spec.stages if stage.name not in ended]
    if missing:
        return Verdict.INCONCLUSIVE, f"stage {missing[0]} never ended{told}"
    return Verdict.PASSED, ""


def _reason(
    merged: Verdict, gates: Sequence[GateVerdict], left_out: Sequence[GateVerdict], outcome: Verdict, told: str
) -> str:
    """One sentence about what decided: the first gate with the merged verdict, or how the run ended."""
    every = [*gates, *left_out]
    deciding = [gate for gate in every if gate.verdict is merged]
    if merged is Verdict.PASSED:
        return f"all {len(every)} gates passed"
    if not deciding:
        return told
    first = deciding[0]
    mine = "" if first in gates else " (a gate of the run, which these gates leave out)"
    more = f" ({len(deciding)} of {len(every)} gates are {merged})" if len(deciding) > 1 else ""
    ending = f"; {told}" if outcome is not Verdict.PASSED else ""
    return f"{first.stage} / {first.gate}: {first.reason}{mine}{more}{ending}"
