"""Every name that a signal reads is on the pages of real nodes; see `conftest` for what they have been through."""

import pytest

from orchestrator.metrics.names import METRICS, family
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE

pytestmark = pytest.mark.timeout(3600)

PAGES = (("validator", "relay", "validator"), ("collator", "para", "collator"), ("embedded", "relay", "collator"))
CARRIED = [
    (page, name)
    for page, where, who in PAGES
    for name, signal in CATALOGUE.items()
    if name != "up" and any(where == chain and role in {None, who} for chain, role in signal.carriers)
]


@pytest.mark.parametrize(("page", "name"), CARRIED)
def test_a_signal_is_on_the_pages_of_those_who_carry_it(story, page, name):
    shown = getattr(story.pages, page)
    for read in reads(CATALOGUE[name].promql):
        metric = METRICS[family(read.name)]
        if metric.lazy and read.name not in shown.samples:
            continue  # Nothing has gone wrong that it would count.
        found = shown.samples.get(read.name, ())
        assert found, f"{shown.version} has no {read.name}"
        assert shown.kinds[metric.name] == metric.kind
        asked = {matcher.label for matcher in read.matchers}
        assert asked <= {label for labels in found for label in labels}
        if not metric.lazy:
            assert any(all(matcher.meets(labels) for matcher in read.matchers) for labels in found)


def test_what_comes_with_its_first_use_has_the_labels_that_are_asked_for(story):
    """Those that even a healthy network uses."""
    used = {
        "polkadot_parachain_validation_requests_total": "validity",
        "polkadot_parachain_collation_requests_total": "success",
    }
    for name, label in used.items():
        assert any(label in labels for labels in story.pages.validator.samples.get(name, ())), name


def test_versions_are_told_by_the_page(story):
    assert story.pages.validator.release == (1, 25)
    assert story.pages.validator.known
    assert story.pages.collator.known
    assert story.pages.embedded.known
