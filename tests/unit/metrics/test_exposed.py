"""What a page lacks of what gates read: known before the run, with the nearest names, and never a guess."""

import dataclasses
from types import MappingProxyType

import pytest

from orchestrator.journal import Node
from orchestrator.metrics.exposed import Endpoint, doubts, read_page
from orchestrator.metrics.names import METRICS, family
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE
from tests.unit.gates.building import gate
from tests.unit.metrics.pages import recorded_page, relay_page, simulated_page

VALIDATOR = Node(name="validator-0", chain="relay", group="validator", role="validator", ordinal=0)
COLLATOR = Node(name="collator-0", chain="nest", group="collator", role="collator", ordinal=0)
HERE = Endpoint("validator", "relay")


def asked(page, **words):
    """The doubts about one gate of one validator that shows the page."""
    return doubts([("a-stage", gate(**words))], (VALIDATOR,), {HERE: page})


def reason(page, **words):
    (doubt,) = asked(page, **words)
    return doubt.certain, doubt.reason


class TestAPage:
    def test_tells_its_version_kinds_and_labels(self):
        page = read_page(
            "# HELP x_total Some \n# TYPE x_total counter\n"
            'x_total{a="1",b="a \\"quoted\\" } word"} 3\nx_total{a="2"} 4 1700000000\n'
            'substrate_build_info{name="n",version="1.24.3-abc"} 1\nnot a line {\n'
        )
        assert page.release == (1, 24)
        assert page.kinds == {"x_total": "counter"}
        assert [dict(labels) for labels in page.samples["x_total"]] == [
            {"a": "1", "b": 'a \\"quoted\\" } word'},
            {"a": "2"},
        ]

    def test_of_the_simulated_client_says_so(self):
        assert simulated_page("validator").simulated
        assert simulated_page("validator").release is None


class TestARealClient:
    @pytest.mark.parametrize("name", [n for n, s in CATALOGUE.items() if ("relay", "validator") in s.carriers])
    def test_answers_every_signal_of_validators(self, name):
        assert not asked(relay_page(), signal=name, atMost=1)

    def test_answers_every_signal_that_a_collator_has(self):
        pages = {Endpoint("collator", "nest"): recorded_page("polkadot-omni-node-0.24.0")}
        for name, signal in CATALOGUE.items():
            if signal.carried_by(COLLATOR, "nest"):
                one = gate(signal=name, atMost=1, on={"chain": "nest"})
                assert not doubts([("s", one)], (COLLATOR,), pages), name

    @pytest.mark.parametrize("metric", [m for m in METRICS.values() if not m.lazy], ids=lambda m: m.name)
    def test_that_lost_a_name_makes_its_gates_doubtful(self, metric):
        """The corruption that the check is there for, name by name."""
        readers = [
            (name, signal)
            for name, signal in CATALOGUE.items()
            if metric.name in {family(read.name) for read in reads(signal.promql)}
        ]
        for name, signal in readers:
            node = VALIDATOR if signal.carried_by(VALIDATOR, "relay") else COLLATOR
            chain = next(chain for chain in (node.chain, "relay") if signal.carried_by(node, chain))
            client = "polkadot-1.25.1" if chain == "relay" else "polkadot-omni-node-0.24.0"
            where = Endpoint(node.group, chain)
            page = recorded_page(client, without=(metric.name,))
            found = doubts([("s", gate(signal=name, atMost=1, on={"chain": chain}))], (node,), {where: page})
            assert [(doubt.metric, doubt.certain) for doubt in found if family(doubt.metric) == metric.name] == [
                (read.name, True) for read in reads(signal.promql) if family(read.name) == metric.name
            ]

    def test_is_given_the_nearest_names(self):
        certain, said = reason(relay_page(), promql="rate(substrate_sync_peer{$selector}[1m])", atLeast=1)
        assert certain
        assert "1.25.1-00000000000 has no substrate_sync_peer; near are substrate_sync_peers" in said

    def test_that_is_older_than_a_metric_is_told_its_age(self):
        page = relay_page(version="1.24.0-abc", without=("substrate_sync_stale_download_reservations_total",))
        certain, said = reason(page, signal="stale-downloads", stalls=0)
        assert certain
        assert "came with 1.25, and this is 1.24.0-abc" in said


class TestWhatComesWithItsFirstUse:
    GATE = MappingProxyType({"signal": "chunk-fetch-failures", "stalls": 0})

    @pytest.mark.parametrize("version", ["1.21.0-abc", "1.22.0-abc", "1.24.3-abc", "1.25.1-abc"])
    def test_is_believed_of_versions_that_are_known(self, version):
        assert not asked(relay_page(version=version), **self.GATE)

    @pytest.mark.parametrize("version", ["1.26.0-abc", "2.0.0-abc", "nightly"])
    def test_is_doubted_of_versions_that_are_not(self, version):
        certain, said = reason(relay_page(version=version), **self.GATE)
        assert not certain
        assert f"whether {version} has it under that name is not known" in said

    def test_never_comes_in_a_client_that_does_not_model_it(self):
        certain, said = reason(simulated_page("validator"), **self.GATE)
        assert certain
        assert "the simulated client has no polkadot_parachain_fetched_chunks_total" in said

    def test_is_not_missed_while_it_is_registered(self):
        page = dataclasses.replace(
            relay_page(version="1.26.0-abc"), kinds={"polkadot_parachain_fetched_chunks_total": "counter"}
        )
        assert "polkadot_parachain_fetched_chunks_total" not in {doubt.metric for doubt in asked(page, **self.GATE)}

    def test_may_have_other_label_values_by_now(self):
        page = relay_page()
        samples = {**page.samples, "substrate_tasks_ended_total": ({"reason": "finished"},)}
        assert not asked(dataclasses.replace(page, samples=samples), signal="task-panics", stalls=0)


class TestAQueryOfOnesOwn:
    def test_with_a_label_that_nothing_has(self):
        certain, said = reason(relay_page(), promql='substrate_block_height{state="best",$selector}', atLeast=1)
        assert certain
        assert "has no label state; its labels are status" in said

    def test_with_a_value_that_nothing_has(self):
        certain, said = reason(relay_page(), promql='substrate_block_height{status="finalised",$selector}', atLeast=1)
        assert certain
        assert "is seen with status = finalized" in said

    def test_may_be_about_what_has_no_sample_yet(self):
        page = dataclasses.replace(relay_page(), kinds={"x_total": "counter"})
        assert reason(page, promql="x_total{$selector}", atLeast=1) == (
            False, "validator on relay: x_total is registered and has no sample yet",
        )  # fmt: skip

    @pytest.mark.parametrize("query", ["coalmine:finality_lag:max", "up", "1", 'sum({__name__=~"x.*"})'])
    def test_that_reads_nothing_of_a_node_is_left_alone(self, query):
        assert not asked(relay_page(), promql=query, atLeast=1)

    def test_is_about_whoever_has_it(self):
        pages = {HERE: relay_page(), Endpoint("collator", "nest"): recorded_page("polkadot-omni-node-0.24.0")}
        pages[Endpoint("collator", "relay")] = relay_page()
        one = gate(promql="parachain_block_backed_duration_count{$selector}", atLeast=1)
        assert not doubts([("s", one)], (VALIDATOR, COLLATOR), pages)

    def test_is_read_through_all_of_promql(self):
        query = (
            'topk(3, label_replace(rate(gone_a{x=~"y"}[1m]), "a", "$1", "b", "(.*)")) + max_over_time(gone_b[5m:1m])'
        )
        assert [read.name for read in reads(query)] == ["gone_a", "gone_b"]


def test_a_page_that_did_not_come_is_no_certainty():
    assert reason("validator-0 did not answer", signal="peers", atLeast=1) == (
        False, "validator on relay: its metrics are unknown: validator-0 did not answer",
    )  # fmt: skip


def test_a_page_that_nobody_asked_for_is_no_certainty():
    (doubt,) = doubts([("s", gate(signal="peers", atLeast=1))], (VALIDATOR,), {})
    assert not doubt.certain


def test_a_signal_that_none_of_the_selected_has():
    certain, said = reason(relay_page(), signal="collations-sent", increasesBy=1)
    assert certain
    assert (
        "none of the nodes that it selects has the signal collations-sent; it is one of collator on a relay chain"
        in said
    )


@pytest.mark.parametrize("words", [{"signal": "cpu-wait"}, {"promql": "coalmine_node_cpu_wait_ratio{$selector}"}])
def test_what_the_agents_measure_is_missed_on_no_page_of_a_node(words):
    assert not asked(relay_page(), **words, atMost=0.5)
    assert not asked(simulated_page("validator"), **words, atMost=0.5)


def test_gates_that_read_no_metric_are_left_alone():
    assert not asked(relay_page(), chainRead="finalized-hash", agrees=True)


def test_a_doubt_is_a_sentence():
    (doubt,) = asked(simulated_page("validator"), signal="beefy-best", increasesBy=1)
    assert str(doubt).startswith(
        "a-stage / a-gate will be inconclusive: validator on relay: the simulated client has no "
    )
