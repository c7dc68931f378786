"""Whether this machine is the cluster's, what its nodes compile, and what the user is told."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.genesis.timing import Timing
from orchestrator.journal import Node
from orchestrator.machine import check as machine
from orchestrator.machine.limits import TooShort
from tests.unit.machine.test_limits import QUIET, rehearsal, stage
from tests.unit.render.test_render import network

HERE = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def node(name, chain, role, *, embeds_relay=True):
    return Node(name=name, chain=chain, group=role, role=role, ordinal=0, embeds_relay=embeds_relay)


NODES = (
    *(node(f"validator-{number}", "relay", "validator") for number in range(4)),
    node("bootnode-0", "relay", "bootnode"),
    node("collator-0", "para-2000", "collator"),
    node("asking-0", "para-2000", "collator", embeds_relay=False),
    node("other-0", "para-2001", "collator"),
)


@pytest.mark.parametrize(
    ("boots", "word"),
    [
        pytest.param([HERE], None, id="this kernel"),
        pytest.param([HERE, HERE], None, id="several machines in containers on this kernel"),
        pytest.param([HERE, "another"], "not this one", id="another machine too"),
        pytest.param(["another"], "not this one", id="another machine"),
        pytest.param([], "not this one", id="no machine"),
        pytest.param(None, "does not say", id="not allowed to ask"),
    ],
)
def test_only_a_cluster_on_this_kernel_is_measured(boots, word):
    found = machine.elsewhere(boots)
    assert found is None if word is None else word in found


@pytest.fixture
def code(tmp_path):
    """A file that a runtime's reader accepts, of a known size."""
    file = tmp_path / "x.wasm"
    file.write_bytes(machine.code_of(network().spec.relaychain.runtime) + b"\0\x80\x89\x7a" + bytes(2_000_000))
    return file


@pytest.mark.parametrize(
    ("chain", "nodes"),
    [
        pytest.param("relay", 7, id="all that have a relay node"),
        pytest.param("para-2000", 6, id="its own and the validators"),
        pytest.param("2000", 6, id="by its number"),
    ],
)
def test_who_compiles_the_code_of_an_upgrade(code, chain, nodes):
    upgrade = rehearsal(stage("s", upgrade={"chain": chain, "code": {"file": str(code)}}), stage("t"))
    (found,) = machine.compiled(upgrade, network(parachains=2).spec.parachains, NODES).items()
    assert (found[0], found[1].nodes) == ("s", nodes)
    assert found[1].megabytes == pytest.approx(code.stat().st_size / 1e6)


def test_code_that_cannot_be_read_is_left_to_the_upgrade(tmp_path):
    upgrade = rehearsal(stage("s", upgrade={"chain": "relay", "code": {"file": str(tmp_path / "none.wasm")}}))
    assert machine.compiled(upgrade, (), NODES) == {}


class TestTheLine:
    def test_names_what_is_too_short(self):
        short = (TooShort("enactTimeout of s", 300.0, 552.04), TooShort("slots of", 2.0, 3.0))
        assert machine.line(QUIET, 7, short) == (
            "machine: 2 cores for 7 nodes, a busy process gets 100% of a CPU now; WARNING: too short for that are "
            "enactTimeout of s 5m (needs about 9m12s), slots of 2s (needs about 3s)"
        )

    def test_says_so_if_nothing_is(self):
        assert machine.line(QUIET, 7, ()).endswith("no window or limit of the file is too short for that")


def checked(boots, tmp_path):
    cluster = SimpleNamespace(
        list_all=lambda kind: [{"status": {"nodeInfo": {"bootID": boot}}} for boot in boots if kind == "Node"]
    )
    planned = SimpleNamespace(testnet=network(), genesis=SimpleNamespace(timing=Timing(6.0, 10)))
    said = []
    recovers = {"name": "a", "signal": "finalized-height", "recoversWithin": "1s"}
    event = machine.check(rehearsal(stage("s", recovers)), planned, NODES, cluster, tmp_path, said.append)
    return event, said


@pytest.mark.live
def test_the_journal_has_the_figures_and_what_is_too_short(tmp_path):
    event, (line,) = checked([HERE], tmp_path)
    assert event.name == "machine.measured"
    assert event.detail["nodes"] == len(NODES)
    (short,) = event.detail["tooShort"]
    assert short.startswith("recoversWithin of s/a 1s (needs about 18")
    assert short in line
    assert type(event).model_validate_json(event.model_dump_json()) == event


def test_machines_elsewhere_are_not_judged_by_this_one(tmp_path):
    event, (line,) = checked(["another"], tmp_path)
    assert event.detail == {"elsewhere": "the cluster's machines are not this one"}
    assert line == "machine: not measured, because the cluster's machines are not this one"
