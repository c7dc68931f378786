"""The verdict on a run, from its journal alone. Called by `run` at its end, and by `coalmine judge` at any time."""

from dataclasses import dataclass

from orchestrator.gates import implicit, verdict
from orchestrator.gates.evaluate import evaluate
from orchestrator.gates.window import Timeline
from orchestrator.journal import Clock, GateVerdict, Journal, Measurement, Verdict
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


def judge(journal: Journal, rehearsal: Rehearsal | None = None) -> RunVerdict:
    """Judges all gates of the rehearsal, by default the one that was run, on what the journal holds.

    Raises:
        UsageError: when the journal does not even say what was run.
    """
    rehearsal = rehearsal or journal.started.rehearsal
    timeline = Timeline.of(journal.all(Clock))
    measured = {(entry.stage, entry.gate.name): entry for entry in journal.all(Measurement)}
    gates: list[GateVerdict] = []
    for stage in rehearsal.spec.stages:
        gates += implicit.verdicts(stage, journal.events(stage.name), timeline)
        gates += (_gate(stage, gate, measured.get((stage.name, gate.name)), timeline) for gate in stage.gates)
    outcome, told = _outcome(journal)
    merged = verdict.merge([*(gate.verdict for gate in gates), outcome])
    return RunVerdict(merged, _reason(merged, gates, outcome, told), tuple(gates))


def compare(before: RunVerdict, after: RunVerdict) -> tuple[Change, ...]:
    """The gates whose verdict differs between two judgements of one run."""
    old = {(gate.stage, gate.gate): gate for gate in before.gates}
    new = {(gate.stage, gate.gate): gate for gate in after.gates}
    return tuple(
        Change(*key, old.get(key), new.get(key))
        for key in dict.fromkeys((*old, *new))
        if (a := old.get(key)) is None or (b := new.get(key)) is None or a.verdict is not b.verdict
    )


def _gate(stage: Stage, gate: Gate, measurement: Measurement | None, timeline: Timeline) -> GateVerdict:
    if measurement is None:
        return _unmeasured(stage, gate, "it was never measured")
    if not _same_evidence(gate, measurement.gate):
        return _unmeasured(stage, gate, "the run measured something else under this name, so it has to be run again")
    return evaluate(measurement.model_copy(update={"gate": gate}), timeline)


def _unmeasured(stage: Stage, gate: Gate, reason: str) -> GateVerdict:
    return GateVerdict(
        stage=stage.name,
        gate=gate.name,
        verdict=Verdict.INCONCLUSIVE,
        reason=reason,
        threshold=gate.threshold_text(),
    )


def _same_evidence(wanted: Gate, measured: Gate) -> bool:
    """Whether what was measured for one gate tells about the other: same question, same nodes, same window."""
    fields = ("signal", "promql", "chain_read", "on", "window", "faulted", "recovers_within")
    return all(getattr(wanted, field) == getattr(measured, field) for field in fields)


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
