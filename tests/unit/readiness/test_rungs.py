"""The rungs of a network name the nodes that they ask, so that a wait can say how many of all have come so far."""

from types import SimpleNamespace

import pytest

from orchestrator.genesis import chainspec
from orchestrator.readiness import rungs
from tests.unit.render.test_render import network

SPEC = network(validators=2, collators=1, bootnodes=1)
VALIDATORS = {"validator-0", "validator-1"}
RELAY = VALIDATORS | {"bootnode-0"}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("controller, agents and Prometheus are ready", set()),
        ("all pods are ready", RELAY | {"collator0-0"}),
        ("all nodes have the planned genesis", RELAY | {"collator0-0"}),
        ("all nodes have the planned peer id", RELAY | {"collator0-0"}),
        ("all authorities hold their session keys", VALIDATORS),
        ("best blocks advance on all nodes", RELAY),
        ("finality advances on all nodes, and hashes agree", RELAY),
        ("parachains are registered", set()),
        ("each parachain had its first candidate included", {"collator0-0"}),
        ("validators have prepared the parachains' code", VALIDATORS),
    ],
)
def test_a_rung_names_those_whom_it_asks(name, asked):
    planned = SimpleNamespace(testnet=SPEC, genesis=chainspec.build(SPEC, bytes(32)))
    ladder = {rung.name: rung for rung in rungs.rungs(None, planned, SimpleNamespace(nodes=()))}
    assert ladder[name].asked == asked
