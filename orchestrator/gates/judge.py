"""The verdict on a run, from its journal alone. Called by `run` at its end, and by `coalmine judge` at any time."""

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
    """All gates in the order of the rehearsal, what they mean together, and why."""

    verdict: Verdict
    reason: str
    gates: tuple[GateVerdict, ...]

    @property
    def exit_code(self) -> int:
        """What the process should end with."""
        return verdict.exit_code(self.verdict)


@dataclass(frozen=True, slots=True)
class Change:
    """A gate that two judgements see differently; None where one of them does not have the gate."""

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
    """The verdict as the run gave it; of gates that it did not come to judge, as they are judged now."""
    again = judge(journal)
    said = {(entry.verdict.stage, entry.verdict.gate): entry.verdict for entry in journal.all(Judged)}
    gates = tuple(said.get((gate.stage, gate.gate), gate) for gate in again.gates)
    return RunVerdict(again.verdict, again.reason, gates)


def ended(stage: Stage, record: Record, last: float) -> float:
    """The time as of which a stage is judged: its end, or the last that was heard of the run."""
    return moments(stage.name, record.events).get("stage.end", last)


def stage_verdicts(stage: Stage, record: Record, now: float) -> list[GateVerdict]:
    """The gates of one stage, those first that it has without naming them."""
    events = [event for event in record.events if event.stage == stage.name]
    found = list(implicit.verdicts(stage, events, record.timeline))
    return found + [assess(stage, gate, record, now).verdict for gate in stage.gates]


def baselines(rehearsal: Rehearsal, read: Callable[[str], Journal]) -> Iterator[Baseline]:
    """The figures of earlier runs that a rehearsal's gates compare with, for this run's journal.

    `read` finds a run's journal by its name. A run that cannot be read is there as one without figures.
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
    """What the run's end allows at best."""
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
    """One sentence: what decided. The first gate of the merged verdict, or the run's own end."""
    deciding = [gate for gate in gates if gate.verdict is merged]
    if merged is Verdict.PASSED:
        return f"all {len(gates)} gates passed"
    if not deciding:
        return told
    first = deciding[0]
    more = f" ({len(deciding)} of {len(gates)} gates are {merged})" if len(deciding) > 1 else ""
    ending = f"; {told}" if outcome is not Verdict.PASSED else ""
    return f"{first.stage} / {first.gate}: {first.reason}{more}{ending}"
