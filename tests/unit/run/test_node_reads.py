"""All that gates read of a node's RPC, of a real simnode process that is a chain by itself."""

import contextlib
import json
import random
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from orchestrator.chain import SubstrateReader, rpc
from orchestrator.errors import ChainError
from orchestrator.genesis import keys
from orchestrator.run.clock import ChainClock
from orchestrator.run.node_reads import NodeReads
from orchestrator.runtime.blob import model_blob
from orchestrator.spec.runtime import ModelRuntime
from orchestrator.spec.source import ChainEvents, ChainRead, Storage
from simnode.testing import specs

pytestmark = pytest.mark.live


def free_ports(count):
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(12000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.append(port)
    return map(str, ports)


@pytest.fixture(scope="module")
def access(tmp_path_factory):
    """As `readiness.access` reaches nodes, to one validator on loopback that has finalised three blocks."""
    folder = tmp_path_factory.mktemp("alone")
    code = model_blob(ModelRuntime(spec_name="relay", spec_version=7))
    (folder / "relay.json").write_text(json.dumps(specs.relay_spec(validators=1, code=code)))
    specs.write_node(folder / "v", group="validator", ordinal=0, types=keys.RELAY_KEY_TYPES)
    p2p, port, metrics = free_ports(3)
    command = [
        sys.executable, "-m", "simnode", "--chain", str(folder / "relay.json"), "--name", "v", "--validator",
        "--node-key-file", str(folder / "v" / "node-key"), "--base-path", str(folder / "v" / "data"),
        "--keystore-path", str(folder / "v" / "keystore"), "--port", p2p, "--rpc-port", port,
        "--prometheus-port", metrics,
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[3])
    reader = SubstrateReader(rpc.http(f"http://127.0.0.1:{port}", node="v"))
    node = SimpleNamespace(name="v", chain="relay", authority=True)
    try:
        for _ in range(150):
            with contextlib.suppress(ChainError):
                if reader.finalized().number >= 3:
                    break
            time.sleep(0.2)
        else:
            pytest.fail((folder / "log").read_text()[-800:])
        yield SimpleNamespace(nodes=[node], reader=lambda *_, **__: reader)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def reads(access):
    return NodeReads(access)


@pytest.mark.parametrize("what", [what for what in get_args(ChainRead) if what != "finalized-hash"])
def test_every_number_can_be_read(reads, what):
    found = reads.number("v", "relay", what)
    exact = {"spec-version": 7.0, "authorities": 1.0}
    assert found == exact.get(what, found)
    assert found >= {"best-height": 3, "finalized-height": 3, "grandpa-round": 1}.get(what, 0)


def test_storage_is_read_now_and_at_a_height(reads):
    now = Storage(pallet="Timestamp", item="Now", as_="u64")
    assert reads.number("v", "relay", now) == pytest.approx(time.time() * 1000, abs=15_000)
    assert re.fullmatch(r"0x[0-9a-f]{16}", reads.stored("v", "relay", now, 2))
    assert reads.stored("v", "relay", now, 1) != reads.stored("v", "relay", now, 2)
    assert reads.stored("v", "relay", now, 10_000) is None


def test_hashes_are_those_of_the_chain(reads):
    assert reads.block_hash("v", "relay", 1) != reads.block_hash("v", "relay", 2)
    assert reads.finalized_height("v", "relay") >= 3


def test_events_are_counted_by_block_and_say_who_was_asked(reads):
    node, blocks = reads.happened("relay", ChainEvents(pallet="System", name="NoSuchEvent"), 1, 3)
    assert (node, blocks) == ("v", [])
    with pytest.raises(ChainError):
        reads.happened("relay", ChainEvents(pallet="System", name="CodeUpdated"), 1, 10_000)
    with pytest.raises(ChainError, match="no node of nest"):
        reads.happened("nest", ChainEvents(pallet="System", name="CodeUpdated"), 1, 3)


def test_the_chain_clock_notes_height_session_and_the_blocks_own_time(access):
    kept = []
    with ChainClock(access, kept.append):
        for _ in range(100):
            if len(kept) >= 2:
                break
            time.sleep(0.1)
    assert kept[-1].best >= kept[-1].finalized >= 3
    assert abs(kept[-1].stamp - time.time()) < 15
