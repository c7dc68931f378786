"""The names that signals read are those of real clients: scrapes of them were recorded in `names/`, with versions."""

from pathlib import Path

import pytest

from orchestrator.metrics import names
from orchestrator.metrics.names import AGENTS, ELSEWHERE, METRICS, NEWEST, RELEASES, family
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE
from tests.unit.metrics.pages import relay_page, simulated_page

NAMES = Path(__file__).parent / "names"


def recorded(client):
    """Name -> kind and labels, of a scrape of a real client."""
    lines = (line.split() for line in (NAMES / f"{client}.txt").read_text().splitlines())
    return {name: (kind, labels) for name, kind, *labels in lines}


RELAY = recorded("polkadot-1.25.1")
PARACHAIN = recorded("polkadot-omni-node-0.24.0")
WITHIN = recorded("relay-in-omni-node-0.24.0")
READ = {read for signal in CATALOGUE.values() for read in reads(signal.promql) if read.name not in ELSEWHERE}


def test_signals_read_what_is_known_and_nothing_known_is_idle():
    assert {family(read.name) for read in READ} == set(METRICS)


@pytest.mark.parametrize("read", sorted(READ, key=str), ids=lambda read: read.name)
def test_a_histogram_is_read_by_its_parts(read):
    assert read.name in METRICS[family(read.name)].samples()


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
class TestEveryMetric:
    def test_was_seen_on_a_real_client_or_comes_with_its_first_use(self, metric):
        assert metric.name in RELAY.keys() | PARACHAIN.keys() | WITHIN.keys() or metric.lazy

    def test_is_of_the_kind_that_the_client_says(self, metric):
        for client in (RELAY, PARACHAIN, WITHIN):
            if metric.name in client:
                assert client[metric.name][0] == metric.kind

    def test_comes_with_its_first_use_only_if_it_has_labels(self, metric):
        if metric.lazy and metric.name in RELAY:
            assert RELAY[metric.name][1]


@pytest.mark.parametrize("signal", CATALOGUE.values(), ids=list(CATALOGUE))
class TestEverySignal:
    def test_is_on_the_page_of_those_who_carry_it(self, signal):
        carried = set(signal.carriers)
        pages = [RELAY] if carried & {("relay", None), ("relay", "validator")} else []
        pages += [PARACHAIN] if carried & {("para", None), ("para", "collator")} else []
        pages += [WITHIN] if carried & {("relay", None), ("relay", "collator")} else []
        assert pages
        for page in pages:
            for read in reads(signal.promql):
                name = family(read.name)
                assert name in page or name in ELSEWHERE or METRICS[name].lazy

    def test_asks_for_labels_that_the_client_has(self, signal):
        for read in reads(signal.promql):
            if family(read.name) in RELAY:
                assert {matcher.label for matcher in read.matchers} <= set(RELAY[family(read.name)][1])

    def test_says_lazily_what_comes_with_its_first_use(self, signal):
        """A metric that is not there yet must be zero where the node answers, and nothing where it does not."""
        lazy = [
            read for read in reads(signal.promql) if family(read.name) in METRICS and METRICS[family(read.name)].lazy
        ]
        assert not lazy or " or 0 * sum by" in signal.promql

    def test_turns_nothing_else_into_zero(self, signal):
        first = reads(signal.promql)[0]
        assert " or 0 * " not in signal.promql or METRICS[family(first.name)].lazy


def test_every_metric_of_the_agents_is_read_or_said_to_be_the_error_of_one_that_is():
    read = {each.name for signal in CATALOGUE.values() for each in reads(signal.promql)}
    mentioned = {name for name in AGENTS for signal in CATALOGUE.values() if name in signal.sentence}
    assert read | mentioned >= AGENTS


def test_differences_between_lines_are_differences_of_lines_that_are_known():
    assert {metric.since for metric in METRICS.values()} - {None} <= set(RELEASES.values())
    assert max(RELEASES.values()) == NEWEST


def test_the_recorded_relay_page_is_of_the_newest_line():
    assert relay_page().release == names.NEWEST


@pytest.mark.parametrize("kind", ["validator", "collator", "embedded"])
def test_the_simulated_client_shows_what_the_table_says_and_nothing_that_real_ones_lack(kind):
    shown = set(simulated_page(kind).kinds)
    assert shown <= RELAY.keys() | PARACHAIN.keys() | WITHIN.keys() | METRICS.keys()
    wrong = {name for name in shown & METRICS.keys() if not METRICS[name].simulated}
    assert not wrong


def test_every_metric_that_is_called_simulated_is_shown_by_some_simulated_node():
    shown = set().union(*(simulated_page(kind).kinds for kind in ("validator", "collator", "embedded")))
    assert {name for name, metric in METRICS.items() if metric.simulated} <= shown
