"""How each client is started. That real programs take these flags is shown in tests/real."""

import pytest

from orchestrator.render.clients import CLIENTS, Placement
from orchestrator.spec import Parachain, ParaGroup, Relaychain, RelayGroup
from orchestrator.spec.profiles import profile

FILE = {"file": "code.wasm"}
RELAY = Relaychain.model_validate({"client": "polkadot", "runtime": FILE, "groups": [{"name": "v"}]})
NEST = {"id": 2000, "client": "polkadot-omni-node", "runtime": FILE, "groups": [{"name": "c"}]}


def place(role, *, chain="relay", spec=RELAY, relay_rpc=(), **more):
    words = {"secure_validators": False, "relay_bootnodes": ("/dns4/r",), "para_bootnodes": ("/dns4/p",), **more}
    return Placement(namespace="n", role=role, chain=chain, spec=spec, relay=RELAY, relay_rpc=relay_rpc, **words)


def nest(**more):
    return Parachain.model_validate({**NEST, **more})


def started(client, group, where):
    return " ".join(CLIENTS[client].command(group, where))


def relay_side(command):
    return command.partition(" -- ")[2]


def test_a_validator_has_its_keys_and_serves_unsafe_methods_on_loopback_only():
    command = started("polkadot", RelayGroup(name="v"), place("validator"))
    assert "--validator --insecure-validator-i-know-what-i-do" in command
    assert "--keystore-path /run/coalmine/keys/keystore" in command
    assert "listen-addr=0.0.0.0:9944,methods=safe" in command
    assert "listen-addr=127.0.0.1:9955,methods=unsafe" in command
    assert "--bootnodes /dns4/r" in command


@pytest.mark.parametrize("role", ["full", "bootnode", "archive", "rpc"])
def test_only_validators_validate(role):
    command = started("polkadot", RelayGroup(name="v", role=role), place(role))
    assert "--validator" not in command
    assert "--keystore-path" not in command
    assert ("--state-pruning archive" in command) == (role == "archive")


def test_the_sandbox_is_asked_for_by_leaving_its_waiver_out():
    command = started("polkadot", RelayGroup(name="v"), place("validator", secure_validators=True))
    assert "--validator" in command
    assert "insecure" not in command


def test_both_sides_of_a_collator_have_ports_a_network_key_and_metrics_of_their_own():
    command = started("polkadot-omni-node", ParaGroup(name="c"), place("collator", chain="nest", spec=nest()))
    own, relay = command.split(" -- ")
    for side, key, p2p, metrics in ((own, "node-key", 30333, 9615), (relay, "relay-node-key", 30334, 9616)):
        assert f"--node-key-file /run/coalmine/keys/{key}" in side
        assert f"/ip4/0.0.0.0/tcp/{p2p}" in side
        assert f"--prometheus-external --prometheus-port {metrics}" in side
    assert "--collator" in own
    assert "spec/nest.json" in own
    assert "spec/relay.json" in relay


def test_a_collator_without_a_relay_node_asks_others_and_shows_no_metrics_of_one():
    asked = ("ws://rpc-0:9944",)
    where = place("collator", chain="nest", spec=nest(relay="rpc"), relay_rpc=asked)
    assert "--relay-chain-rpc-urls ws://rpc-0:9944" in started("polkadot-omni-node", ParaGroup(name="c"), where)
    assert not where.embedded_relay


def test_elastic_scaling_needs_slot_based_authoring():
    where = place("collator", chain="nest", spec=nest(cores=3, authoring="slot-based"))
    assert "--authoring slot-based" in started("polkadot-omni-node", ParaGroup(name="c"), where)


@pytest.mark.parametrize(("client", "program"), [("polkadot", ("my-node",)), ("polkadot-parachain", ("moonbeam",))])
def test_another_program_takes_the_same_arguments(client, program):
    spec, group = (nest(), ParaGroup) if client == "polkadot-parachain" else (RELAY, RelayGroup)
    where = place("full", chain="nest" if spec is not RELAY else "relay", spec=spec)
    ours, theirs = (started(client, group(name="g", role="full", program=p), where) for p in (None, program))
    assert theirs == ours.replace(client, program[0], 1)


def test_an_argument_of_ours_can_be_taken_away_and_another_put_in_its_place():
    group = RelayGroup(name="v", args=("-:--no-mdns", "--rpc-max-connections", "5"))
    command = started("polkadot", group, place("validator"))
    assert "--no-mdns" not in command
    assert command.endswith("--rpc-max-connections 5")


def test_a_client_that_nobody_knows_is_told_everything_by_places():
    program = ("node", "--spec={spec}", "--key={node_key}", "--peers", "{bootnodes}", "--rpc={rpc}")
    command = CLIENTS["command"].command(
        RelayGroup(name="v", client="command", program=program),
        place("full", relay_bootnodes=("/dns4/a", "/dns4/b")),
    )
    assert command[1:] == (
        "--spec=/run/coalmine/spec/relay.json",
        "--key=/run/coalmine/keys/node-key",
        *("--peers", "/dns4/a", "/dns4/b"),
        "--rpc=9944",
    )


def test_a_place_that_nobody_knows_is_a_mistake():
    with pytest.raises(ValueError, match=r"there is no value for \{ports\}"):
        RelayGroup(name="v", client="command", image="i", program=("node", "{ports}"))


@pytest.mark.parametrize("client", ["simnode", "polkadot"])
def test_what_the_user_says_of_resources_stands_and_the_rest_follows_from_client_and_role(client):
    usual = profile(RelayGroup(name="v"), client=client, role="validator")
    said = profile(RelayGroup(name="v", resources={"memory": "9Gi"}), client=client, role="validator")
    assert said.memory == "9Gi"
    assert (said.cpu, said.storage, said.startup) == (usual.cpu, usual.storage, usual.startup)
