"""Rendering. That the API server takes the objects is tested in tests/cluster."""

import base64
import gzip
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import nodeinit
from orchestrator.engine import program
from orchestrator.genesis import chainspec
from orchestrator.render import Images, render
from orchestrator.spec import Testnet
from tests.budget import schedules

IMAGES = Images(coalmine="coalmine:x", prometheus="prometheus:x")
MODEL = {"model": {"specName": "canary", "specVersion": 1}}


def network(validators=4, collators=2, parachains=1, bootnodes=1):
    return Testnet.model_validate(
        {
            "kind": "Testnet",
            "metadata": {"name": "small"},
            "spec": {
                "relaychain": {
                    "runtime": MODEL,
                    "groups": [
                        {"name": "validator", "count": validators},
                        {"name": "bootnode", "role": "bootnode", "count": bootnodes},
                    ],
                },
                "parachains": [
                    {
                        "id": 2000 + number,
                        "runtime": MODEL,
                        "groups": [{"name": f"collator{number}", "count": collators}],
                    }
                    for number in range(parachains)
                ],
            },
        }
    )


def rendered(net, seed=bytes(32)):
    return render(net, chainspec.build(net, seed), IMAGES)


@settings(max_examples=schedules(15), deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 1), st.binary(min_size=32, max_size=32))
def test_the_same_testnet_and_seed_give_the_same_bytes(validators, collators, parachains, seed):
    net = network(validators, collators, parachains)
    first, second = (json.dumps([m.document for m in rendered(net, seed)]) for _ in range(2))
    assert first == second


def test_objects_grow_with_groups_and_not_with_nodes():
    assert len(rendered(network(validators=4))) == len(rendered(network(validators=200)))


def test_no_object_holds_a_secret():
    seed = bytes(range(32))
    text = json.dumps([m.document for m in rendered(network(), seed)])
    keys = chainspec.keys
    secrets = [seed, keys.sudo(seed).secret, keys.network_key(seed, group="validator", ordinal=0).secret]
    secrets += [
        p.secret for p in keys.node_keys(seed, group="validator", ordinal=1, types=keys.RELAY_KEY_TYPES).values()
    ]
    assert not [secret for secret in secrets if secret.hex() in text]


def test_nodes_keep_to_the_restricted_profile_and_see_no_token():
    for manifest in rendered(network()):
        if manifest.kind == "StatefulSet" and manifest.name != "prometheus":
            pod = manifest.document["spec"]["template"]["spec"]
            assert pod["automountServiceAccountToken"] is False
            assert pod["securityContext"]["runAsNonRoot"] is True
            (node,) = pod["containers"]
            assert node["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "seed" not in {mount["name"] for mount in node["volumeMounts"]}
            assert "livenessProbe" not in node  # A node that a fault stopped must stay stopped.


def test_bootnodes_are_named_and_never_numbered_by_ip():
    text = json.dumps([m.document for m in rendered(network())])
    assert "/dns4/bootnode-0.bootnode.coalmine-small.svc/tcp/30333/p2p/12D3KooW" in text
    assert not re.search(r"/ip[46]/", text)


def test_a_chain_spec_comes_back_whole_from_its_chunks_and_a_broken_one_is_refused(tmp_path):
    genesis = chainspec.build(network(), bytes(32))
    chunks = [m.document for m in rendered(network()) if m.name.startswith("chain-relay-")]
    folder = tmp_path / "relay"
    folder.mkdir()
    for document in chunks:
        for name, content in document["binaryData"].items():
            (folder / name).write_bytes(base64.b64decode(content))
        for name, content in document.get("data", {}).items():
            (folder / name).write_text(content)
    nodeinit.assemble(folder, tmp_path / "out" / "relay.json")
    assert (tmp_path / "out" / "relay.json").read_bytes() == genesis.chain("relay").spec
    (folder / "0000").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(SystemExit, match="sha256"):
        nodeinit.assemble(folder, tmp_path / "out" / "relay.json")


def test_a_pod_derives_the_keys_that_genesis_has(tmp_path):
    seed = bytes(range(32))
    nodeinit.write_keys(seed, group="validator", ordinal=2, types="relay", directory=tmp_path)
    files = {file.name for file in (tmp_path / "keystore").iterdir()}
    spec = json.loads(chainspec.build(network(), seed).chain("relay").spec)
    session = spec["genesis"]["runtimeGenesis"]["config"]["session"]["keys"][2][2]
    for name, (short, _) in chainspec.keys.RELAY_KEY_TYPES.items():
        assert short.encode().hex() + session[name].removeprefix("0x") in files
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "keystore").iterdir())


def test_the_pulumi_program_declares_exactly_what_was_rendered_in_its_order():
    manifests = rendered(network())
    assert program.declared("testnet", "small", manifests) == manifests
