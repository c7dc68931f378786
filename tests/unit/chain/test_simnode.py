"""The door to node RPC against one real simnode, a process of its own on loopback: what the controller relies on."""

import socket
import subprocess
import sys
import time

import pytest

from orchestrator import nodeinit
from orchestrator.chain import SubstrateReader, events_between, rpc, runtime, upgrader
from orchestrator.chain.rpc import Refusal
from orchestrator.errors import ChainError
from orchestrator.genesis import chainspec, keys
from orchestrator.genesis.header import blake2_256
from orchestrator.runtime import blob
from orchestrator.spec import ModelRuntime, Testnet

pytestmark = pytest.mark.live

SEED = bytes(range(32))
TESTNET = {
    "kind": "Testnet",
    "metadata": {"name": "lone"},
    "spec": {
        "relaychain": {
            "slot": "1s",
            "sessionBlocks": 4,
            "runtime": {"model": {"specName": "canary", "specVersion": 1}},
            "groups": [{"name": "validator", "count": 1}],
        }
    },
}


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """One validator, which finalises alone."""
    folder = tmp_path_factory.mktemp("lone")
    genesis = chainspec.build(Testnet.model_validate(TESTNET), SEED)
    (folder / "relay.json").write_bytes(genesis.chain("relay").spec)
    nodeinit.write_keys(SEED, group="validator", ordinal=0, types="relay", directory=folder / "keys")
    port, rpc_port, metrics = free_ports(3)
    options = {
        "--chain": folder / "relay.json",
        "--name": "validator-0",
        "--base-path": folder / "data",
        "--node-key-file": folder / "keys" / "node-key",
        "--keystore-path": folder / "keys" / "keystore",
        "--port": port,
        "--rpc-port": rpc_port,
        "--prometheus-port": metrics,
    }
    command = [sys.executable, "-m", "simnode", "--validator"]
    command += [str(part) for option in options.items() for part in option]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield f"http://127.0.0.1:{rpc_port}"
        finally:
            process.kill()
            process.wait()
            sys.stderr.write((folder / "log").read_text()[-2000:])


@pytest.fixture
def reader(url):
    reader = SubstrateReader(rpc.http(url, node="validator-0"))

    def finalises():
        try:
            return reader.finalized().number > 0
        except ChainError:
            return False

    until(finalises, 30, "a finalised block")
    return reader


def test_heads_health_identity_and_rounds_are_served(reader):
    final = reader.finalized()
    assert reader.best().number >= final.number
    assert reader.hash_at(final.number) == final.hash
    assert reader.genesis_hash().startswith("0x")
    assert reader.health()["isSyncing"] is False
    assert reader.peer_id() == keys.peer_id(keys.network_key(SEED, group="validator", ordinal=0).public)
    rounds = reader.round_state()
    assert (rounds.best.total, rounds.best.threshold) == (1, 1)


def test_values_are_served_by_name_as_on_a_real_chain(reader):
    final = reader.finalized()
    one = runtime(reader.rpc)
    assert one.value("Session", "CurrentIndex", at=final.hash) == reader.session(final.hash)
    assert one.value("Sudo", "Key", at=final.hash) == keys.ss58(keys.sudo(SEED).public)
    assert one.value("Paras", "ParaLifecycles", 2000, at=final.hash) is None
    assert one.values("Paras", "ParaLifecycles", at=final.hash) == ()
    assert reader.sudo() == keys.sudo(SEED).public
    assert len(reader.authors()) == len(reader.validators()) == 1
    with pytest.raises(ChainError, match=r"no Babe\.Authorities; it has .*Session\.CurrentIndex"):
        one.value("Babe", "Authorities", at=final.hash)


def test_events_are_indexed_by_block(reader):
    final = reader.finalized()
    found = {number for number, _ in events_between(reader, runtime(reader.rpc), 1, final.number)}
    assert found == set(range(1, final.number + 1))


def test_sessions_go_by(reader):
    before = reader.session()
    until(lambda: reader.session() > before, 15, "the next session")
    assert reader.session(reader.hash_at(1)) <= before


def test_an_upgrade_goes_through_and_is_noted_by_the_block_after_it(reader):
    code = blob.model_blob(ModelRuntime(spec_name="canary", spec_version=2, migration="succeeds"))
    one = upgrader(reader.rpc, keys.sudo(SEED))
    one.authorize(blake2_256(code))
    until(lambda: reader.authorized_upgrade() == blake2_256(code), 10, "the authorisation")
    one.apply(code)
    until(lambda: reader.runtime_version(reader.finalized().hash).spec_version == 2, 15, "the new version")
    assert reader.code_hash() == "0x" + blake2_256(code).hex()
    until(lambda: reader.last_runtime_upgrade(reader.finalized().hash).spec_version == 2, 15, "a block built by it")
    assert reader.authorized_upgrade() is None
    blocks = [reader.hash_at(number) for number in range(1, reader.finalized().number + 1)]
    first = next(i for i, block in enumerate(blocks) if reader.runtime_version(block).spec_version == 2)
    assert reader.last_runtime_upgrade(blocks[first]).spec_version == 1, "the version changes a block earlier"
    assert "CodeUpdated" in {event.name for event in one.events(blocks[first])}


def test_what_nobody_authorised_is_refused_by_the_pool(reader):
    code = blob.model_blob(ModelRuntime(spec_name="canary", spec_version=99))
    with pytest.raises(Refusal) as caught:
        upgrader(reader.rpc, keys.sudo(SEED)).apply(code)
    assert caught.value.code == 1010


def test_a_failure_under_sudo_shows_only_in_its_event(reader):
    one = upgrader(reader.rpc, keys.sudo(SEED))
    start = reader.best().number
    one.authorize(b"too short")

    def sudid():
        blocks = [reader.hash_at(number) for number in range(start, reader.best().number + 1)]
        return [event for block in blocks for event in one.events(block) if event.name == "Sudid"]

    (event,) = until(sudid, 10, "the event")
    assert "Err" in event.data["sudo_result"]
