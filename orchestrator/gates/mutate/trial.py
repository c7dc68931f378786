"""Judges the changed runs: which changes the gates of a file notice, and what would notice the others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from orchestrator.errors import UsageError
from orchestrator.gates import machine
from orchestrator.gates.judge import as_done, ended, judge, stage_verdicts
from orchestrator.gates.kinds import question
from orchestrator.gates.measured import FAULT
from orchestrator.gates.mutate.changes import mutants
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.mutate.rewrite import changed
from orchestrator.gates.mutate.subject import subject
from orchestrator.gates.mutate.suggest import Library, Would
from orchestrator.gates.record import Record
from orchestrator.journal import (
    AnyEntry,
    Baseline,
    Clock,
    Event,
    GateVerdict,
    Journal,
    Occurrences,
    Readings,
    Samples,
    Verdict,
)
from orchestrator.spec import Gate, Rehearsal


@dataclass(frozen=True, slots=True)
class Found:
    """What the gates say of a change: those that fail, and those that are merely inconclusive."""

    mutant: Mutant
    failed: tuple[str, ...]
    inconclusive: tuple[str, ...]
    would: Would | None = None

    @property
    def noticed(self) -> bool:
        return bool(self.failed)


@dataclass(frozen=True, slots=True)
class Trial:
    """All changes of a run, with what its gates say of them.

    `opaque` are gates with a query of their own. Nobody knows what it would have answered, so that they notice nothing
    but changes of events and of the chains' notes.
    """

    found: tuple[Found, ...]
    opaque: tuple[str, ...] = ()

    @property
    def noticed(self) -> tuple[Found, ...]:
        return tuple(found for found in self.found if found.noticed)

    @property
    def missed(self) -> tuple[Found, ...]:
        """The degradations that no gate notices."""
        return tuple(found for found in self.found if found.mutant.degradation and not found.noticed)

    @property
    def unsure(self) -> tuple[Found, ...]:
        """What is not noticed, and leaves a gate inconclusive."""
        return tuple(found for found in self.found if found.inconclusive and not found.noticed)

    @property
    def share(self) -> float:
        """The share of the degradations that are noticed; 1 if there are none."""
        all_ = sum(found.mutant.degradation for found in self.found)
        return 1 - len(self.missed) / all_ if all_ else 1.0


def examined(
    journal: Journal,
    rehearsal: Rehearsal | None = None,
    baselines: Iterable[Baseline] = (),
    tell: Callable[[int, int], object] = lambda _done, _total: None,
) -> Trial:
    """Changes the run in every way and judges it by the gates of the rehearsal, by default those that it had.

    `tell` is told how many changes are judged, of how many.

    Raises:
        UsageError: the run does not pass these gates as it is, so that nothing can be said of changes.
    """
    figures = tuple(baselines)
    verdict = judge(journal, rehearsal, figures)
    if verdict.verdict is not Verdict.PASSED:
        raise UsageError(
            f"the run does not pass these gates as it is: {verdict.reason}",
            hint="only of a run that passes can it be said what its gates would have noticed",
        )
    done = {stage.name: stage for stage in journal.started.rehearsal.spec.stages}
    stages = [as_done(stage, done) for stage in (rehearsal or journal.started.rehearsal).spec.stages]
    bench, found = Bench(journal, figures), list[Found]()
    wanted = tuple(mutants(journal, stages))
    for mutant in wanted:
        found.append(bench.found(mutant))
        tell(len(found), len(wanted))
    opaque = [f"{stage.name} / {gate.name}" for stage in stages for gate in stage.gates if not _known(gate)]
    return Trial(tuple(found), tuple(opaque))


def _known(gate: Gate) -> bool:
    return gate.promql is None or subject(question(gate, (), 1.0).key).known


class Bench:
    """A run whose mutants are judged. Of each stage, only the gates whose evidence has changed are judged again."""

    def __init__(self, journal: Journal, baselines: Sequence[Baseline]) -> None:
        self._journal = journal
        self._baselines = baselines
        self._library = Library.of(journal)
        self._recorded: tuple[str, Record] | None = None
        self._keys: dict[Gate, frozenset[str]] = {}

    def found(self, mutant: Mutant) -> Found:
        journal = mutant.of(self._journal)
        verdicts, after, now = self._judged(mutant, journal)
        failed = tuple(gate.gate for gate in verdicts if _notices(gate))
        unsure = tuple(gate.gate for gate in verdicts if gate.verdict is Verdict.INCONCLUSIVE)
        if failed or not mutant.degradation:
            return Found(mutant, failed, unsure)
        return Found(mutant, failed, unsure, self._library.would(mutant, self._before(mutant), after, now))

    def _judged(self, mutant: Mutant, journal: Journal) -> tuple[list[GateVerdict], Record, float]:
        until = mutant.phase.until + len(journal.entries) - len(self._journal.entries)
        record = self._record(journal.entries[:until])
        now = ended(mutant.phase.stage, record, max(entry.at for entry in journal.entries[:until]))
        indices = changed(self._journal, journal)
        changes = None if indices is None else [journal.entries[index] for index in indices]
        stage = mutant.phase.stage
        gates = tuple(gate for gate in stage.gates if changes is None or self._asks(gate, changes))
        if changes is not None and not changes:
            return [], record, now
        return stage_verdicts(stage.model_copy(update={"gates": gates}), record, now), record, now

    def _asks(self, gate: Gate, changes: Iterable[AnyEntry]) -> bool:
        """Whether a gate is judged by an entry that has changed.

        Every gate is judged by events, by the notes of the chains, and by what the nodes did not get of their machine.
        """
        if gate not in self._keys:
            started = self._journal.started
            asked = question(gate, started.nodes, started.scrape)
            questions = (asked, *asked.beside, *machine.ask(started.scrape))
            self._keys[gate] = frozenset(one.key for one in questions)
        return any(
            isinstance(entry, Clock | Event)
            or (isinstance(entry, Samples | Occurrences | Readings) and entry.key in self._keys[gate])
            for entry in changes
        )

    def _record(self, entries: Sequence[AnyEntry]) -> Record:
        record = Record.begun(self._journal.started)
        for entry in (*self._baselines, *entries):
            record.add(entry)
        return record

    def _before(self, mutant: Mutant) -> Record:
        """What was known when the stage was judged; kept, because a stage's mutants come one after the other."""
        if self._recorded is None or self._recorded[0] != mutant.stage:
            self._recorded = mutant.stage, self._record(self._journal.entries[: mutant.phase.until])
        return self._recorded[1]


def _notices(gate: GateVerdict) -> bool:
    """A gate that fails, or the word of the controller that its fault failed."""
    return gate.verdict is Verdict.FAILED or (gate.verdict is Verdict.ERROR and gate.gate == FAULT)
