"""Imported keys: what a pod writes is what genesis has, and each pod writes its own alone."""

import json

import pytest

from orchestrator.genesis import chainspec, keys
from orchestrator.nodeinit import write_keys
from orchestrator.nodeinit.keystore import imported_uri
from orchestrator.spec import Testnet

SEED = bytes(range(32))
URIS = (
    "//Alice",
    "0x" + "5a" * 32 + "//stake//3",
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk//node",
)
MODEL = {"model": {"specName": "canary", "specVersion": 1}}


def network(uris, source):
    relay = {"runtime": MODEL, "groups": [{"name": "validator", "count": len(uris), "keys": source}]}
    collator = {"name": "collator", "count": len(uris), "keys": source}
    para = {"id": 2000, "name": "nest", "runtime": MODEL, "groups": [collator]}
    spec = {"devKeys": True, "relaychain": relay, "parachains": [para]}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "imported"}, "spec": spec})


def session_of(testnet, chain, ordinal):
    spec = json.loads(chainspec.build(testnet, SEED).chain(chain).spec)
    return spec["genesis"]["runtimeGenesis"]["config"]["session"]["keys"][ordinal][2]


@pytest.mark.parametrize(
    ("chain", "group", "types"),
    [("relay", "validator", keys.RELAY_KEY_TYPES), ("nest", "collator", keys.PARA_KEY_TYPES)],
)
def test_a_pod_with_an_imported_key_writes_the_keys_that_genesis_has(tmp_path, chain, group, types):
    file = tmp_path / "uris.txt"
    file.write_text("\n".join(URIS) + "\n\n")
    testnet = network(URIS, {"file": str(file)})
    mounted = tmp_path / "mounted"  # The Secret that `provision.vault` makes, as the kubelet shows it.
    mounted.mkdir()
    for ordinal, uri in enumerate(URIS):
        (mounted / str(ordinal)).write_text(uri)
    for ordinal, uri in enumerate(URIS):
        folder = tmp_path / f"{group}-{ordinal}"
        kind = "relay" if chain == "relay" else "para"
        write_keys(
            SEED, group=group, ordinal=ordinal, types=kind, directory=folder, uri=imported_uri([], mounted, ordinal)
        )
        session = session_of(testnet, chain, ordinal)
        expected = {types[name][0].encode().hex() + public.removeprefix("0x") for name, public in session.items()}
        written = {file.name: json.loads(file.read_text()) for file in (folder / "keystore").iterdir()}
        assert set(written) == expected
        assert set(written.values()) == {uri}
        assert not any(file.stat().st_mode & 0o077 for file in (folder / "keystore").iterdir())


def test_a_development_account_is_its_uri():
    assert imported_uri(["alice", "ferdie"], None, 1) == "//Ferdie"
    dev = network(("//Alice",), {"dev": ["alice"]})
    grandpa = session_of(dev, "relay", 0)["grandpa"]
    # What `polkadot key inspect --scheme ed25519 //Alice` prints.
    assert grandpa == "0x88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee"
