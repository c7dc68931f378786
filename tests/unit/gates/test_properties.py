"""What holds for every measurement, whatever was measured."""

import math
import random
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.gates.assess import assess
from orchestrator.gates.record import Record
from orchestrator.gates.verdict import exit_code, merge
from orchestrator.journal import Clock, ClockCheck, Event, Samples, Verdict
from tests.budget import schedules
from tests.unit.gates.building import PACE, START, gate, measured, series

VERDICTS = st.sampled_from(Verdict)
EITHER = st.booleans()
QUICK = settings(max_examples=schedules(50), deadline=None)

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
    {"promql": "x{$selector}", "atMost": 4},
    {"signal": "finalized-height", "ratePerMinute": {"atLeast": 30}},
    {"signal": "best-height", "ratePerMinute": {"atMost": 90}},
    {"signal": "finalized-height", "progresses": "2s"},
    {"signal": "best-height", "progresses": "2s"},
    {"signal": "finality-lag", "atMost": 3, "tolerate": "50%", "consecutive": 2},
    {"signal": "finality-lag", "atMost": 3, "view": {"per": "all", "aggregate": "mean"}},
    {"signal": "peers", "atLeast": 2, "view": {"per": "group", "aggregate": "median"}, "tolerate": "20%"},
    {"signal": "disputes", "stalls": 2, "view": {"per": "chain", "aggregate": "sum"}},
    {"signal": "finalized-height", "increasesBy": 2, "view": {"per": "all", "aggregate": "min"}},
    {"signal": "authored-blocks", "increasesBy": 3, "view": {"per": "all", "aggregate": "sum"}},
    {"chainRead": "session", "increasesBy": 1},
    {"chainRead": "spec-version", "equals": 2},
    {"pods": "ready", "equals": 1, "tolerate": "20%"},
    {"pods": "restarts", "atMost": 1},
    {"storage": {"pallet": "System", "item": "Number"}, "between": {"low": 1, "high": 5}},
])  # fmt: skip
POLICIES = st.fixed_dictionaries({
    "counterReset": st.sampled_from(["inconclusive", "fail", "rebase"]),
    "notANumber": st.sampled_from(["inconclusive", "fail"]),
    "gaps": st.sampled_from(["inconclusive", "fail"]),
    "minSamples": st.integers(1, 4),
})  # fmt: skip
WHOLE = st.lists(st.lists(VALUES, min_size=5, max_size=9), min_size=1, max_size=3)


@st.composite
def measurements(draw, *, is_open=EITHER):
    """All nodes' series over one window; `missing: fail` is left out, for there a dropped node is meant to fail."""
    words, policies, rows = draw(THRESHOLDS), draw(POLICIES), draw(WHOLE)
    length = min(map(len, rows))
    rows = [series(row[:length], node) for row, node in zip(rows, NODES, strict=False)]
    return measured(
        gate(**words, **policies), *rows, end=rows[0].last, is_open=draw(is_open), expected=NODES[: len(rows)]
    )


def changed(one, rows):
    """The measurement with the rows of every answer changed."""
    return one.with_samples(lambda samples: samples.model_copy(update={"rows": tuple(rows(samples.rows))}))


def values(row, change):
    return row.model_copy(update={"values": tuple(change(value) for value in row.values)})


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
def test_dropping_samples_never_makes_a_pass(one, data):
    assume(one.judged().verdict is not Verdict.PASSED)
    drop = data.draw(st.randoms(use_true_random=False))
    share = data.draw(st.sampled_from([0.1, 0.4, 0.9]))
    thinned = changed(one, lambda rows: [values(row, lambda v: None if drop.random() < share else v) for row in rows])
    assert thinned.judged().verdict is not Verdict.PASSED


@QUICK
@given(measurements(), st.data())
def test_dropping_series_never_makes_a_pass(one, data):
    assume(one.judged().verdict is not Verdict.PASSED)
    drop = data.draw(st.randoms(use_true_random=False))
    assert changed(one, lambda rows: [r for r in rows if drop.random() < 0.5]).judged().verdict is not Verdict.PASSED


@QUICK
@given(measurements(), st.integers(0, 2**32))
def test_the_order_of_series_and_of_their_pieces_changes_nothing(one, seed):
    shuffle = random.Random(seed)
    entries = [piece for entry in one.entries for piece in in_pieces(entry, shuffle)]
    turned = replace(one, entries=tuple(shuffle.sample(entries, len(entries))))
    turned = changed(turned, lambda rows: shuffle.sample(rows, len(rows)))
    assert repr(turned.judged()) == repr(one.judged())


def in_pieces(entry, random):
    """Samples cut in two somewhere; anything else as it is."""
    if not isinstance(entry, Samples) or entry.count < 2:
        return [entry]
    at = random.randrange(1, entry.count)
    return [piece(entry, 0, at), piece(entry, at, entry.count)]


def piece(samples, low, high):
    rows = tuple(row.model_copy(update={"values": row.values[low:high]}) for row in samples.rows)
    first = samples.first + low * samples.step
    return samples.model_copy(update={"first": first, "count": high - low, "rows": rows})


@QUICK
@given(measurements(is_open=st.just(True)))
def test_a_window_without_end_passes_only_what_has_recovered(one):
    passed = one.judged().verdict is Verdict.PASSED
    assert not passed or one.gate.recovers_within is not None


@QUICK
@given(measurements())
def test_nothing_passes_without_samples(one):
    assert changed(one, lambda _: ()).judged().verdict is Verdict.INCONCLUSIVE
    hollow = changed(one, lambda rows: [values(row, lambda _: None) for row in rows])
    assert hollow.judged().verdict is Verdict.INCONCLUSIVE
    unasked = replace(one, entries=tuple(e for e in one.entries if not isinstance(e, Samples)))
    assert unasked.judged().verdict is Verdict.INCONCLUSIVE


@QUICK
@given(measurements())
def test_an_evaluation_always_ends_in_a_verdict_with_a_reason(one):
    result = one.judged()
    assert result.verdict is not Verdict.ERROR
    assert result.reason


@QUICK
@given(measurements())
def test_a_number_that_is_none_never_passes_except_beside_a_recovery_or_where_breaches_are_tolerated(one):
    seen = [v for e in one.entries if isinstance(e, Samples) for row in e.rows for v in row.values if v is not None]
    assume(not all(map(math.isfinite, seen)) and one.gate.recovers_within is None and not one.gate.tolerate)
    assert one.judged().verdict is not Verdict.PASSED


class TestLiveIsAfterwards:
    """What is said while a stage goes on is said by the same code from the same entries, and is not taken back."""

    @QUICK
    @given(measurements(is_open=st.just(False)), st.data())
    def test_a_verdict_that_was_certain_stays(self, one, data):
        ends = [entry for entry in one.entries if isinstance(entry, Event) and entry.name == "stage.end"]
        entries = tuple(entry for entry in one.entries if entry not in ends)
        now = data.draw(st.integers(1, round(one.now - START)))
        known = tuple(piece(e, 0, min(e.count, now + 1)) if isinstance(e, Samples) else e for e in entries)
        live = replace(one, entries=known).judged(now=START + now).verdict
        after = one.judged().verdict
        assert live is Verdict.INCONCLUSIVE or live is after

    @QUICK
    @given(measurements(is_open=st.just(False)), st.randoms(use_true_random=False))
    def test_at_the_end_it_is_the_same(self, one, random):
        record = Record(one.nodes, one.step, PACE)
        for entry in one.entries:
            for part in in_pieces(entry, random):
                record.add(part)
                assess(one.stage, one.gate, record, one.now)  # Looking changes nothing.
        assert repr(assess(one.stage, one.gate, record, one.now).verdict) == repr(one.judged())

    @QUICK
    @given(measurements())
    def test_the_journal_tells_the_same(self, one):
        written = [
            type(e).model_validate_json(e.model_dump_json(by_alias=True, exclude_none=True)) for e in one.entries
        ]
        assert repr(replace(one, entries=tuple(written)).judged()) == repr(one.judged())


@st.composite
def less(draw, one):
    """The same with one piece of evidence gone, blurred or dated by a clock that is wrong."""
    index = draw(st.integers(0, len(one.entries) - 1))
    entry = one.entries[index]
    how = draw(st.sampled_from(["gone", "blurred", "silence"]))
    if how == "silence":
        start = START + draw(st.integers(-10, 10))
        length = draw(st.integers(1, 12))
        kept = (e for e in one.entries if not (isinstance(e, Clock) and start <= e.at < start + length))
        return replace(one, entries=tuple(kept))
    blurred = blur(entry, draw) if how == "blurred" else ()
    return replace(one, entries=(*one.entries[:index], *blurred, *one.entries[index + 1 :]))


def blur(entry, draw):
    """What is left of an entry that is known less well; nothing if it is of a kind that cannot be blurred."""
    if isinstance(entry, ClockCheck):
        return [entry.model_copy(update={"uncertainty": draw(st.floats(0.0, 100.0))})]
    if isinstance(entry, Clock):
        return [entry.model_copy(update={"stamp": None, "parachains": {}})]
    if isinstance(entry, Event):
        return [entry.model_copy(update={"noticed": entry.at + draw(st.floats(-60.0, 60.0)), "detail": {}})]
    if isinstance(entry, Samples):
        return [entry.model_copy(update={"error": "503", "rows": ()})]
    return []


@QUICK
@given(measurements(), st.data())
def test_less_evidence_makes_nothing_pass(one, data):
    before = one.judged().verdict
    worse = data.draw(less(one))
    assume(before is not Verdict.PASSED)
    assert worse.judged().verdict is not Verdict.PASSED


@QUICK
@given(measurements(is_open=st.just(False)), st.data())
def test_nor_does_much_less(one, data):
    before = one.judged().verdict
    assume(before is not Verdict.PASSED)
    for _ in range(data.draw(st.integers(2, 6))):
        one = data.draw(less(one))
    assert one.judged().verdict is not Verdict.PASSED
