"""What is never started: a live network, or a chain whose spec leads to public nodes."""

import re

import pytest

from orchestrator.errors import Refused
from orchestrator.genesis import refusals


@pytest.mark.parametrize("genesis_hash", refusals.LIVE)
def test_the_genesis_of_each_live_network_is_refused_by_name(genesis_hash):
    assert re.fullmatch("0x[0-9a-f]{64}", genesis_hash)
    with pytest.raises(Refused, match=re.escape(refusals.LIVE[genesis_hash])):
        refusals.live_network("relay", genesis_hash)


def test_another_genesis_is_not():
    refusals.live_network("relay", "0x" + "00" * 32)


@pytest.mark.parametrize(
    "name", ["polkadot", "kusama", "westend", "paseo", "rococo", "asset-hub-polkadot", "localhost"]
)
def test_a_built_in_chain_is_refused_unless_its_name_says_what_it_is_for(name):
    with pytest.raises(Refused, match=name):
        refusals.builtin("relay", name)


@pytest.mark.parametrize("name", ["westend-local", "rococo-dev", "dev", "penpal-westend-2000", "people-westend-local"])
def test_chains_for_rehearsing_are_not(name):
    refusals.builtin("relay", name)


@pytest.mark.parametrize(
    "address",
    [
        "/dns/polkadot-bootnode-0.polkadot.io/tcp/30333/p2p/12D3",
        "/dns4/kusama.example.com/tcp/443/wss/p2p/12D3",
        "/ip4/34.90.159.65/tcp/30333/p2p/12D3",
        "/ip6/2a00:1450:4001::1/tcp/30333/p2p/12D3",
        "/ip4/not-an-address/tcp/1",
        "whatever",
    ],
)
def test_a_public_bootnode_is_refused(address):
    with pytest.raises(Refused, match="1 public bootnodes") as caught:
        refusals.public_bootnodes("relay", ["/ip4/127.0.0.1/tcp/30333/p2p/12D3", address])
    assert address in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "/ip4/10.0.0.1/tcp/1/p2p/x",
        "/ip6/::1/tcp/1",
        "/dns4/a-0.a.net.svc.cluster.local/tcp/1",
        "/dns/alice/tcp/1",
    ],
)
def test_a_private_bootnode_is_not(address):
    refusals.public_bootnodes("relay", [address])
