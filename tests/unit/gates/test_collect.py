"""What is asked of whom, how often, and that nothing is raised whatever happens."""

import pytest

from orchestrator.errors import ClusterError, MetricsError
from orchestrator.gates import charts
from orchestrator.gates.assess import assess
from orchestrator.gates.collect import collect as collected
from orchestrator.gates.machine import WAITS
from orchestrator.gates.ports import Sources
from orchestrator.journal import ClockCheck, Occurrences
from tests.unit.gates.asking import Chains, Logs, Prometheus, Stage1, said
from tests.unit.gates.building import PACE, START, gate
from tests.unit.gates.synthetic import NODES

VALIDATORS = tuple(f"validator-{i}" for i in range(4))


class TestAQuery:
    def test_is_held_and_covers_the_stage(self):
        one = Stage1(gate(signal="best-height", atLeast=1, on={"chain": "nest"}))
        one.finish()
        ((query, start, end, step, lookback),) = one.prometheus.asked
        assert query == 'last_over_time(substrate_block_height{status="best",chain="nest"}[2500ms])'
        assert (start, end, step, lookback) == (START, START + 10, 1.0, 2.5)

    def test_is_sent_once_for_all_who_ask_the_same(self):
        gates = [gate(name=name, atMost=n) for n, name in enumerate(("b", "c", "d"))]
        one = Stage1(*gates, prometheus=Prometheus(error=MetricsError("away")))
        verdicts = one.finish()
        assert len(one.prometheus.asked) == 1
        assert [verdict.reason for verdict in verdicts] == ["away"] * 3

    def test_of_own_words_that_hides_the_nodes_is_sent_with_another_that_shows_them(self):
        one = Stage1(gate(name="b", promql="sum(x)", atMost=9), gate(name="c", promql="avg(x)", atMost=9))
        one.finish()
        presence = 'max_over_time(up{node=~".*"}[2500ms])'
        had = "max by (node, chain) (last_over_time(x{}[2500ms]))"
        assert one.prometheus.queries() == {"sum(x)": 1, "avg(x)": 1, presence: 1, had: 1}

    def test_asks_only_for_what_is_not_recorded(self):
        one = Stage1(gate(atMost=1))
        one.ask(now=START + 4.7)
        one.ask(now=START + 4.9)
        one.ask(now=START + 6)
        one.finish()
        assert [asked[1:3] for asked in one.prometheus.asked] == [
            (START, START + 4), (START + 5, START + 6), (START + 7, START + 10),
        ]  # fmt: skip

    def test_that_failed_is_sent_again(self):
        one = Stage1(gate(atMost=1), prometheus=Prometheus(said("validator-0", *[1] * 11), error=MetricsError("away")))
        one.ask(now=START + 5)
        one.prometheus.error = None
        one.finish()
        assert [asked[1:3] for asked in one.prometheus.asked] == [(START, START + 5), (START, START + 10)]

    def test_of_a_long_stage_is_cut_as_prometheus_likes_it(self):
        one = Stage1(gate(atMost=1), end=START + 25_000)
        one.finish()
        assert [asked[1] - START for asked in one.prometheus.asked] == [0, 10_000, 20_000]
        assert one.prometheus.asked[-1][2] == START + 25_000

    def test_reaches_back_to_the_runs_start_for_whom_that_matters(self):
        one = Stage1(gate(name="b", atMost=1, window={"from": "run.start"}), gate(name="c", atMost=2))
        one.keep(one.record.events[0].model_copy(update={"name": "run.start", "stage": None, "at": START - 30}))
        one.finish()
        assert [asked[1:3] for asked in one.prometheus.asked] == [(START - 30, START + 10)]

    def test_of_an_unknown_signal_is_not_sent(self):
        unknown = gate(atMost=1).model_copy(update={"signal": "no-such"})
        one = Stage1(unknown)
        assert one.finish()[0].verdict == "ERROR"
        assert not one.prometheus.asked


class TestExpected:
    def names(self, prometheus=None, **words):
        one = Stage1(gate(**words), prometheus=prometheus)
        one.finish()
        return {
            str(target) for target in assess(one.stage, one.stage.gates[0], one.record, one.end).measurement.expected
        }

    def test_a_collator_is_two(self):
        assert self.names(atMost=1, on={"node": "collator-0"}) == {"collator-0/nest", "collator-0/relay"}
        assert self.names(atMost=1, on={"node": "collator-0", "chain": "relay"}) == {"collator-0/relay"}

    def test_only_those_who_have_the_signal(self):
        assert self.names(signal="grandpa-round", atLeast=1) == {f"{name}/relay" for name in VALIDATORS}
        authors = {f"{name}/relay" for name in VALIDATORS} | {"collator-0/nest", "collator-1/nest"}
        assert self.names(signal="authored-blocks", atLeast=1) == authors

    def test_nobody_is_an_error(self):
        (found,) = Stage1(gate(signal="grandpa-round", atLeast=1, on={"chain": "nest"})).finish()
        assert (found.verdict, found.reason) == ("ERROR", "no node that it selects has the signal grandpa-round")

    def test_all_selected_for_a_query_that_tells_nodes_apart(self):
        own = gate(promql="x{$selector}", atLeast=0, on={"chain": "relay", "role": "validator"})
        (found,) = Stage1(own, prometheus=Prometheus(said("validator-0", *[1] * 11))).finish()
        assert found.verdict == "INCONCLUSIVE"
        assert "no samples from validator-1 (and 2 more like it)" in found.reason

    def test_series_of_others_are_left_out(self):
        rows = [said(name, *[1] * 11) for name in VALIDATORS]
        own = gate(signal="grandpa-round", atLeast=1)
        assert Stage1(own, prometheus=Prometheus(said("bootnode-0", *[0] * 11), *rows)).finish()[0].verdict == "PASSED"


class TestNothingIsRaised:
    @pytest.mark.parametrize("error", [MetricsError("away"), RuntimeError("a bug")])
    def test_by_a_broken_prometheus(self, error):
        (found,) = Stage1(gate(atMost=1), prometheus=Prometheus(error=error)).finish()
        assert (found.verdict, found.reason) in {("ERROR", "away"), ("ERROR", "RuntimeError: a bug")}

    def test_by_a_chart(self):
        sources = Sources(Prometheus(error=MetricsError("away")), Chains(), None, None, NODES)
        assert {chart.error for chart in charts.collect(sources, START, START + 100)} == {"away"}


def test_every_report_draws_once_for_each_node_whether_it_got_its_share_of_the_machine():
    network = Prometheus()
    (chart,) = [
        one for one in charts.collect(Sources(network, Chains(), None, None, NODES), START, START + 9) if not one.chain
    ]
    assert (chart.title, chart.unit) == ("Delay for want of a CPU, all nodes", "ratio")
    assert chart.query == 'max by (node, group, role) (coalmine_node_cpu_delay_ratio{node=~".*"})'
    assert chart.query in {query for query, *_ in network.asked}


def test_a_chart_of_many_nodes_has_fewer_points():
    few, many = Prometheus(), Prometheus()
    charts.collect(Sources(few, Chains(), None, None, NODES), START, START + 6000)
    charts.collect(Sources(many, Chains(), None, None, NODES * 150), START, START + 6000)
    assert few.asked[0][3] == 10.0
    assert many.asked[0][3] == 64.0


class TestClocks:
    def test_are_compared_whenever_prometheus_is_asked(self):
        one = Stage1(gate(atMost=1), prometheus=Prometheus(ahead=7.0))
        one.ask(now=START + 5)
        one.ask(now=START + 5)
        (check,) = [entry for entry in one.entries if isinstance(entry, ClockCheck)]
        assert check.prometheus == 7.0


class TestHashes:
    GATE = gate(chainRead="finalized-hash", agrees=True, on={"chain": "relay", "role": "validator"})

    def verdict(self, *, spared=(), live=False, **nodes):
        one = Stage1(self.GATE, chains=Chains(**nodes), spared=spared)
        if live:
            one.ask()
            return one.verdicts()[0]
        return one.finish()[0]

    def test_that_are_one_pass(self):
        found = self.verdict(validator_0=(9, "a"), validator_1=(12, "a"), validator_2=(10, "a"), validator_3=(9, "a"))
        assert (found.verdict, found.reason) == ("PASSED", "relay: one value at height 9 on 4 nodes; asked was agrees")

    def test_that_differ_fail(self):
        nodes = {"validator_0": (9, "a"), "validator_1": (12, "b"), "validator_2": (10, "a")}
        for live in (False, True):
            found = self.verdict(live=live, **nodes)
            assert found.verdict == "FAILED"
            assert "2 different values at finalised height 9; validator-1 has 0xb9" in found.reason

    def test_that_differed_once_fail_for_good(self):
        nodes = {f"validator_{i}": (9, "a") for i in range(4)}
        one = Stage1(self.GATE, chains=Chains(**{**nodes, "validator_1": (9, "b")}))
        one.ask()
        one.chains = Chains(**nodes)
        assert one.finish()[0].verdict == "FAILED"

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
        assert self.verdict(live=True, **{f"validator_{i}": (9, "a") for i in range(4)}).verdict == "INCONCLUSIVE"

    def test_of_storage_are_compared_alike(self):
        stored = gate(storage={"pallet": "System", "item": "LastRuntimeUpgrade"}, agrees=True, on={"role": "validator"})
        nodes = {f"validator_{i}": (9, "a") for i in range(4)}
        assert Stage1(stored, chains=Chains(**nodes)).finish()[0].verdict == "PASSED"
        nodes["validator_2"] = (9, "b")
        found = Stage1(stored, chains=Chains(**nodes)).finish()[0]
        assert (found.verdict, found.node) == ("FAILED", "validator-2/relay")


class TestLogs:
    def verdict(self, logs, **words):
        one = Stage1(gate(logs={"pattern": "panicked"}, on={"role": "validator"}, **words), logs=logs)
        return one.finish()[0]

    def test_are_counted_in_the_window(self):
        assert self.verdict(Logs(validator_2=(START - 1, START + 11)), atMost=0).verdict == "PASSED"
        found = self.verdict(Logs(validator_2=(START + 3, START + 4)), atMost=1)
        assert (found.verdict, found.value, found.node) == ("FAILED", 2.0, "validator-2")

    def test_that_begin_too_late_are_no_evidence(self):
        found = self.verdict(Logs(whole=START + 2), atMost=0)
        assert found.verdict == "INCONCLUSIVE"
        assert "the record ends before the window does" in found.reason

    def test_that_begin_too_late_may_show_enough_to_fail(self):
        assert self.verdict(Logs(whole=START, validator_1=(START + 3,)), atMost=0).verdict == "FAILED"

    def test_that_cannot_be_read_are_an_error(self):
        assert self.verdict(Logs(error=ClusterError("no such pod")), atMost=0).verdict == "ERROR"

    @pytest.mark.parametrize("fraction", [0.0004, 0.0006, 0.5647035])
    def test_a_stage_that_ends_between_two_milliseconds_is_covered_to_its_end(self, fraction):
        stage = Stage1(gate(logs={"pattern": "panicked"}, atMost=0), logs=Logs(whole=START), end=START + 9 + fraction)
        assert stage.finish()[0].verdict == "PASSED"

    def test_are_not_read_twice(self):
        one = Stage1(gate(logs={"pattern": "x"}, on={"node": "validator-0"}, atMost=9))
        one.ask(now=START + 4)
        one.finish()
        assert [asked[2:] for asked in one.logs.asked] == [(START, START + 4), (START + 4, START + 10)]


class TestChainEvents:
    GATE = gate(chainEvents={"pallet": "System", "name": "CodeUpdated"}, equals=1)

    @pytest.mark.parametrize(("blocks", "verdict"), [((8,), "FAILED"), ((9, 30), "PASSED"), ((9, 10), "FAILED")])
    def test_are_counted_by_block(self, blocks, verdict):
        one = Stage1(self.GATE, chains=Chains(happened=blocks))
        assert one.finish()[0].verdict == verdict
        assert one.chains.asked == [(9, 18)]  # Heights 8 and 18 were final at the window's edges.

    def test_are_not_read_twice(self):
        one = Stage1(self.GATE, chains=Chains(happened=(9,)))
        one.ask(now=START + 4)
        one.finish()
        assert one.chains.asked == [(9, 12), (13, 18)]
        assert one.verdicts()[0].verdict == "PASSED"

    def test_that_nobody_can_tell_are_an_error(self):
        assert Stage1(self.GATE, chains=Chains(happened=None)).finish()[0].verdict == "ERROR"

    def test_that_nobody_asked_for_are_inconclusive(self):
        one = Stage1(self.GATE)
        one.finish()
        one.record = one.record.fed(NODES, 1.0, PACE, [e for e in one.entries if not isinstance(e, Occurrences)])
        assert one.verdicts()[0].verdict == "INCONCLUSIVE"


def test_a_stage_asks_a_small_number_of_queries():
    gates = [gate(name=f"g{i}", signal=signal, atMost=i) for i in range(10) for signal in ("peers", "leaves")]
    gates = [one.model_copy(update={"name": f"g{i}"}) for i, one in enumerate(gates)]
    one = Stage1(*gates)
    assert collected(one.stage, one.stage.gates, one.record, one.sources(), one.keep, one.end) == 2 + len(WAITS)
