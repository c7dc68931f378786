"""A fork has a live network's genesis, so each thing that keeps it apart must be there, and its spec must say so."""

import json

import pytest

from orchestrator.errors import Refused
from orchestrator.genesis import chainspec, refusals
from orchestrator.spec import Testnet
from orchestrator.spec.testnet import RELAY
from tests.unit.genesis import tiny

SEED = bytes(range(32))
SNAPSHOT = {"archive": {"url": "https://store.example/relay-snap.tgz", "sha256": "0" * 64}}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COALMINE_CACHE", str(tmp_path / "cache"))


def network(spec_file, *, snapshot=SNAPSHOT, isolation=None, more=()):
    group = {"name": "validator", "count": 2, "keys": {"dev": ["alice", "bob"]}, "snapshot": snapshot}
    relay = {"client": "polkadot", "specFile": str(spec_file), "groups": [group, *more]}
    spec = {"devKeys": True, "relaychain": relay, "isolation": {"forkId": "bitten"} if isolation is None else isolation}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "fork"}, "spec": spec})


@pytest.fixture(params=["code of today", "code of the first days"])
def live(request, tmp_path, monkeypatch):
    """A spec whose genesis counts as a live network's."""
    code = tiny.runtime({}) if request.param == "code of today" else b"\0asm\x01\0\0\0"
    raw = {"top": {"0x" + b":code".hex(): "0x" + code.hex(), "0x1234": "0x01"}, "childrenDefault": {}}
    spec = {"name": "Live", "id": "live", "chainType": "Live", "protocolId": "dot", "bootNodes": []}
    spec |= {"telemetryEndpoints": [["wss://telemetry.example/submit", 0]], "genesis": {"raw": raw}}
    file = tmp_path / "live-spec.json"
    file.write_text(json.dumps(spec))
    hash_ = chainspec.build(network(file), SEED).chain(RELAY).genesis_hash
    monkeypatch.setitem(refusals.LIVE, hash_, "Livenet")
    return file


def test_a_fork_that_is_kept_apart_has_the_live_genesis_and_protocols_of_its_own(live):
    (chain,) = chainspec.build(network(live), SEED).chains
    assert refusals.LIVE[chain.genesis_hash] == "Livenet"
    spec = json.loads(chain.spec)
    assert spec["forkId"] == "bitten"
    assert spec["protocolId"].startswith("coalmine-")
    assert spec["telemetryEndpoints"] is None
    assert spec["genesis"]["raw"] == json.loads(live.read_text())["genesis"]["raw"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"snapshot": None}, "snapshot"),
        ({"more": ({"name": "full", "role": "full"},)}, "snapshot"),
        ({"isolation": {}}, "forkId"),
        ({"isolation": {"forkId": "bitten", "networkPolicy": False}}, "networkPolicy"),
    ],
    ids=["no database", "a group without one", "no fork id", "no network policy"],
)
def test_whatever_is_missing_the_live_genesis_is_refused_and_the_hint_names_it(live, change, named):
    with pytest.raises(Refused, match="Livenet, a live network") as caught:
        chainspec.build(network(live, **change), SEED)
    assert named in caught.value.hint


def test_public_bootnodes_are_refused_in_a_fork_too(live):
    spec = json.loads(live.read_text()) | {"bootNodes": ["/dns/boot.live.io/tcp/30333/p2p/12D3"]}
    live.write_text(json.dumps(spec))
    with pytest.raises(Refused, match="public bootnodes"):
        chainspec.build(network(live), SEED)
