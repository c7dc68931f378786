"""Every name that a signal reads is on the pages of real nodes, and in the programs of every line that is supported.

Two validators with a parachain, and its collator with the relay node inside it: their pages are read when candidates
have been made, so that what comes with its first use has come, as far as a healthy network has a use for it.
"""

import mmap
import re
from types import SimpleNamespace

import httpx
import pytest

from orchestrator.errors import ChainError
from orchestrator.metrics.exposed import read_page
from orchestrator.metrics.names import METRICS, RELEASES, family
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE

from .conftest import FOLDER, unpacked
from .native import NativeNetwork, Programs, specs_of

pytestmark = pytest.mark.timeout(1500)

LINES = {
    (1, 22): "polkadot-1.22.0-linux-amd64.tar.zst",
    (1, 24): "polkadot-1.24.0-linux-amd64.tar.zst",
    (1, 25): "polkadot-1.25.1-linux-amd64.tar.zst",
}
COLLATOR = "polkadot-omni-node-0.24.0-linux-amd64.tar.zst"
OF_COLLATORS = {
    family(read.name)
    for signal in CATALOGUE.values()
    if not any(role in {None, "validator"} for chain, role in signal.carriers if chain == "relay")
    for read in reads(signal.promql)
}


@pytest.fixture(scope="module")
def pages(real, polkadot, omni_node, tmp_path_factory):
    """The pages of a validator, a collator, and the relay node in the collator."""
    programs = Programs(real, polkadot, omni_node)
    specs, folder = specs_of(programs, tmp_path_factory), tmp_path_factory.mktemp("names")
    with NativeNetwork(programs, specs, folder) as network:
        alice, (collator, embedded) = *_urls(network.nodes["alice"]), _urls(network.nodes["collator"])
        network.until(lambda: _value(embedded, "polkadot_parachain_collations_sent_total"), 900, "a collation sent")
        network.until(lambda: _value(collator, "parachain_block_backed_duration_count"), 300, "a block backed")
        texts = {"validator": _text(alice), "collator": _text(collator), "embedded": _text(embedded)}
    return SimpleNamespace(**{name: read_page(text) for name, text in texts.items()})


def _urls(node):
    """Where a node shows its metrics: by itself, and by the relay node inside it."""
    words = node.process.args
    return [f"http://127.0.0.1:{words[i + 1]}/metrics" for i, word in enumerate(words) if word == "--prometheus-port"]


def _text(url):
    try:
        return httpx.get(url, timeout=20).text
    except httpx.HTTPError as error:
        raise ChainError(f"{url}: {error!r}") from error


def _value(url, name):
    found = re.search(rf"^{name}(?:\{{.*\}})? (\S+)$", _text(url), re.MULTILINE)
    return found is not None and float(found[1]) > 0


PAGES = (("validator", "relay", "validator"), ("collator", "para", "collator"), ("embedded", "relay", "collator"))
CARRIED = [
    (page, name)
    for page, where, who in PAGES
    for name, signal in CATALOGUE.items()
    if name != "up" and any(where == chain and role in {None, who} for chain, role in signal.carriers)
]


@pytest.mark.parametrize(("page", "name"), CARRIED)
def test_a_signal_is_on_the_pages_of_those_who_carry_it(pages, page, name):
    shown = getattr(pages, page)
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


def test_what_comes_with_its_first_use_has_the_labels_that_are_asked_for(pages):
    """Those that even a healthy network uses."""
    used = {
        "polkadot_parachain_validation_requests_total": "validity",
        "polkadot_parachain_collation_requests_total": "success",
    }
    for name, label in used.items():
        assert any(label in labels for labels in pages.validator.samples.get(name, ())), name


def test_versions_are_told_by_the_page(pages):
    assert pages.validator.release == (1, 25)
    assert pages.validator.known
    assert pages.collator.known
    assert pages.embedded.known


@pytest.mark.parametrize("release", LINES)
def test_each_line_has_the_names_that_the_table_gives_it(release):
    assert release in RELEASES.values()
    program = unpacked(LINES[release]) / "polkadot"
    _has_exactly(
        program,
        {
            name: metric.since is None or metric.since <= release
            for name, metric in METRICS.items()
            if name not in OF_COLLATORS
        },
    )


def test_collators_have_their_own_names():
    _has_exactly(unpacked(COLLATOR) / "polkadot-omni-node", dict.fromkeys(OF_COLLATORS, True))


def _has_exactly(program, wanted):
    """A program holds the texts of the names that it can show."""
    with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        found = {name: text.find(name.encode()) >= 0 for name in wanted}
    assert found == wanted


def test_the_archives_are_there():
    assert all((FOLDER / archive).is_file() for archive in (*LINES.values(), COLLATOR))
