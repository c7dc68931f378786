"""What single measurements mean: each threshold, each way in which evidence can fall short."""

import math
from dataclasses import replace

import pytest

from orchestrator.gates.samples import series as module
from orchestrator.journal import Verdict
from tests.unit.gates.building import NOTHING, START, gate, measured, series, verdict

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("words", "values", "expected"),
    [
        ({"atMost": 3}, [1, 2, 3], "PASSED"),
        ({"atMost": 3}, [1, 2, 4], "FAILED"),
        ({"atLeast": 3}, [3, 4, 5], "PASSED"),
        ({"atLeast": 3}, [3, 2, 5], "FAILED"),
        ({"between": {"low": 1, "high": 3}}, [1, 2, 3], "PASSED"),
        ({"between": {"low": 1, "high": 3}}, [0, 2, 3], "FAILED"),
        ({"equals": 0}, [0, 0, 0], "PASSED"),
        ({"equals": 0}, [0, 1, 0], "FAILED"),
        ({"atMost": 3, "tolerate": "25%"}, [1, 9, 1, 1], "PASSED"),
        ({"atMost": 3, "tolerate": "25%"}, [1, 9, 9, 1], "FAILED"),
        ({"signal": "finalized-height", "increasesBy": 3}, [5, 6, 8], "PASSED"),
        ({"signal": "finalized-height", "increasesBy": 4}, [5, 6, 8], "FAILED"),
        ({"signal": "best-height", "increasesBy": 3}, [5, 4, 8], "PASSED"),
        ({"signal": "finalized-height", "stalls": 1}, [5, 6, 6], "PASSED"),
        ({"signal": "finalized-height", "stalls": 0}, [5, 6, 6], "FAILED"),
        ({"signal": "best-height", "stalls": 2}, [9, 6, 9], "FAILED"),
        ({"signal": "finalized-height", "recoversWithin": "3s"}, [5, 5, 6, 7], "PASSED"),
        ({"signal": "finalized-height", "recoversWithin": "3s"}, [5, 5, 6, 6], "INCONCLUSIVE"),
        ({"signal": "finalized-height", "recoversWithin": "2s"}, [5, 5, 5], "FAILED"),
        ({"signal": "block-time", "atMost": 2}, [5, 5, 6, 6, 7], "PASSED"),
        ({"signal": "block-time", "atMost": 2}, [5, 5, 5, 6, 6], "FAILED"),
        ({"signal": "block-time", "atMost": 2}, [5, 5, 5, 5, 5], "FAILED"),
        ({"signal": "task-panics", "stalls": 0}, [0, 0, 1], "FAILED"),
        ({"signal": "finalized-height", "ratePerMinute": {"atLeast": 30}}, [5, 5, 6], "PASSED"),
        ({"signal": "finalized-height", "ratePerMinute": {"atLeast": 31}}, [5, 5, 6], "FAILED"),
        ({"signal": "finalized-height", "ratePerMinute": {"atLeast": 0, "atMost": 29}}, [5, 5, 6], "FAILED"),
        ({"signal": "finalized-height", "progresses": "2s"}, [5, 5, 5, 6, 6, 6, 7], "PASSED"),
        ({"signal": "finalized-height", "progresses": "1s"}, [5, 5, 5, 6, 6, 6, 7], "FAILED"),
        ({"signal": "best-height", "progresses": "3s"}, [5, 6, 5, 6, 6, 6, 7], "FAILED"),
        ({"atMost": 3, "tolerate": "50%", "consecutive": 1}, [1, 9, 1, 9, 1, 1], "PASSED"),
        ({"atMost": 3, "tolerate": "50%", "consecutive": 1}, [1, 9, 9, 1, 1, 1], "FAILED"),
        ({"pods": "restarts", "equals": 0}, [4, 4, 4], "PASSED"),
        ({"pods": "restarts", "equals": 0}, [4, 4, 5], "FAILED"),
        ({"pods": "restarts", "equals": 0}, [0, 0, 2, 0], "FAILED"),
        ({"pods": "restarts", "equals": 0}, [2, 2, 2, 0], "INCONCLUSIVE"),
        ({"pods": "restarts", "equals": 0}, [0, 0, 2, NAN], "FAILED"),
        ({"chainRead": "spec-version", "equals": 2}, [2, 2, 2], "PASSED"),
    ],
)
def test_thresholds(words, values, expected):
    assert verdict(gate(**words), series(values)) == expected


@pytest.mark.parametrize(
    "words", [{"atMost": 3}, {"atLeast": 0}, {"equals": 0}, {"signal": "task-panics", "stalls": 0}]
)
class TestWithoutGoodEvidenceNothingPasses:
    def test_no_series(self, words):
        assert verdict(gate(**words), expected=("validator-0",)) == "INCONCLUSIVE"

    def test_no_series_of_an_aggregate(self, words):
        own = {**words, "promql": "sum(x)", "signal": None}
        assert verdict(gate(**own), expected=("validator-0",)) == "INCONCLUSIVE"

    def test_an_empty_series(self, words):
        assert verdict(gate(**words), series([])) == "INCONCLUSIVE"

    def test_nan(self, words):
        assert verdict(gate(**words), series([0, NAN, 0, 0])) == "INCONCLUSIVE"
        assert verdict(gate(**words), series([NAN] * 5)) == "INCONCLUSIVE"

    @pytest.mark.parametrize("odd", [INF, -INF])
    def test_infinity(self, words, odd):
        assert verdict(gate(**words), series([0, odd, 0, 0])) == "INCONCLUSIVE"

    def test_too_few_samples(self, words):
        assert verdict(gate(**words), series([0, 0])) == "INCONCLUSIVE"

    def test_one_node_silent(self, words):
        everybody = ("validator-0", "validator-1")
        result = measured(gate(**words), series([0, 0, 0, 0]), expected=everybody).judged()
        assert result.verdict == "INCONCLUSIVE"
        assert "validator-1" in result.reason

    @pytest.mark.parametrize("values", [[NOTHING, 0, 0, 0, 0], [0, 0, NOTHING, 0, 0]], ids=["first", "middle"])
    def test_a_hole(self, words, values):
        assert verdict(gate(**words), series(values)) == "INCONCLUSIVE"

    def test_an_end_that_nothing_covers(self, words):
        assert verdict(gate(**words), series([0, 0, 0, 0]), end=START + 5) == "INCONCLUSIVE"

    def test_a_window_that_never_closed(self, words):
        assert verdict(gate(**words), series([0, 0, 0, 0]), is_open=True) == "INCONCLUSIVE"

    def test_a_warning_of_prometheus(self, words):
        assert verdict(gate(**words), series([0, 0, 0, 0]), warnings=("partial",)) == "INCONCLUSIVE"

    def test_everybody_left_out(self, words):
        assert verdict(gate(**words), series([0, 0, 0, 0]), spared=("validator-0",)) == "INCONCLUSIVE"

    def test_enough_of_it_passes(self, words):
        assert verdict(gate(**words), series([0, 0, 0, 0])) == "PASSED"


class TestABreachThatWasSeenStays:
    def test_beside_nan(self):
        assert verdict(gate(atMost=3), series([1, NAN, 9, 1])) == "FAILED"

    def test_beside_a_silent_node(self):
        everybody = ("validator-0", "validator-1")
        assert verdict(gate(atMost=3), series([1, 9, 1]), expected=everybody) == "FAILED"

    def test_beside_a_warning(self):
        assert verdict(gate(atMost=3), series([1, 9, 1]), warnings=("partial",)) == "FAILED"

    def test_in_a_window_that_never_closed(self):
        assert verdict(gate(atMost=3), series([1, 9, 1]), is_open=True) == "FAILED"

    def test_unless_the_rest_of_an_open_window_could_bring_the_share_down(self):
        words = gate(atMost=3, tolerate="30%")
        assert verdict(words, series([1, 9, 9, 1]), is_open=True) == "INCONCLUSIVE"

    def test_unless_more_of_the_window_could_still_be_within_the_tolerated_share(self):
        words = gate(atMost=3, tolerate="30%")
        assert verdict(words, series([1, 9, 9, 1])) == "FAILED"
        assert verdict(words, series([1, 9, 9, 1]), end=START + 20) == "INCONCLUSIVE"

    def test_and_growth_where_a_stall_was_expected(self):
        assert verdict(gate(signal="best-height", stalls=1), series([1, 1, NOTHING, 9]), is_open=True) == "FAILED"


class TestHolesCountAsBreaches:
    def test_within_the_tolerated_share(self):
        assert verdict(gate(atMost=3, tolerate="25%"), series([1, NOTHING, 1, 1])) == "PASSED"

    def test_beyond_it(self):
        assert verdict(gate(atMost=3, tolerate="25%"), series([1, NOTHING, 9, 1])) == "INCONCLUSIVE"

    def test_but_one_in_a_counter_may_hide_a_reset(self):
        words = {"signal": "disputes", "atMost": 9, "tolerate": "40%"}
        assert verdict(gate(**words), series([5, NOTHING, 6, 6])) == "INCONCLUSIVE"

    def test_and_an_uncovered_edge_shows_no_lack_of_growth(self):
        words = {"signal": "best-height", "increasesBy": 1}
        assert verdict(gate(**words), series([5, 5, 5]), end=START + 3) == "INCONCLUSIVE"
        assert verdict(gate(**words), series([NOTHING, 5, 5, 5])) == "INCONCLUSIVE"


class TestResets:
    WORDS = {"signal": "task-panics", "increasesBy": 1}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [("inconclusive", "INCONCLUSIVE"), ("fail", "FAILED"), ("rebase", "PASSED"), ("ignore", "FAILED")],
    )
    def test_the_policy_decides(self, policy, expected):
        assert verdict(gate(**self.WORDS, counterReset=policy), series([5, 6, 0, 1])) == expected

    def test_without_a_policy_nothing_passes(self):
        assert verdict(gate(signal="task-panics", atMost=9), series([5, 0, 0, 0])) == "INCONCLUSIVE"
        assert verdict(gate(signal="finalized-height", stalls=9), series([5, 0, 0, 0])) == "INCONCLUSIVE"
        assert verdict(gate(promql="x{$selector}", stalls=9), series([5, 0, 0, 0])) == "INCONCLUSIVE"

    def test_a_counter_counts_on_from_zero_and_a_height_from_where_it_is(self):
        words = {"increasesBy": 100, "counterReset": "rebase"}
        grown = measured(gate(signal="disputes", **words), series([5, 6, 2, 3])).judged()
        assert grown.value == 4
        grown = measured(gate(signal="finalized-height", **words), series([5, 6, 2, 3])).judged()
        assert grown.value == 2

    def test_a_reorganisation_is_none(self):
        assert verdict(gate(signal="best-height", increasesBy=1), series([5, 4, 6])) == "PASSED"

    def test_a_breach_beside_it_stays(self):
        assert verdict(gate(signal="task-panics", atMost=3), series([9, 0, 0])) == "FAILED"


class TestRecovery:
    WORDS = gate(signal="finalized-height", recoversWithin="4s")

    def test_tells_the_seconds_of_the_slowest_node(self):
        result = measured(self.WORDS, series([5, 6, 7, 7, 7]), series([5, 5, 5, 6, 7], "validator-1")).judged()
        assert (result.verdict, result.value, result.unit, result.node) == ("PASSED", 3.0, "s", "validator-1")

    def test_after_the_end_comes_too_late(self):
        late = series([5, 5, 5, 5, 5, 6])
        assert verdict(self.WORDS, late, end=START + 4) == "FAILED"

    def test_may_be_seen_before_a_window_without_end(self):
        assert verdict(self.WORDS, series([5, 5, 6, 7]), is_open=True) == "PASSED"
        assert verdict(self.WORDS, series([5, 5, 6]), is_open=True) == "INCONCLUSIVE"
        assert verdict(self.WORDS, series([5, 5, 5]), is_open=True) == "INCONCLUSIVE"

    def test_is_not_sure_yet_where_a_policy_could_still_fail_it(self):
        strict = gate(signal="finalized-height", recoversWithin="4s", notANumber="fail")
        assert verdict(strict, series([5, 6, 7]), is_open=True) == "INCONCLUSIVE"

    def test_of_a_node_that_answers_late_is_measured_from_what_it_said_before(self):
        before, after = series([5, 5], first=-9), series([5, 6, 7], first=2)
        assert verdict(self.WORDS, before, after, since=START - 10) == "PASSED"
        assert verdict(self.WORDS, after) == "INCONCLUSIVE"
        forks = gate(signal="best-height", recoversWithin="4s")  # A head may fall, so nothing is known about the start.
        assert verdict(forks, before, after, since=START - 10) == "INCONCLUSIVE"

    def test_of_a_node_that_answers_late_does_not_count_what_it_came_back_with(self):
        before, after = series([5, 5], first=-9), series([7, 7, 7], first=2)
        assert verdict(self.WORDS, before, after, since=START - 10) == "FAILED"

    def test_of_a_node_that_never_answers_again_may_fail(self):
        before = series([5, 5], first=-9)
        strict = gate(signal="finalized-height", recoversWithin="4s", missing="fail")
        result = measured(strict, before, end=START + 4, since=START - 10).judged()
        assert (result.verdict, result.reason[:27]) == ("FAILED", "no samples from validator-0")

    def test_of_a_counter_is_not_hidden_by_a_reset(self):
        words = gate(signal="authored-blocks", recoversWithin="4s")
        assert verdict(words, series([5, 0, 6, 7])) == "INCONCLUSIVE"
        assert verdict(words, series([5, NOTHING, 6, 7])) == "INCONCLUSIVE"
        assert verdict(words, series([5, 5, 6, 7])) == "PASSED"


class TestProgress:
    """A hole in the middle of a standstill: only what never falls is known to have stood still in there."""

    HOLED = (5, 5, 5, NOTHING, 5, 5, 5)

    def test_of_what_never_falls_is_known_across_a_hole(self):
        words = gate(signal="finalized-height", progresses="4s")
        assert verdict(words, series(self.HOLED)) == "FAILED"
        assert verdict(words, series((5, 5, 5, NOTHING, 6, 6, 6))) == "INCONCLUSIVE"

    def test_of_what_may_fall_is_not(self):
        assert verdict(gate(signal="best-height", progresses="4s"), series(self.HOLED)) == "INCONCLUSIVE"
        assert verdict(gate(signal="best-height", progresses="1s"), series(self.HOLED)) == "FAILED"

    def test_that_stops_for_good_fails_while_the_window_is_open(self):
        words = gate(signal="finalized-height", progresses="2s")
        assert verdict(words, series([5, 6, 6, 6]), is_open=True) == "INCONCLUSIVE"
        found = measured(words, series([5, 6, 6, 6, 6]), is_open=True).judged()
        assert (found.verdict, found.value, found.unit) == ("FAILED", 3.0, "s")


class TestABreachInARow:
    def test_fails_an_open_window(self):
        words = gate(atMost=3, tolerate="90%", consecutive=2)
        assert verdict(words, series([1, 9, 9, 9]), is_open=True) == "FAILED"
        assert verdict(words, series([1, 9, 9, 1]), is_open=True) == "INCONCLUSIVE"

    def test_may_go_on_in_a_hole(self):
        words = gate(atMost=3, tolerate="90%", consecutive=2)
        assert verdict(words, series([1, 9, NOTHING, 9, 1])) == "INCONCLUSIVE"
        assert verdict(words, series([1, 9, NOTHING, 1, 9])) == "PASSED"


class TestNodesThatTheFaultStopped:
    EVERYBODY = ("validator-0", "validator-1")

    def test_are_left_out_and_named(self):
        one = measured(gate(atMost=3), series([1, 1, 1]), expected=self.EVERYBODY, spared=("validator-1",))
        result = one.judged()
        assert result.verdict == "PASSED"
        assert result.spared == ("validator-1",)
        assert "left out, for the stage's fault stopped them: validator-1" in result.reason

    def test_do_not_fail_a_gate_either(self):
        bad = series([9, 9, 9], "validator-1")
        assert verdict(gate(atMost=3), series([1, 1, 1]), bad, spared=("validator-1",)) == "PASSED"


class TestBlockTime:
    def test_without_a_block_is_infinite_and_that_is_known(self):
        result = measured(gate(signal="block-time", atMost=3), series([7] * 9)).judged()
        assert (result.verdict, result.value) == ("FAILED", INF)
        assert "infinite" in result.reason

    def test_without_a_block_is_never_a_pass(self):
        assert verdict(gate(signal="block-time", atLeast=1), series([7] * 9)) == "INCONCLUSIVE"

    def test_needs_both_edges(self):
        assert verdict(gate(signal="block-time", atMost=3), series([NOTHING, 1, 2, 3])) == "INCONCLUSIVE"
        assert verdict(gate(signal="block-time", atMost=1), series([NOTHING, 1, 1, 1])) == "INCONCLUSIVE"

    def test_has_no_holes(self):
        assert verdict(gate(signal="block-time", atMost=3), series([1, 2, NOTHING, 4, 5])) == "INCONCLUSIVE"


class TestWhatAVerdictSays:
    def test_figure_threshold_node_time_and_block(self):
        result = measured(gate(atMost=5), series([1, 2, 3]), series([1, 7, 3], "validator-1")).judged()
        assert result.reason == "validator-1: Finality lag was 7 blocks; asked was atMost 5"
        assert (result.value, result.unit, result.node, result.when, result.block) == (
            7, "blocks", "validator-1", START + 1, 11,
        )  # fmt: skip

    def test_a_node_of_two_chains_is_named_with_the_chain(self):
        result = measured(
            gate(atMost=5), series([1, 2, 9], "collator-0"), series([1, 1, 1], "collator-0", "nest")
        ).judged()
        assert result.node == "collator-0/relay"

    def test_missing_nodes_may_fail_a_gate_that_says_so(self):
        expected = ("validator-0",)
        assert verdict(gate(atMost=5, missing="fail"), expected=expected) == "FAILED"
        assert verdict(gate(atMost=5, missing="fail"), expected=expected, is_open=True) == "INCONCLUSIVE"


class TestErrors:
    def test_of_the_measurement_are_errors(self):
        result = measured(gate(atMost=5), expected=("validator-0",), error="Prometheus is away").judged()
        assert (result.verdict, result.reason) == ("ERROR", "Prometheus is away")

    def test_of_the_evaluation_are_errors(self, monkeypatch):
        def broken(*_):
            raise ZeroDivisionError("division by zero")

        monkeypatch.setattr(module, "judge", broken)
        result = measured(gate(atMost=5), series([1, 2, 3])).judged()
        assert result.verdict is Verdict.ERROR
        assert result.reason == "the evaluation broke: ZeroDivisionError: division by zero"

    def test_a_signal_that_is_gone_from_the_catalogue(self):
        one = measured(gate(atMost=5), series([1, 2, 3]))
        gone = replace(one, gate=one.gate.model_copy(update={"signal": "no-such-signal"}))
        assert gone.judged().verdict is Verdict.ERROR
