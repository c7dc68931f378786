"""The verdict on whole runs, from their journals."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.gates.judge import CLOSED, baselines, compare, first, judge
from orchestrator.journal import Clock, ClockCheck, Event, Journal, Judged, Measurement, RunFinished, Samples
from orchestrator.spec import Window
from tests.unit.gates import synthetic
from tests.unit.gates.building import gate


@pytest.fixture(scope="module")
def journal():
    return synthetic.run()


def replaced(journal, kind, *new):
    kept = tuple(entry for entry in journal.entries if not isinstance(entry, kind))
    return Journal.of(kept + new)


def stricter(journal, stage, name, **update):
    spec = journal.started.rehearsal
    stages = tuple(
        s.model_copy(update={"gates": tuple(g.model_copy(update=update) if g.name == name else g for g in s.gates)})
        if s.name == stage else s
        for s in spec.spec.stages
    )  # fmt: skip
    return spec.model_copy(update={"spec": spec.spec.model_copy(update={"stages": stages})})


class TestARun:
    def test_passes_when_every_gate_of_every_stage_did(self, journal):
        verdict = judge(journal)
        assert (verdict.verdict, verdict.exit_code, verdict.reason) == ("PASSED", 0, "all 21 gates passed")

    def test_lists_its_gates_in_the_order_of_the_rehearsal(self, journal):
        stages = list(dict.fromkeys(gate.stage for gate in judge(journal).gates))
        assert stages == [stage.name for stage in journal.started.rehearsal.spec.stages]

    def test_that_was_cut_short_is_never_passed(self, journal):
        verdict = judge(replaced(journal, RunFinished))
        assert (verdict.verdict, verdict.exit_code, verdict.reason) == ("INCONCLUSIVE", 3, "the run was cut short")

    @pytest.mark.parametrize(("outcome", "code"), [("interrupted", 3), ("error", 4)])
    def test_that_did_not_complete_is_never_passed(self, journal, outcome, code):
        ended = RunFinished(at=2e9, outcome=outcome, detail="the lab is gone")
        assert judge(replaced(journal, RunFinished, ended)).exit_code == code

    def test_that_went_on_after_its_end_was_cut_short(self, journal):
        resumed = Journal.of((*journal.entries, Event(at=2e9, name="run.resumed")))
        assert judge(resumed).verdict == "INCONCLUSIVE"

    def test_without_a_gates_samples_is_inconclusive(self, journal):
        query = next(e.query for e in journal.all(Measurement) if e.gate.name == "finality-close")
        kept = [e for e in journal.all(Samples) if e.query != query]
        verdict = judge(replaced(journal, Samples, *kept, RunFinished(at=2e9, outcome="completed")))
        assert verdict.exit_code == 3
        (reason,) = {g.reason for g in verdict.gates if g.gate == "finality-close"}
        assert reason == "this was not asked during the run, so it has to be run again"

    def test_without_anything_is_inconclusive(self, journal):
        verdict = judge(Journal.of([journal.started, RunFinished(at=2e9, outcome="completed")]))
        assert {gate.verdict for gate in verdict.gates} == {"INCONCLUSIVE"}


class TestAnUpgrade:
    def test_that_failed_fails_the_run_and_names_gate_block_and_cause(self):
        verdict = judge(synthetic.run(until=4, upgrade_fails=True))
        assert verdict.exit_code == 1
        assert verdict.reason.startswith(
            "relay-upgrade / upgrade-enacted: the upgrade of relay failed in phase Applied at block 143: panicked at "
        )

    def test_that_nobody_saw_end_is_inconclusive(self, journal):
        kept = [e for e in journal.all(Event) if not e.name.startswith("upgrade.")]
        verdict = judge(replaced(journal, Event, *kept, RunFinished(at=2e9, outcome="completed")))
        found = {g.verdict for g in verdict.gates if g.gate == "upgrade-enacted"}
        assert found == {"INCONCLUSIVE"}


class TestAFault:
    def without(self, journal, name, *more):
        mine = lambda e: isinstance(e, Event) and (e.name, e.stage) == (name, "two-against-two")  # noqa: E731
        verdict = judge(Journal.of(one for e in journal.entries for one in (more if mine(e) else (e,))))
        return next(g for g in verdict.gates if g.gate == "fault-verified" and g.stage == "two-against-two")

    @pytest.mark.parametrize("name", ["inject.confirmed", "recover.confirmed"])
    def test_that_was_not_confirmed_is_inconclusive(self, journal, name):
        assert self.without(journal, name).verdict == "INCONCLUSIVE"

    def test_that_was_not_as_told_is_an_error(self, journal):
        failed = Event(at=1, name="experiment.failed", stage="two-against-two", detail={"cause": "no route was cut"})
        found = self.without(journal, "inject.confirmed", failed)
        assert (found.verdict, found.reason) == ("ERROR", "the fault failed: no route was cut")


class TestJudgingAgain:
    def test_with_another_threshold_says_what_changed(self, journal):
        other = stricter(journal, "baseline", "finality-close", at_most=2.0)
        before, after = judge(journal), judge(journal, other)
        (change,) = compare(before, after)
        assert (change.stage, change.gate) == ("baseline", "finality-close")
        assert (change.before.verdict, change.after.verdict) == ("PASSED", "FAILED")
        assert after.exit_code == 1

    def test_with_another_question_cannot_be_answered(self, journal):
        other = stricter(journal, "baseline", "finality-close", signal="leaves")
        found = next(g for g in judge(journal, other).gates if g.gate == "finality-close")
        assert found.verdict == "INCONCLUSIVE"
        assert "run again" in found.reason

    def test_gives_the_same_as_the_run_did(self, journal):
        judged = tuple(entry.verdict for entry in journal.entries if entry.kind == "verdict")
        assert judge(journal).gates == judged

    def test_with_another_window_reaches_as_far_as_the_stage_was_recorded(self, journal):
        shorter = Window.model_validate({"from": "stage.start", "for": "8s", "settle": "2s"})
        other = stricter(journal, "baseline", "finality-close", window=shorter)
        found = next(g for g in judge(journal, other).gates if g.gate == "finality-close")
        assert found.verdict == "PASSED"

    def test_with_a_window_beyond_the_samples_is_inconclusive_and_says_how_far_they_reach(self, journal):
        longer = Window.model_validate({"from": "run.start"})
        other = stricter(journal, "baseline", "finality-close", window=longer)
        found = next(g for g in judge(journal, other).gates if g.gate == "finality-close")
        assert found.verdict == "INCONCLUSIVE"
        assert "the recorded samples do not reach: 20 of 41 s were not recorded" in found.reason

    def test_with_another_gate_is_answered_when_its_question_was_asked(self, journal):
        spec = journal.started.rehearsal
        new = gate(name="never-far", signal="finality-lag", on={"chain": "relay"}, progresses="1h")
        (stage, *rest) = spec.spec.stages
        stages = (stage.model_copy(update={"gates": (*stage.gates, new)}), *rest)
        other = spec.model_copy(update={"spec": spec.spec.model_copy(update={"stages": stages})})
        found = next(g for g in judge(journal, other).gates if g.gate == "never-far")
        assert found.verdict == "PASSED"

    def test_is_compared_with_what_the_run_said(self, journal):
        said = [entry for entry in journal.entries if isinstance(entry, Judged)]
        changed = said[3].verdict.model_copy(update={"verdict": "FAILED"})
        entries = [e if e is not said[3] else e.model_copy(update={"verdict": changed}) for e in journal.entries]
        (change,) = compare(first(Journal.of(entries)), judge(journal))
        assert (change.gate, change.before.verdict, change.after.verdict) == (changed.gate, "FAILED", "PASSED")


class TestAgainstAnEarlierRun:
    """The same rehearsal, run before: all figures are the same, so a gate may be no worse than that."""

    GATE = gate(
        name="lag-no-worse",
        signal="finality-lag",
        on={"chain": "relay"},
        noWorseThan={"run": "before", "percent": "0%"},
    )

    def judged(self, journal, earlier, **words):
        wanted = self.GATE.model_copy(update={"no_worse_than": self.GATE.no_worse_than.model_copy(update=words)})
        other = rehearsal_with(journal, wanted)
        figures = list(baselines(other, lambda _: earlier))
        return next(g for g in judge(journal, other, figures).gates if g.gate == "lag-no-worse"), figures

    def test_the_same_is_no_worse(self, journal):
        found, (figures,) = self.judged(journal, journal)
        assert found.verdict == "PASSED"
        assert figures.figures["validator-0"] == 3.0

    def test_more_than_the_allowed_share_is_worse(self, journal):
        earlier = lag_changed(journal, -1.0)  # 2 blocks then, 3 now.
        assert self.judged(journal, earlier, percent=0.5)[0].verdict == "PASSED"
        found, _ = self.judged(journal, earlier, percent=0.49)
        assert found.verdict == "FAILED"
        assert "mean 3 blocks, in run before 2 blocks" in found.reason

    def test_which_way_is_worse_may_be_said(self, journal):
        assert self.judged(journal, lag_changed(journal, 1.0), worse="lower")[0].verdict == "FAILED"

    def test_a_run_that_is_not_there_is_no_comparison(self, journal):
        def read(_):
            raise UsageError("cannot read the journal before")

        (entry,) = baselines(rehearsal_with(journal, self.GATE), read)
        assert entry.lacking == {"": "cannot read the journal before"}
        found = judge(journal, rehearsal_with(journal, self.GATE), [entry]).gates[0]
        assert found.verdict == "INCONCLUSIVE"
        assert "cannot read the journal before" in found.reason

    def test_a_hole_in_either_run_is_no_comparison(self, journal):
        holed = lag_changed(journal, None)
        assert self.judged(journal, holed)[0].verdict == "INCONCLUSIVE"
        assert self.judged(holed, journal)[0].verdict == "INCONCLUSIVE"


def rehearsal_with(journal, *gates):
    (stage, *rest) = journal.started.rehearsal.spec.stages
    spec = journal.started.rehearsal.spec.model_copy(
        update={"stages": (stage.model_copy(update={"gates": gates}), *rest)}
    )
    return journal.started.rehearsal.model_copy(update={"spec": spec})


def lag_changed(journal, by):
    """The journal with another lag everywhere; for None, with one sample less of each node."""

    def changed(entry):
        if not isinstance(entry, Samples) or " - ignoring" not in entry.query:
            return entry
        rows = [
            row.model_copy(
                update={
                    "values": (*row.values[:5], None, *row.values[6:])
                    if by is None
                    else tuple(None if v is None else v + by for v in row.values)
                }
            )
            for row in entry.rows
        ]
        return entry.model_copy(update={"rows": tuple(rows)})

    return Journal.of(changed(entry) for entry in journal.entries)


class TestWhatComesAfterAStageWasClosed:
    """Changes nothing about it: it was judged live by what was known then."""

    CLOSING = (CLOSED, "baseline")

    def later(self, journal, *entries):
        at = next(
            i for i, e in enumerate(journal.entries) if isinstance(e, Event) and (e.name, e.stage) == self.CLOSING
        )
        changed = Journal.of((*journal.entries[: at + 1], *entries, *journal.entries[at + 1 :]))
        mine = lambda found: [gate for gate in found.gates if gate.stage == "baseline"]  # noqa: E731
        return mine(judge(changed)), mine(judge(journal))

    def test_be_it_samples_clocks_comparisons_or_events(self, journal):
        others = [
            entry.model_copy(
                update={"rows": tuple(r.model_copy(update={"values": (99.0,) * entry.count}) for r in entry.rows)}
            )
            for entry in journal.all(Samples)[:8]
        ]
        check = ClockCheck(at=synthetic.START + 30, prometheus=500.0, uncertainty=0.1)
        clock = Clock(at=synthetic.START + 30.5, best=9999, finalized=9999, session=99, stamp=1.0)
        aborted = Event(
            at=synthetic.START + 30, name="stage.aborted", stage="baseline", detail={"gate": "finality-close"}
        )
        for entries in ([*others], [check], [clock], [aborted], [*others, check, clock, aborted]):
            after, before = self.later(journal, *entries)
            assert after == before
            assert {gate.verdict for gate in after} == {"PASSED"}
