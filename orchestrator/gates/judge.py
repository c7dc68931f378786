"""Judges a run by its journal alone. Called by `run` at its end, and by `coalmine judge` at any time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from orchestrator.errors import CoalmineError
from orchestrator.gates import implicit, verdict
from orchestrator.gates.evaluate import assess, figures
from orchestrator.gates.record import Record
from orchestrator.gates.window import moments
from orchestrator.journal import Baseline, GateVerdict, Journal, Judged, Verdict
from orchestrator.spec import Gate, Rehearsal, Stage


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """The verdict on a run, its reason, and the verdicts of all gates in the order of the rehearsal."""

    verdict: Verdict
    reason: str
    gates: tuple[GateVerdict, ...]

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

    `baselines` are figures of earlier runs that the journal does not hold, for gates that the run did not have.

    Raises:
        UsageError: when the journal does not even say what was run.
    """
    rehearsal = rehearsal or journal.started.rehearsal
    record = Record.of(journal)
    for baseline in baselines:
        record.add(baseline)
    last = max(entry.at for entry in journal.entries)
    gates: list[GateVerdict] = []
    for stage in rehearsal.spec.stages:
        gates += stage_verdicts(stage, record, ended(stage, record, last))
    outcome, told = _outcome(journal)
    merged = verdict.merge([*(gate.verdict for gate in gates), outcome])
    return RunVerdict(merged, _reason(merged, gates, outcome, told), tuple(gates))


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
    """The time at which a stage is judged, unix seconds: its end, or `last`, the time of the journal's last entry."""
    return moments(stage.name, record.events).get("stage.end", last)


def stage_verdicts(stage: Stage, record: Record, now: float) -> list[GateVerdict]:
    """The verdicts of one stage's gates. Those of its implicit gates come first."""
    events = [event for event in record.events if event.stage == stage.name]
    found = list(implicit.verdicts(stage, events, record.timeline))
    return found + [assess(stage, gate, record, now).verdict for gate in stage.gates]


def baselines(rehearsal: Rehearsal, read: Callable[[str], Journal]) -> Iterator[Baseline]:
    """The figures of earlier runs that a rehearsal's gates compare with, for this run's journal.

    `read` finds a run's journal by its name. For a run that cannot be read, the figures are empty, with the reason.
    """
    for stage in rehearsal.spec.stages:
        for gate in stage.gates:
            if gate.no_worse_than is not None:
                yield _baseline(stage, gate, gate.no_worse_than.run, read)


def _baseline(stage: Stage, gate: Gate, run: str, read: Callable[[str], Journal]) -> Baseline:
    try:
        journal = read(run)
        record = Record.of(journal)
    except CoalmineError as error:
        return Baseline(run=run, stage=stage.name, gate=gate, lacking={"": error.message})
    assert gate.no_worse_than is not None
    there = stage.model_copy(update={"name": gate.no_worse_than.stage or stage.name})
    return figures(stage, gate, run, record, ended(there, record, max(entry.at for entry in journal.entries)))


def compare(before: RunVerdict, after: RunVerdict) -> tuple[Change, ...]:
    """The gates whose verdict differs between two judgements of one run."""
    old = {(gate.stage, gate.gate): gate for gate in before.gates}
    new = {(gate.stage, gate.gate): gate for gate in after.gates}
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
    return Verdict.PASSED, ""


def _reason(merged: Verdict, gates: list[GateVerdict], outcome: Verdict, told: str) -> str:
    """One sentence about what decided: the first gate with the merged verdict, or how the run ended."""
    deciding = [gate for gate in gates if gate.verdict is merged]
    if merged is Verdict.PASSED:
        return f"all {len(gates)} gates passed"
    if not deciding:
        return told
    first = deciding[0]
    more = f" ({len(deciding)} of {len(gates)} gates are {merged})" if len(deciding) > 1 else ""
    ending = f"; {told}" if outcome is not Verdict.PASSED else ""
    return f"{first.stage} / {first.gate}: {first.reason}{more}{ending}"
