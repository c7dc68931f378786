"""The catalogue: every query is PromQL, and who has a signal is said once."""

import promql_parser
import pytest

from orchestrator.metrics.check import check
from orchestrator.metrics.promql import parse_error
from orchestrator.metrics.signals import CATALOGUE, select, targets
from orchestrator.spec import Rehearsal, Selector
from tests.unit.gates.synthetic import NODES, rehearsal

SELECTORS = [Selector(), Selector(chain="relay"), Selector(chain='a"b\\', role="validator", group="g", node="n")]


@pytest.mark.parametrize("signal", CATALOGUE.values(), ids=list(CATALOGUE))
class TestEverySignal:
    @pytest.mark.parametrize("selector", SELECTORS, ids=["all", "chain", "odd"])
    @pytest.mark.parametrize("hold", [0.0, 2.5])
    def test_is_promql_for_every_selector(self, signal, selector, hold):
        promql_parser.parse(signal.query(selector, hold=hold))

    def test_asks_for_raw_values_only(self, signal):
        for derived in ("rate(", "increase(", "delta(", "irate("):
            assert derived not in signal.promql

    def test_holds_every_metric_that_it_names(self, signal):
        assert signal.query(Selector(), hold=2.5).count("last_over_time(") == signal.promql.count("{")

    def test_is_explained_in_a_sentence(self, signal):
        assert signal.sentence.endswith(".")
        assert signal.title

    def test_counts_up_when_it_is_a_counter(self, signal):
        assert signal.monotone or signal.kind == "gauge"


def test_a_selector_becomes_label_matchers():
    assert select("x{$selector}", Selector(chain="relay", node='a"b')) == 'x{chain="relay",node="a\\"b"}'


def test_no_selector_becomes_one_that_all_match():
    assert select('x{a="b",$selector}', Selector()) == 'x{a="b",node=~".*"}'


def test_a_regular_expression_of_the_users_is_left_alone():
    assert select('x{a=~"b{,3}",$selector}', Selector(role="full")) == 'x{a=~"b{,3}",role="full"}'


def test_a_parachain_node_is_measured_twice():
    found = {str(target) for target in targets(NODES, Selector(group="collator"))}
    assert found == {"collator-0/nest", "collator-0/relay", "collator-1/nest", "collator-1/relay"}


def test_a_parachain_node_that_asks_a_relay_node_by_rpc_is_measured_once():
    nodes = [node.model_copy(update={"embeds_relay": False}) for node in NODES]
    assert {str(target) for target in targets(nodes, Selector(group="collator"))} == {
        "collator-0/nest",
        "collator-1/nest",
    }
    assert targets(nodes, Selector(), CATALOGUE["collations-sent"]) == ()


class TestPromqlOfOnesOwn:
    @pytest.mark.parametrize("query", ["x", "1", "sum by (node) (rate(x{$selector}[1m]))", 'x{a="b", $selector}'])
    def test_that_can_be_asked(self, query):
        assert parse_error(query) is None

    @pytest.mark.parametrize(
        ("query", "word"),
        [
            ("rate(x[1m]", "paren"),
            ("x{$selector", "brace"),
            ("x[5m]", "range of samples"),
            ('"text"', "text"),
            ("x[5m:1m]", "range"),
        ],
    )
    def test_that_cannot(self, query, word):
        assert word in parse_error(query)


class TestValidation:
    def mistakes(self, **gate):
        spec = {"testnet": "t", "stages": [{"name": "s", "hold": "1s", "gates": [{"name": "g", **gate}]}]}
        document = {"kind": "Rehearsal", "metadata": {"name": "r"}, "spec": spec}
        return [(path[-1], text) for path, text in check(Rehearsal.model_validate(document))]

    def test_the_quickstart_is_right(self):
        assert rehearsal().rehearsals

    def test_an_unknown_signal(self):
        ((field, text),) = self.mistakes(signal="finalty-lag", atMost=1)
        assert field == "signal"
        assert "no signal finalty-lag; there are " in text

    def test_a_query_that_is_none(self):
        ((field, text),) = self.mistakes(promql="rate(x[1m]", atMost=1)
        assert (field, text[:11]) == ("promql", "not PromQL:")

    def test_growth_of_a_ratio(self):
        ((_, text),) = self.mistakes(signal="block-time", increasesBy=1)
        assert "increasesBy says nothing" in text

    def test_recovery_of_what_does_not_grow(self):
        ((_, text),) = self.mistakes(signal="finality-lag", recoversWithin="1m")
        assert "recoversWithin says nothing" in text

    def test_tolerance_of_single_samples_of_a_ratio(self):
        ((field, text),) = self.mistakes(signal="block-time", atMost=3, tolerate="5%")
        assert (field, "no samples to tolerate" in text) == ("tolerate", True)

    def test_a_comparison_of_what_is_neither_good_nor_bad(self):
        words = {"run": "before", "percent": "10%"}
        ((field, _),) = self.mistakes(signal="grandpa-round", noWorseThan=words)
        assert field == "noWorseThan"
        assert self.mistakes(signal="grandpa-round", noWorseThan={**words, "worse": "lower"}) == []
        assert self.mistakes(signal="finality-lag", noWorseThan=words) == []
