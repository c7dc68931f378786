"""What is asked of whom, and that nothing is raised whatever happens."""

import pytest

from orchestrator.errors import ChainError, MetricsError
from orchestrator.gates.charts import collect
from orchestrator.gates.evaluate import evaluate
from orchestrator.gates.measure import Asked, Sources, measure
from orchestrator.gates.window import Unresolved
from orchestrator.journal import MeasuredWindow
from orchestrator.metrics.prometheus import RangeResult
from tests.unit.gates.building import CLOCK, START, gate, series
from tests.unit.gates.synthetic import NODES

WINDOW = MeasuredWindow(start=START, end=START + 10, since=START, start_finalized=7)


class Prometheus:
    def __init__(self, *answer, error=None):
        self.asked, self.answer, self.error = [], answer, error

    def query_range(self, query, start, end, step, *, lookback=None):
        self.asked.append((query, start, end, step, lookback))
        if self.error:
            raise self.error
        return RangeResult(self.answer, ())


class Chains:
    """Finalised height and fork of each node; a node that is not there does not answer."""

    def __init__(self, **nodes):
        self.nodes = {name.replace("_", "-"): value for name, value in nodes.items()}

    def finalized_height(self, node, chain):  # noqa: ARG002
        if node not in self.nodes:
            raise ChainError(f"{node} does not answer")
        return self.nodes[node][0]

    def block_hash(self, node, chain, height):  # noqa: ARG002
        return f"0x{self.nodes[node][1]}{height}"


def one(gate, prometheus=None, chains=None, window=WINDOW, spared=()):
    sources = Sources(prometheus or Prometheus(), chains or Chains(), NODES)
    (found,) = measure([Asked("a", gate, window, spared)], sources)
    return found


class TestAQuery:
    def test_is_held_and_covers_the_window(self):
        prometheus = Prometheus()
        one(gate(signal="best-height", atLeast=1, on={"chain": "nest"}), prometheus)
        ((query, start, end, step, lookback),) = prometheus.asked
        assert query == 'last_over_time(substrate_block_height{status="best",chain="nest"}[2500ms])'
        assert (start, end, step, lookback) == (START, START + 10, 1.0, 2.5)

    def test_is_sent_once_for_all_who_ask_the_same(self):
        prometheus = Prometheus(error=MetricsError("away"))
        asked = [Asked("a", gate(name=name, atMost=n), WINDOW) for n, name in enumerate(("b", "c", "d"))]
        found = measure(asked, Sources(prometheus, Chains(), NODES))
        assert len(prometheus.asked) == 1
        assert [m.error for m in found] == ["away"] * 3

    def test_of_a_recovery_looks_back_in_whole_steps(self):
        prometheus = Prometheus()
        window = WINDOW.model_copy(update={"since": START - 2.5})
        one(gate(signal="finalized-height", recoversWithin="10s"), prometheus, window=window)
        assert prometheus.asked[0][1:4] == (START - 3, START + 10, 1.0)

    def test_of_a_long_window_takes_longer_steps(self):
        prometheus = Prometheus()
        one(gate(atMost=1), prometheus, window=WINDOW.model_copy(update={"end": START + 25_000}))
        assert prometheus.asked[0][3] == 3.0

    def test_is_not_sent_without_a_window(self):
        found = one(gate(atMost=1), window=Unresolved("inject.confirmed never came"))
        assert found.unresolved == "inject.confirmed never came"


class TestExpected:
    def names(self, **words):
        return {str(target) for target in one(gate(**words)).expected}

    def test_a_collator_is_two(self):
        assert self.names(atMost=1, on={"node": "collator-0"}) == {"collator-0/nest", "collator-0/relay"}
        assert self.names(atMost=1, on={"node": "collator-0", "chain": "relay"}) == {"collator-0/relay"}

    def test_only_those_who_have_the_signal(self):
        assert self.names(signal="grandpa-round", atLeast=1) == {f"validator-{i}/relay" for i in range(4)}
        authors = {f"validator-{i}/relay" for i in range(4)} | {"collator-0/nest", "collator-1/nest"}
        assert self.names(signal="authored-blocks", atLeast=1) == authors

    def test_nobody_is_an_error(self):
        found = one(gate(signal="grandpa-round", atLeast=1, on={"chain": "nest"}))
        assert found.error == "no node that it selects has the signal grandpa-round"

    def test_all_selected_for_a_query_that_tells_nodes_apart(self):
        own = gate(promql="x{$selector}", atLeast=0, on={"chain": "relay", "role": "validator"})
        found = one(own, Prometheus(series([1, 2])))
        assert [str(target) for target in found.expected] == [f"validator-{i}/relay" for i in range(4)]

    def test_nodes_alone_where_the_chain_was_summed_away(self):
        answer = series([1, 2])
        answer = answer.model_copy(update={"labels": {"node": "validator-0"}})
        found = one(gate(promql="sum by (node) (x)", atLeast=0), Prometheus(answer))
        assert [str(target) for target in found.expected] == [node.name for node in NODES]

    def test_nobody_for_an_aggregate(self):
        found = one(gate(promql="sum(x)", atLeast=0), Prometheus(series([1, 2, 3]).model_copy(update={"labels": {}})))
        assert found.expected == ()
        assert len(found.series) == 1

    def test_series_of_others_are_left_out(self):
        found = one(gate(signal="authored-blocks", atLeast=1), Prometheus(series([0], "bootnode-0"), series([1])))
        assert [s.labels["node"] for s in found.series] == ["validator-0"]


class TestNothingIsRaised:
    @pytest.mark.parametrize("error", [MetricsError("away"), RuntimeError("a bug")])
    def test_by_a_broken_prometheus(self, error):
        found = one(gate(atMost=1), Prometheus(error=error))
        assert found.error in {"away", "RuntimeError: a bug"}
        assert evaluate(found, CLOCK).verdict == "ERROR"

    def test_by_a_chart(self):
        charts = collect(Sources(Prometheus(error=MetricsError("away")), Chains(), NODES), START, START + 100)
        assert {chart.error for chart in charts} == {"away"}


def test_a_chart_of_many_nodes_has_fewer_points():
    few, many = Prometheus(), Prometheus()
    collect(Sources(few, Chains(), NODES), START, START + 6000)
    collect(Sources(many, Chains(), NODES * 150), START, START + 6000)
    assert few.asked[0][3] == 10.0
    assert many.asked[0][3] == 64.0


class TestHashes:
    GATE = gate(chainRead="finalized-hash", agrees=True, on={"chain": "relay", "role": "validator"})

    def verdict(self, *, window=WINDOW, spared=(), **nodes):
        return evaluate(one(self.GATE, chains=Chains(**nodes), window=window, spared=spared), CLOCK)

    def test_that_are_one_pass(self):
        found = self.verdict(validator_0=(9, "a"), validator_1=(12, "a"), validator_2=(10, "a"), validator_3=(9, "a"))
        assert (found.verdict, found.reason) == ("PASSED", "relay: one hash at height 9 on 4 nodes; asked was agrees")

    def test_that_differ_fail(self):
        found = self.verdict(validator_0=(9, "a"), validator_1=(12, "b"), validator_2=(10, "a"))
        assert found.verdict == "FAILED"
        assert "2 different hashes at finalised height 9; validator-1 has 0xb9" in found.reason

    def test_of_a_silent_node_are_inconclusive(self):
        found = self.verdict(validator_0=(9, "a"), validator_1=(12, "a"), validator_2=(10, "a"))
        assert (found.verdict, found.reason) == ("INCONCLUSIVE", "validator-3/relay: validator-3 does not answer")

    def test_of_a_spared_node_are_not_asked_for(self):
        nodes = {"validator_0": (9, "a"), "validator_1": (12, "a"), "validator_2": (10, "a")}
        assert self.verdict(spared=("validator-3",), **nodes).verdict == "PASSED"

    def test_of_one_node_agree_with_nobody(self):
        others = tuple(f"validator-{i}" for i in range(1, 4))
        assert self.verdict(spared=others, validator_0=(9, "a")).verdict == "INCONCLUSIVE"

    @pytest.mark.parametrize("height", [0, 7])
    def test_that_were_final_before_say_nothing(self, height):
        found = self.verdict(**{f"validator_{i}": (9 if i else height, "a") for i in range(4)})
        assert found.verdict == "INCONCLUSIVE"
        assert "final before the window began" in found.reason

    def test_in_a_window_without_end_say_nothing(self):
        nodes = {f"validator_{i}": (9, "a") for i in range(4)}
        assert self.verdict(window=WINDOW.model_copy(update={"open": True}), **nodes).verdict == "INCONCLUSIVE"
