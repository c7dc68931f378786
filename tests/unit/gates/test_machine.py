"""A machine that is too slow excuses what was only too slow, with its figure, and nothing else."""

import pytest

from orchestrator.gates import machine
from orchestrator.gates.judge import judge
from orchestrator.journal import Event, Journal, Row, Samples
from orchestrator.metrics.signals import CATALOGUE
from tests.unit.gates import synthetic
from tests.unit.gates.asking import Logs, Prometheus, Stage1, said
from tests.unit.gates.building import START, gate, measured, node_of, samples, series

QUESTIONS = {question.key: question for question in machine.ask(1.0)}
CPU, MEMORY, DISK = QUESTIONS.values()


def waits(share, question=CPU, nodes=("validator-0", "validator-1")):
    return samples(question, *(series([share] * 11, node) for node in nodes))


SLOW = [
    ({"signal": "finalized-height", "increasesBy": 99}, range(11)),
    ({"signal": "finalized-height", "progresses": "2s"}, [5] * 11),
    ({"signal": "finalized-height", "recoversWithin": "9s"}, [5] * 11),
    ({"signal": "finalized-height", "ratePerMinute": {"atLeast": 99}}, range(11)),
    ({"signal": "finality-lag", "atMost": 3}, [9] * 11),
    ({"signal": "block-time", "atMost": 1}, [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]),
    ({"signal": "no-shows", "stalls": 0}, range(11)),
    ({"pods": "ready", "atLeast": 1}, [0] * 11),
]
"""Gates that fail by taking too long."""

NEVER = [
    ({"signal": "disputes", "stalls": 0}, range(11)),
    ({"signal": "disputes-lost", "stalls": 0}, range(11)),
    ({"signal": "import-failures", "atMost": 0}, [1] * 11),
    ({"signal": "task-panics", "stalls": 0}, range(11)),
    ({"signal": "finalized-height", "ratePerMinute": {"atMost": 1}}, range(11)),
    ({"signal": "finalized-height", "stalls": 0}, range(11)),
    ({"chainRead": "spec-version", "equals": 2}, [1] * 11),
    ({"pods": "restarts", "atMost": 0}, range(11)),
    ({"promql": "x{$selector}", "atMost": 0}, [1] * 11),
]
"""Gates whose failure no machine can cause."""


@pytest.mark.parametrize(("words", "values"), SLOW)
class TestWhatWasTooSlow:
    def test_fails_on_a_machine_that_had_time(self, words, values):
        assert measured(gate(**words), series(values)).judged().verdict == "FAILED"
        assert measured(gate(**words), series(values), extra=(waits(0.49),)).judged().verdict == "FAILED"

    @pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda question: question.key)
    def test_is_inconclusive_with_the_figure_on_a_machine_that_had_none(self, words, values, question):
        found = measured(gate(**words), series(values), extra=(waits(0.71, question),)).judged()
        assert found.verdict == "INCONCLUSIVE"
        assert "71% of the time" in found.reason
        assert "from 50% on the machine may be the cause" in found.reason

    def test_fails_there_too_for_who_wants_that(self, words, values):
        one = gate(**words, machine="ignore")
        assert measured(one, series(values), extra=(waits(0.99),)).judged().verdict == "FAILED"

    def test_has_a_threshold_of_its_own(self, words, values):
        assert measured(gate(**words, machine="80%"), series(values), extra=(waits(0.7),)).judged().verdict == "FAILED"
        found = measured(gate(**words, machine="20%"), series(values), extra=(waits(0.3),)).judged()
        assert found.verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(("words", "values"), NEVER)
def test_what_no_machine_can_cause_stays_failed(words, values):
    assert measured(gate(**words), series(values), extra=(waits(0.99),)).judged().verdict == "FAILED"


def test_a_starved_machine_passes_nothing():
    passing = [(gate(atMost=9), [1] * 11), (gate(signal="finalized-height", increasesBy=1), range(11))]
    for one, values in passing:
        assert measured(one, series(values), extra=(waits(0.99),)).judged().verdict == "PASSED"
    assert measured(gate(atMost=9), series([1] * 5), end=START + 9, extra=(waits(0.99),)).judged().verdict != "PASSED"


class TestTheFigure:
    GATE = gate(signal="finality-lag", atMost=3)

    def judged(self, *rows):
        return measured(self.GATE, series([9] * 11), extra=rows).judged().verdict

    def test_is_the_mean_over_nodes_so_that_one_busy_node_excuses_nobody(self):
        other = samples(CPU, series([0.9] * 11), series([0.0] * 11, "validator-1"))
        assert self.judged(other) == "FAILED"
        assert self.judged(samples(CPU, series([0.9] * 11), series([0.2] * 11, "validator-1"))) == "INCONCLUSIVE"

    def test_is_of_the_window_alone(self):
        assert self.judged(samples(CPU, series([0.9] * 9, first=11), first=START, end=START + 20)) == "FAILED"

    def test_of_a_node_of_which_most_is_missing_does_not_count(self):
        assert self.judged(samples(CPU, series([0.9] * 5), end=START + 10)) == "FAILED"
        assert self.judged(samples(CPU, series([0.9] * 6), end=START + 10)) == "INCONCLUSIVE"


def test_the_waits_are_asked_with_every_stage():
    one = Stage1(
        gate(atMost=3),
        prometheus=Prometheus(said("validator-0", *[9] * 11), machine=(said("validator-0", *[0.8] * 11),)),
        nodes=(node_of("validator-0"),),
    )  # fmt: skip
    (found,) = one.finish()
    assert (found.verdict, "waited for a CPU 80% of the time" in found.reason) == ("INCONCLUSIVE", True)
    logs = Stage1(gate(logs={"pattern": "x"}, atMost=0), logs=Logs(validator_0=(START + 1,)))
    assert logs.finish()[0].verdict == "FAILED"
    assert {entry.key for entry in logs.samples()} == set(QUESTIONS)


class TestAnUpgrade:
    """Of a parachain, that was not enacted in time: its validators could not prepare the code."""

    def judged(self, share, *, overdue):
        journal = synthetic.run(until=4, upgrade_fails=True)

        def changed(entry):
            if isinstance(entry, Event) and entry.name == "upgrade.failed":
                return entry.model_copy(update={"detail": entry.detail | {"overdue": overdue}})
            if isinstance(entry, Samples) and entry.key == CPU.key:
                rows = tuple(Row(labels=row.labels, values=(share,) * entry.count) for row in entry.rows)
                return entry.model_copy(update={"rows": rows})
            return entry

        found = judge(Journal.of(map(changed, journal.entries)))
        return next(g for g in found.gates if g.gate == "upgrade-enacted")

    def test_that_took_too_long_is_inconclusive_on_a_starved_machine(self):
        assert self.judged(0.8, overdue=True).verdict == "INCONCLUSIVE"
        assert self.judged(0.2, overdue=True).verdict == "FAILED"

    def test_that_broke_is_not(self):
        assert self.judged(0.8, overdue=False).verdict == "FAILED"


def test_every_signal_that_a_machine_slows_down_is_in_the_catalogue():
    assert set(machine.WAITS) | machine.SLOWED <= set(CATALOGUE)
    assert not {name for name in machine.SLOWED if "dispute" in name and CATALOGUE[name].kind == "counter"}
