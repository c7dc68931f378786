"""Nodes and Prometheus in containers, no cluster: what needs real sockets and nothing of Kubernetes."""

import contextlib
import json
import time

import pytest
from testcontainers.core.container import DockerContainer

from orchestrator import nodeinit
from orchestrator.chain import SubstrateReader, rpc
from orchestrator.errors import ChainError, MetricsError
from orchestrator.genesis import chainspec
from orchestrator.metrics.prometheus import Prometheus
from orchestrator.spec import Testnet

SEED = bytes(range(32))
VALIDATORS = 4


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What the init containers would have written: the chain spec, and each node's keys."""
    folder = tmp_path_factory.mktemp("network")
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)
    model = {"model": {"specName": "canary", "specVersion": 1}}
    relay = {"slot": "1s", "runtime": model, "groups": [{"name": "validator", "count": VALIDATORS}]}
    net = Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "small"}, "spec": {"relaychain": relay}})
    genesis = chainspec.build(net, SEED)
    (folder / "relay.json").write_bytes(genesis.chain("relay").spec)
    for ordinal in range(VALIDATORS):
        keys = folder / f"keys-{ordinal}"
        nodeinit.write_keys(SEED, group="validator", ordinal=ordinal, types="relay", directory=keys)
        for path in (keys, *keys.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # The containers run as another user.
    return folder, genesis


@pytest.fixture(scope="module")
def nodes(engine, images, files):
    """Addresses of four validators; the first is everybody's bootnode."""
    folder, genesis = files
    addresses = []
    with contextlib.ExitStack() as stack:
        for ordinal in range(VALIDATORS):
            peers = [f"/ip4/{addresses[0]}/tcp/30333/p2p/{genesis.nodes[0].peer_id}"] if addresses else []
            command = [
                *("python3", "-m", "simnode", "--chain", "/network/relay.json", "--base-path", "/tmp/data"),
                *("--name", f"validator-{ordinal}", "--node-key-file", f"/network/keys-{ordinal}/node-key"),
                *("--keystore-path", f"/network/keys-{ordinal}/keystore", "--validator"),
                *(("--bootnodes", *peers) if peers else ()),
            ]
            container = (
                DockerContainer(images["coalmine"])
                .with_volume_mapping(str(folder), "/network", "ro")
                .with_command(command)
            )
            started = stack.enter_context(container)
            addresses.append(engine.address(started.get_wrapped_container().id))
        yield addresses


def reader(address):
    return SubstrateReader(rpc.http(f"http://{address}:9944", node=address))


def finalized(address):
    with contextlib.suppress(ChainError):
        return reader(address).finalized().number
    return 0


@pytest.mark.timeout(300)
def test_four_validators_in_containers_finalise_one_chain(nodes, files):
    _, genesis = files
    until(lambda: all(finalized(address) >= 3 for address in nodes), 60, "everybody has finalised three blocks")
    assert {reader(address).genesis_hash() for address in nodes} == {genesis.chain("relay").genesis_hash}
    assert [reader(address).peer_id() for address in nodes] == [node.peer_id for node in genesis.nodes]
    assert len({reader(address).hash_at(3) for address in nodes}) == 1


@pytest.mark.timeout(300)
def test_prometheus_in_a_container_gives_their_samples_through_our_door(engine, images, nodes, tmp_path):
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "nodes", "static_configs": [{"targets": [f"{address}:9615" for address in nodes]}]}
        ],
    }
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps(config))
    for path in (file, tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    command = ["prometheus", "--config.file=/etc/prometheus.yml", "--storage.tsdb.path=/tmp/data"]
    container = (
        DockerContainer(images["prometheus"])
        .with_volume_mapping(str(file), "/etc/prometheus.yml", "ro")
        .with_command(command)
    )
    with container as started:
        door = Prometheus(f"http://{engine.address(started.get_wrapped_container().id)}:9090")

        def series():
            now = time.time()
            with contextlib.suppress(MetricsError):  # It is starting; the limit of the wait is the assertion.
                query = 'substrate_block_height{status="finalized"}'
                found = door.query_range(query, now - 10, now, 1.0).series
                return found if len(found) == VALIDATORS and all(len(one.samples) >= 5 for one in found) else None
            return None

        for one in until(series, 60, "five samples of each validator"):
            values = [value for _, value in one.samples]
            assert values == sorted(values)
            assert values[-1] >= 3
