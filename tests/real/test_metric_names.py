"""Every name that a signal reads is in the programs of every line that is supported; `played` reads them off pages."""

import mmap

import pytest

from orchestrator.metrics.names import METRICS, RELEASES, family
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE

from .conftest import FOLDER, unpacked

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
