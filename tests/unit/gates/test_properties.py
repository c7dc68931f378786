"""What holds for every measurement, whatever was measured."""

import math
import random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.gates.evaluate import evaluate
from orchestrator.gates.verdict import exit_code, merge
from orchestrator.journal import Target, Verdict
from tests.unit.gates.building import CLOCK, gate, measured, series

VERDICTS = st.sampled_from(Verdict)
EITHER = st.booleans()
QUICK = settings(max_examples=150, deadline=None)

VALUES = st.one_of(st.integers(0, 6).map(float), st.sampled_from([math.nan, math.inf, -math.inf]))
NODES = ("validator-0", "validator-1", "validator-2")
THRESHOLDS = st.sampled_from([
    {"signal": "finality-lag", "atMost": 3},
    {"signal": "finality-lag", "atLeast": 2, "tolerate": "34%"},
    {"signal": "peers", "between": {"low": 1, "high": 4}, "tolerate": "20%"},
    {"signal": "leaves", "equals": 1},
    {"signal": "disputes", "atMost": 4, "tolerate": "40%"},
    {"signal": "best-height", "increasesBy": 2},
    {"signal": "finalized-height", "increasesBy": 2},
    {"signal": "best-height", "stalls": 1},
    {"signal": "finalized-height", "stalls": 1},
    {"signal": "authored-blocks", "increasesBy": 1},
    {"signal": "block-time", "atMost": 2},
    {"signal": "best-height", "recoversWithin": "9s"},
    {"signal": "authored-blocks", "recoversWithin": "9s"},
    {"promql": "x{$selector}", "stalls": 1},
    {"promql": "x{$selector}", "recoversWithin": "9s"},
])  # fmt: skip
POLICIES = st.fixed_dictionaries({
    "counterReset": st.sampled_from(["inconclusive", "fail"]),
    "minSamples": st.integers(1, 4),
})  # fmt: skip
WHOLE = st.lists(st.lists(VALUES, min_size=5, max_size=9), min_size=1, max_size=3)


@st.composite
def measurements(draw, *, is_open=EITHER):
    """All nodes' series over one window; `missing: fail` is left out, for there a dropped node is meant to fail."""
    words, policies, rows = draw(THRESHOLDS), draw(POLICIES), draw(WHOLE)
    length = min(map(len, rows))
    rows = [series(row[:length], node) for row, node in zip(rows, NODES, strict=False)]
    expected = tuple(Target(node=node, chain="relay") for node in NODES[: len(rows)])
    return measured(
        gate(**words, **policies), *rows, end=rows[0].samples[-1][0], is_open=draw(is_open), expected=expected
    )


class TestTheLatticeIsASemilattice:
    @given(VERDICTS, VERDICTS, VERDICTS)
    def test_order_and_grouping_do_not_matter(self, a, b, c):
        assert merge([a, b]) is merge([b, a])
        assert merge([merge([a, b]), c]) is merge([a, merge([b, c])]) is merge([a, b, c])

    @given(VERDICTS)
    def test_twice_is_once(self, a):
        assert merge([a, a]) is a

    def test_nothing_is_inconclusive(self):
        assert merge([]) is Verdict.INCONCLUSIVE

    def test_failed_outranks_error_outranks_inconclusive_outranks_passed(self):
        order = [Verdict.PASSED, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAILED]
        for index, verdict in enumerate(order):
            assert merge(order[: index + 1]) is verdict

    def test_exit_codes_differ(self):
        assert {verdict.name: exit_code(verdict) for verdict in Verdict} == {
            "PASSED": 0, "FAILED": 1, "INCONCLUSIVE": 3, "ERROR": 4,
        }  # fmt: skip


@QUICK
@given(measurements(), st.data())
def test_dropping_samples_never_makes_a_pass(measurement, data):
    assume(evaluate(measurement, CLOCK).verdict is not Verdict.PASSED)
    thinned = tuple(
        one.model_copy(
            update={
                "samples": tuple(data.draw(st.permutations(one.samples))[: data.draw(st.integers(0, len(one.samples)))])
            }
        )
        for one in measurement.series
    )
    assert evaluate(measurement.model_copy(update={"series": thinned}), CLOCK).verdict is not Verdict.PASSED


@QUICK
@given(measurements(), st.data())
def test_dropping_series_never_makes_a_pass(measurement, data):
    assume(evaluate(measurement, CLOCK).verdict is not Verdict.PASSED)
    kept = tuple(one for one in measurement.series if data.draw(st.booleans()))
    assert evaluate(measurement.model_copy(update={"series": kept}), CLOCK).verdict is not Verdict.PASSED


@QUICK
@given(measurements(), st.integers(0, 2**32))
def test_the_order_of_series_and_samples_changes_nothing(measurement, seed):
    shuffle = random.Random(seed)
    turned = [
        one.model_copy(update={"samples": tuple(shuffle.sample(one.samples, len(one.samples)))})
        for one in measurement.series
    ]
    turned = measurement.model_copy(update={"series": tuple(shuffle.sample(turned, len(turned)))})
    assert repr(evaluate(turned, CLOCK)) == repr(evaluate(measurement, CLOCK))


@QUICK
@given(measurements(is_open=st.just(True)))
def test_a_window_without_end_passes_only_what_has_recovered(measurement):
    passed = evaluate(measurement, CLOCK).verdict is Verdict.PASSED
    assert not passed or measurement.gate.recovers_within is not None


@QUICK
@given(measurements())
def test_nothing_passes_without_samples(measurement):
    empty = measurement.model_copy(update={"series": ()})
    assert evaluate(empty, CLOCK).verdict is Verdict.INCONCLUSIVE
    hollow = tuple(one.model_copy(update={"samples": ()}) for one in measurement.series)
    assert evaluate(measurement.model_copy(update={"series": hollow}), CLOCK).verdict is Verdict.INCONCLUSIVE
    without = measurement.model_copy(update={"series": (), "expected": ()})
    assert evaluate(without, CLOCK).verdict is Verdict.INCONCLUSIVE


@QUICK
@given(measurements())
def test_an_evaluation_always_ends_in_a_verdict_with_a_reason(measurement):
    result = evaluate(measurement, CLOCK)
    assert result.verdict is not Verdict.ERROR
    assert result.reason


@QUICK
@given(measurements())
def test_a_number_that_is_none_never_passes_except_beside_a_recovery_or_where_breaches_are_tolerated(measurement):
    odd = any(not math.isfinite(value) for one in measurement.series for _, value in one.samples)
    assume(odd and measurement.gate.recovers_within is None and not measurement.gate.tolerate)
    assert evaluate(measurement, CLOCK).verdict is not Verdict.PASSED
