"""The verdict on whole runs, from their journals."""

import pytest

from orchestrator.gates.judge import compare, judge
from orchestrator.journal import Event, Journal, Measurement, RunFinished, Samples
from tests.unit.gates import synthetic


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
        kept = [e for e in journal.all(Event) if e.name != name]
        verdict = judge(replaced(journal, Event, *kept, *more, RunFinished(at=2e9, outcome="completed")))
        return next(g for g in verdict.gates if g.gate == "fault-verified" and g.stage == "two-against-two")

    @pytest.mark.parametrize("name", ["inject.confirmed", "recover.confirmed"])
    def test_that_was_not_confirmed_is_inconclusive(self, journal, name):
        assert self.without(journal, name).verdict == "INCONCLUSIVE"

    def test_that_was_not_as_told_is_an_error(self, journal):
        failed = Event(at=1, name="experiment.failed", stage="two-against-two", detail={"cause": "no route was cut"})
        found = self.without(journal, "inject.confirmed", failed)
        assert (found.verdict, found.reason) == ("ERROR", "the fault was not as told: no route was cut")


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
