"""Imperfect evidence: for each policy, what a naive engine says, what ours says by default, and what it may be told."""

import math

import pytest

from orchestrator.journal import Clock, ClockCheck
from tests.unit.gates.asking import Prometheus, Stage1, said
from tests.unit.gates.building import NOTHING, START, Values, gate, measured, node_of, series

TWO = ("validator-0", "validator-1")


class TestMissingSeries:
    def test_of_a_node_is_not_overlooked(self):
        rows = {"validator-0": [1, 1, 1, 1]}
        naive = all(value <= 3 for row in rows.values() for value in row)
        assert naive
        found = measured(gate(atMost=3), series(rows["validator-0"]), expected=TWO).judged()
        assert (found.verdict, found.reason) == ("INCONCLUSIVE", "no samples from validator-1")

    def test_may_be_a_failure(self):
        found = measured(gate(atMost=3, missing="fail"), series([1, 1, 1, 1]), expected=TWO).judged()
        assert (found.verdict, found.node) == ("FAILED", "validator-1")

    def test_is_no_failure_of_the_node_when_it_was_prometheus_that_failed(self):
        found = measured(gate(atMost=3, missing="fail"), expected=TWO, error="503").judged()
        assert (found.verdict, found.reason) == ("ERROR", "503")


MEAN = {"view": {"per": "all", "aggregate": "mean"}}


class TestFewerSeriesThanNodes:
    """Node 1 lags, and vanishes: the average gets better."""

    GOOD, BAD = (1, 1, 1, 1, 1, 1), (4, 4, NOTHING, NOTHING, NOTHING, NOTHING)

    def test_do_not_improve_an_average(self):
        last = [row[-1] for row in (self.GOOD, self.BAD) if row[-1] is not None]
        naive = sum(last) / len(last) <= 2
        assert naive
        found = measured(gate(atMost=3, **MEAN), series(self.GOOD), series(self.BAD, "validator-1")).judged()
        assert found.verdict == "INCONCLUSIVE"
        assert "4 of 6 samples are missing, 4 of them without a value of every node" in found.reason
        assert found.node == "validator-1"

    @pytest.mark.parametrize(("policy", "verdict"), [("fail", "FAILED"), ("ignore", "PASSED")])
    def test_may_mean_something_else(self, policy, verdict):
        one = gate(atMost=3, fewer=policy, **MEAN)
        assert measured(one, series(self.GOOD), series(self.BAD, "validator-1")).judged().verdict == verdict

    def test_of_a_node_that_never_said_anything_name_it(self):
        found = measured(gate(atMost=3, **MEAN), series(self.GOOD), expected=TWO).judged()
        assert (found.verdict, found.node) == ("INCONCLUSIVE", "validator-1")
        assert "nothing came from validator-1" in found.reason

    def test_do_not_improve_an_average_that_prometheus_made(self):
        own = gate(promql="avg(lag)", atMost=3)
        average = Values((2, 2, 1, 1, 1, 1), labels={})
        here = [series([1] * 6), series([1, 1, 0, 0, 0, 0], "validator-1")]
        found = measured(own, average, expected=TWO, present=here).judged()
        assert found.verdict == "INCONCLUSIVE"
        assert "without a value of every node" in found.reason
        assert measured(own, average, expected=TWO).judged().verdict == "PASSED"


class TestNumbersThatAreNone:
    @pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
    def test_are_no_evidence(self, odd):
        values = [1, 1, odd, 1, 1]
        naive = "FAILED" if any(value < 0 for value in values if value != -math.inf) else "PASSED"
        assert naive == "PASSED"
        assert measured(gate(atLeast=0), series(values)).judged().verdict == "INCONCLUSIVE"

    def test_may_be_a_failure(self):
        one = gate(atLeast=0, notANumber="fail", tolerate="50%")
        assert measured(one, series([1, 1, math.nan, 1])).judged().verdict == "FAILED"


class TestStaleSamples:
    """Scrapes stop; a Prometheus that looks back five minutes goes on showing the last good value."""

    SHOWN = (1, 1, 1, 1, 1, 1)
    PRESENT = series([1, 1, 0, 0, 0, 0])

    def verdict(self, policy="inconclusive"):
        own = gate(promql="lag{$selector}", atMost=3, stale=policy)
        return measured(own, series(self.SHOWN), present=[self.PRESENT]).judged()

    def test_are_not_believed(self):
        assert all(value <= 3 for value in self.SHOWN)
        found = self.verdict()
        assert found.verdict == "INCONCLUSIVE"
        assert "4 of them from a node that answered no scrape then" in found.reason

    def test_may_mean_something_else(self):
        assert self.verdict("fail").verdict == "FAILED"
        assert self.verdict("ignore").verdict == "PASSED"

    def test_of_a_breach_before_change_nothing(self):
        own = gate(promql="lag{$selector}", atMost=0, minSamples=2)
        assert measured(own, series(self.SHOWN), present=[self.PRESENT]).judged().verdict == "FAILED"


class TestCounterResets:
    def test_may_be_declared(self):
        """The default and `fail`, `rebase`, `ignore` are in test_verdicts; here that a sum is rebased node by node."""
        one = gate(
            signal="authored-blocks", increasesBy=9, view={"per": "all", "aggregate": "sum"}, counterReset="rebase"
        )
        rows = (series([9, 0, 2]), series([1, 4, 8], "validator-1"))
        totals = [10, 4, 10]
        naive = totals[-1] - totals[0]
        assert naive == 0
        found = measured(one, *rows).judged()
        assert (found.verdict, found.value) == ("PASSED", 9.0)


class TestGaps:
    """Three scrapes and more without an answer; what happened then nobody knows."""

    LAG = (1, 1, NOTHING, NOTHING, NOTHING, 1, 1)

    def test_are_not_bridged(self):
        naive = all(value <= 3 for value in self.LAG if value is not None)
        assert naive
        found = measured(gate(atMost=3), series(self.LAG)).judged()
        assert (found.verdict, found.reason) == ("INCONCLUSIVE", "validator-0: 3 of 7 samples are missing")

    def test_may_be_a_failure(self):
        assert measured(gate(atMost=3, gaps="fail"), series(self.LAG)).judged().verdict == "FAILED"

    def test_count_as_breaches_where_some_are_tolerated(self):
        assert measured(gate(atMost=3, tolerate="43%"), series(self.LAG)).judged().verdict == "PASSED"
        found = measured(gate(atMost=3, tolerate="43%", consecutive=2), series(self.LAG)).judged()
        assert found.verdict == "INCONCLUSIVE"

    def test_are_no_failure_where_nobody_asked(self):
        one = measured(gate(atMost=3, gaps="fail"), series([1, 1, 1]), end=START + 6)
        shorter = one.with_samples(lambda s: s.model_copy(update={"count": 3}))
        assert shorter.judged().verdict == "INCONCLUSIVE"


class TestWarnings:
    """A partial answer has the status 200 and looks like any other."""

    @pytest.mark.parametrize(("policy", "verdict"), [("inconclusive",) * 2, ("fail", "FAILED"), ("ignore", "PASSED")])
    def test_are_read(self, policy, verdict):
        answer = {"status": "success", "warnings": ["a store is away"], "data": [1, 1, 1, 1]}
        naive = answer["status"] == "success" and all(value <= 3 for value in answer["data"])
        assert naive
        prometheus = Prometheus(said("validator-0", *[1] * 11), warnings=("a store is away",))
        one = Stage1(gate(atMost=3, warnings=policy), prometheus=prometheus, nodes=(node_of("validator-0"),))
        found = one.finish()[0]
        assert found.verdict == verdict.upper()


class TestClocks:
    """Windows are in our time, samples in Prometheus', blocks in the chain's."""

    LAG = (1, 1, 1, 9, 9, 9)  # By Prometheus' clock, which is three seconds behind: the breach is in the window.

    def verdict(self, *extra, **words):
        one = measured(gate(atMost=3, **words), series([1] * 6))
        entries = tuple(e for e in one.entries if not isinstance(e, ClockCheck)) + extra
        return type(one)(one.gate, one.stage, entries, one.nodes, one.now).judged()

    def test_that_disagree_make_a_window_another_one(self):
        naive = all(value <= 3 for value in self.LAG[:3])
        assert naive
        found = self.verdict(ClockCheck(at=START + 6, prometheus=-9.0, uncertainty=0.1))
        assert (found.verdict, found.reason) == ("INCONCLUSIVE", "Prometheus' clock is 9.0 s behind ours")

    def test_that_nobody_compared_are_not_known_to_agree(self):
        assert self.verdict().verdict == "INCONCLUSIVE"

    @pytest.mark.parametrize(("ahead", "uncertainty"), [(9.0, 5.0), (100.0, 120.0), (0.0, 5.1), (-4.0, 1.1)])
    def test_that_were_compared_too_coarsely_to_tell_are_not_known_to_agree(self, ahead, uncertainty):
        found = self.verdict(ClockCheck(at=START + 6, prometheus=ahead, uncertainty=uncertainty))
        assert found.verdict == "INCONCLUSIVE"
        assert "too coarsely to tell" in found.reason

    def test_that_were_compared_well_once_are_known_to_agree(self):
        coarse = ClockCheck(at=START + 3, prometheus=9.0, uncertainty=50.0)
        assert self.verdict(coarse, ClockCheck(at=START + 6, prometheus=0.1, uncertainty=0.1)).verdict == "PASSED"

    @pytest.mark.parametrize(
        ("words", "verdict"),
        [({"clocks": "fail"}, "FAILED"), ({"clocks": "ignore"}, "PASSED"), ({"clockSkew": "10s"}, "PASSED")],
    )
    def test_may_disagree_as_far_as_the_gate_says(self, words, verdict):
        check = ClockCheck(at=START + 6, prometheus=-9.0, uncertainty=0.1)
        assert self.verdict(check, **words).verdict == verdict

    @pytest.mark.parametrize(("ahead", "verdict"), [(-3, "PASSED"), (8, "INCONCLUSIVE"), (-20, "INCONCLUSIVE")])
    def test_of_the_chain_are_compared_by_fresh_blocks(self, ahead, verdict):
        clocks = [
            Clock(at=START + i + 0.5, best=90 + i, finalized=80, session=0, stamp=START + i + 0.5 + ahead)
            for i in range(6)
        ]
        check = ClockCheck(at=START + 6, prometheus=0.0, uncertainty=0.1)
        assert self.verdict(check, *clocks).verdict == verdict
