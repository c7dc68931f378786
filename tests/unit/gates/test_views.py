"""Several nodes as one figure: who belongs together, what is computed, and who is to blame."""

import pytest

from tests.unit.gates.building import NOTHING, gate, measured, series

ROWS = (
    series((1, 1, 1, 1), "validator-0"),
    series((2, 2, 8, 2), "validator-1"),
    series((3, 3, 3, 3), "bootnode-0"),
)


def view(per, aggregate):
    return {"view": {"per": per, "aggregate": aggregate}}


@pytest.mark.parametrize(
    ("aggregate", "worst"), [("mean", 4.0), ("median", 3.0), ("min", 1.0), ("max", 8.0), ("sum", 12.0)]
)
def test_all_nodes_are_one_figure(aggregate, worst):
    found = measured(gate(atMost=worst - 0.5, **view("all", aggregate)), *ROWS).judged()
    assert (found.verdict, found.value) == ("FAILED", worst)
    assert measured(gate(atMost=worst, **view("all", aggregate)), *ROWS).judged().verdict == "PASSED"


def test_groups_are_judged_each_by_itself():
    found = measured(gate(atMost=3.5, **view("group", "mean")), *ROWS).judged()
    assert (found.verdict, found.value, found.node) == ("FAILED", 4.5, "validator-1")
    assert "mean of group validator" in found.reason
    assert measured(gate(atMost=4.5, **view("group", "mean")), *ROWS).judged().verdict == "PASSED"


def test_chains_are_judged_each_by_itself():
    rows = (series((1, 1, 1), "collator-0", "relay"), series((7, 7, 7), "collator-0", "nest"))
    found = measured(gate(atMost=6, **view("chain", "max")), *rows).judged()
    assert (found.verdict, found.node) == ("FAILED", "collator-0/nest")
    assert "max of chain nest" in found.reason


def test_pods_belong_to_the_chain_of_their_node():
    rows = (series((1, 1, 1), "validator-0"), series((1, 0, 1), "collator-0", "nest"))
    found = measured(gate(pods="ready", atLeast=1, **view("chain", "min")), *rows).judged()
    assert (found.verdict, found.node) == ("FAILED", "collator-0")
    assert "min of chain nest" in found.reason


class TestTheWorstNodeIsNamed:
    def test_by_its_value_at_the_worst_moment(self):
        found = measured(gate(atMost=3, **view("all", "mean")), *ROWS).judged()
        assert found.node == "validator-1"
        assert "worst was validator-1 with 8 blocks" in found.reason

    def test_by_the_lowest_where_too_little_is_wrong(self):
        found = measured(gate(atLeast=3, **view("all", "mean")), *ROWS).judged()
        assert (found.node, found.value) == ("validator-0", 2.0)

    def test_by_its_growth_where_growth_is_asked_for(self):
        rows = (series((0, 5, 9)), series((0, 1, 1), "validator-1"))
        found = measured(gate(signal="best-height", increasesBy=20, **view("all", "sum")), *rows).judged()
        assert (found.verdict, found.node, found.value) == ("FAILED", "validator-1", 10.0)
        found = measured(gate(signal="best-height", stalls=2, **view("all", "sum")), *rows).judged()
        assert (found.verdict, found.node, found.value) == ("FAILED", "validator-0", 10.0)

    def test_even_of_a_view_that_passes(self):
        assert measured(gate(atMost=9, **view("all", "max")), *ROWS).judged().node == "validator-1"

    def test_by_what_is_missing_of_it_where_that_decides(self):
        rows = (series((1, 1, 1, 1)), series((1, NOTHING, 1, 1), "validator-1"))
        found = measured(gate(atMost=9, **view("all", "max")), *rows).judged()
        assert (found.verdict, found.node) == ("INCONCLUSIVE", "validator-1")


def test_a_view_that_nobody_belongs_to_is_inconclusive():
    expected = ("validator-0", "validator-1")
    found = measured(gate(atMost=9, **view("all", "max")), expected=expected).judged()
    assert (found.verdict, found.reason) == ("INCONCLUSIVE", "no samples from validator-0, validator-1")
    found = measured(gate(atMost=9, missing="fail", **view("all", "max")), expected=expected).judged()
    assert found.verdict == "FAILED"
