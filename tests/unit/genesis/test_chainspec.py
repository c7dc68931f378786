"""Whole networks: what gets into which chain's genesis, for simulated and for real chains and for spec files."""

import json

import pytest

from orchestrator.errors import GenesisError, Refused
from orchestrator.genesis import chainspec, keys, refusals, suri
from orchestrator.runtime.storage import Storage
from orchestrator.scale import Reader
from orchestrator.spec import Testnet
from tests.unit.genesis import tiny

SEED = bytes(range(32))
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
MODEL = {"model": {"specName": "canary", "specVersion": 1}}
SUDO = keys.ss58(keys.sudo(SEED).public)
HOST = {
    "async_backing_params": {"max_candidate_depth": 0, "allowed_ancestry_len": 5},
    "scheduler_params": {"num_cores": 0, "lookahead": 1, "group_rotation_frequency": 20},
    "needed_approvals": 2,
}
RELAY = {
    "balances": {"balances": [[ALICE, 7]]},
    "session": {"keys": [[ALICE, ALICE, {"babe": ALICE, "grandpa": ALICE}]]},
    "sudo": {"key": ALICE},
    "babe": {"epochConfig": None},
    "staking": {"validatorCount": 0, "stakers": [], "invulnerables": [ALICE], "forceEra": "NotForcing"},
    "configuration": {"config": HOST},
    "paras": {"paras": []},
    "hrmp": {"preopenHrmpChannels": []},
    "council": {"members": [ALICE, "somebody"]},
}
PARA = {
    "balances": {"balances": []},
    "session": {"keys": []},
    "sudo": {"key": None},
    "parachainInfo": {"parachainId": 100},
    "collatorSelection": {"invulnerables": [], "candidacyBond": 16},
    "aura": {"authorities": []},
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COALMINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def codes(tmp_path):
    """Files of a relay runtime and a parachain runtime."""

    def write(name, preset):
        file = tmp_path / f"{name}.wasm"
        file.write_bytes(tiny.runtime(preset))
        return {"file": str(file)}

    return write


def network_of(relay, *paras, **more):
    relay = {"groups": [{"name": "validator", "count": 2}], **relay}
    paras = [{"groups": [{"name": f"collator-{para['id']}", "count": 1}], **para} for para in paras]
    spec = {"relaychain": relay, "parachains": paras, **more}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "small"}, "spec": spec})


def built(net):
    return chainspec.build(net, SEED)


def config(chain):
    """What `build_state` got."""
    storage = json.loads(chain.spec)["genesis"]["raw"]["top"]
    reader = Reader(bytes.fromhex(storage["0x" + tiny.RECEIVED.hex()][2:]))
    return json.loads(reader.vector())


def real(codes, *, relay=RELAY, para=PARA, **fields):
    return network_of(
        {"client": "polkadot", "runtime": codes("relay", relay), **fields.pop("relaychain", {})},
        {"id": 2000, "client": "polkadot-omni-node", "runtime": codes("para", para), **fields.pop("parachain", {})},
        **fields,
    )


def test_a_relay_chain_gets_our_authorities_endowments_and_root_and_nobody_elses(codes):
    found = config(built(real(codes)).chain("relay"))
    stashes = [keys.ss58(keys.stash(SEED, group="validator", ordinal=n).public) for n in range(2)]
    assert [entry[0] for entry in found["session"]["keys"]] == stashes
    pair = keys.node_keys(SEED, group="validator", ordinal=1, types=keys.RELAY_KEY_TYPES)
    expected = {name: keys.ss58(pair[name].public) for name in ("babe", "grandpa")}
    assert found["session"]["keys"][1][2] == expected, "the keys that the runtime's own preset has"
    assert found["sudo"] == {"key": SUDO}
    assert [account for account, _ in found["balances"]["balances"]] == [SUDO, *stashes]
    assert found["staking"]["invulnerables"] == stashes
    assert found["staking"]["validatorCount"] == 2
    assert [staker[0] for staker in found["staking"]["stakers"]] == stashes
    assert found["staking"]["forceEra"] == "NotForcing"
    assert found["council"]["members"] == [SUDO, "somebody"]
    assert found["babe"]["epochConfig"]["c"] == [1, 4]
    assert ALICE not in json.dumps(found)


def test_what_a_runtime_does_not_have_is_not_patched_into_it(codes):
    small = {pallet: RELAY[pallet] for pallet in ("balances", "session", "paras", "configuration")}
    found = config(built(real(codes, relay=small | {"staking": {"stakers": []}})).chain("relay"))
    assert set(found) == {*small, "staking"}
    assert set(found["staking"]) == {"stakers"}


def test_a_parachain_is_registered_with_the_head_and_code_of_its_own_genesis(codes):
    network = built(real(codes))
    para = network.chain("para-2000")
    ((id_, entry),) = config(network.chain("relay"))["paras"]["paras"]
    assert (id_, entry["parachain"]) == (2000, True)
    assert entry["genesis_head"] == "0x" + para.head.hex()
    assert entry["validation_code"] == "0x" + para.code.hex()
    stash = keys.ss58(keys.stash(SEED, group="collator-2000", ordinal=0).public)
    found = config(para)
    assert found["parachainInfo"] == {"parachainId": 2000}
    assert found["collatorSelection"] == {"invulnerables": [stash], "candidacyBond": 16}
    assert found["aura"] == {"authorities": []}, "sessions name the authorities"
    assert json.loads(para.spec)["relay_chain"] == "small-relay"


def test_without_sessions_aura_names_the_authorities(codes):
    found = config(built(real(codes, para={"aura": {"authorities": [ALICE]}})).chain("para-2000"))
    aura = keys.node_keys(SEED, group="collator-2000", ordinal=0, types=keys.PARA_KEY_TYPES)["aura"]
    assert found == {"aura": {"authorities": [keys.ss58(aura.public)]}}


@pytest.mark.parametrize(
    ("parachain", "registered", "cores"),
    [
        ({}, [True], 0),
        ({"cores": 3, "authoring": "slot-based"}, [True], 2),
        ({"cores": 0}, [False], 1),
        ({"onboarding": "late"}, [], 0),  # Its registration brings its core, as in genesis.
        ({"onboarding": "late", "cores": 3, "authoring": "slot-based"}, [], 2),
    ],
    ids=["one core by genesis itself", "elastic", "on demand", "late", "late and elastic"],
)
def test_cores_are_there_for_all_and_only_genesis_parachains_are_registered(codes, parachain, registered, cores):
    found = config(built(real(codes, parachain=parachain)).chain("relay"))
    assert [entry["parachain"] for _, entry in found["paras"]["paras"]] == registered
    assert found["configuration"]["config"]["scheduler_params"]["num_cores"] == cores


def test_the_host_configuration_lets_parachains_run_and_the_user_has_the_last_word(codes):
    user = {"needed_approvals": 5, "scheduler_params": {"lookahead": 9}}
    found = config(built(real(codes, relaychain={"hostConfiguration": user})).chain("relay"))["configuration"]["config"]
    assert found["async_backing_params"] == {"max_candidate_depth": 3, "allowed_ancestry_len": 5}
    assert found["scheduler_params"] == {"num_cores": 0, "lookahead": 9, "group_rotation_frequency": 20}
    assert found["needed_approvals"] == 5


def test_the_users_genesis_comes_last(codes):
    found = config(built(real(codes, relaychain={"genesis": {"babe": {"epochConfig": "mine"}}})).chain("relay"))
    assert found["babe"] == {"epochConfig": "mine"}


def test_a_session_key_that_nobody_knows_is_named(codes):
    strange = {**RELAY, "session": {"keys": [[ALICE, ALICE, {"babe": ALICE, "im_online": ALICE}]]}}
    with pytest.raises(GenesisError, match="im_online"):
        built(real(codes, relay=strange))


def test_storage_is_overridden_before_it_is_hashed(codes):
    plain = built(real(codes)).chain("relay")
    override = {"0x1234": "0x56", "0x" + tiny.RECEIVED.hex(): None}
    changed = built(real(codes, relaychain={"rawOverride": override})).chain("relay")
    assert json.loads(changed.spec)["genesis"]["raw"]["top"] == {
        "0x1234": "0x56",
        "0x" + b":code".hex(): "0x" + plain.code.hex(),
    }
    assert changed.genesis_hash != plain.genesis_hash


def test_development_keys_are_those_that_everybody_knows(codes):
    group = {"name": "validator", "count": 2, "keys": {"dev": ["alice", "bob"]}}
    found = config(built(real(codes, relaychain={"groups": [group]}, devKeys=True)).chain("relay"))
    account, _, session = found["session"]["keys"][0]
    assert account == keys.ss58(suri.public("//Alice//stash", "sr25519"))
    assert session["babe"] == ALICE
    assert [ALICE, 7] in found["balances"]["balances"], "the preset's own accounts keep what they have"


def test_a_file_of_keys_must_have_one_for_each_node(codes, tmp_path):
    (tmp_path / "uris").write_text("//One\n\n")
    group = {"name": "validator", "count": 2, "keys": {"file": str(tmp_path / "uris")}}
    with pytest.raises(GenesisError, match="1 secret URIs for the 2 nodes"):
        built(real(codes, relaychain={"groups": [group]}))


def test_a_simulated_network_has_plain_specs_and_a_real_one_raw_specs(codes):
    simulated = built(network_of({"runtime": MODEL}, {"id": 2000, "runtime": MODEL}))
    assert [chain.raw for chain in simulated.chains] == [False, False]
    assert [chain.raw for chain in built(real(codes)).chains] == [True, True]


# Spec files and built-in chains


@pytest.fixture
def spec_file(tmp_path):
    code = tiny.runtime({})
    top = {"0x" + b":code".hex(): "0x" + code.hex()}
    document = {
        "id": "theirs",
        "name": "Theirs",
        "bootNodes": [],
        "other": ["kept"],
        "genesis": {"raw": {"top": top, "childrenDefault": {"0x01": {"0x02": "0x03"}}}},
    }

    def write(**changes):
        file = tmp_path / "theirs.json"
        file.write_text(json.dumps({**document, **changes}))
        return network_of({"client": "polkadot", "specFile": str(file)})

    write.code = code
    return write


def test_a_users_spec_is_kept_and_its_genesis_hash_computed(spec_file):
    chain = built(spec_file()).chain("relay")
    spec = json.loads(chain.spec)
    assert (spec["id"], spec["other"]) == ("theirs", ["kept"])
    state = Storage({b":code": spec_file.code}, {b"\x01": {b"\x02": b"\x03"}})
    assert state.root(1) in chain.head


def test_a_users_spec_with_the_genesis_of_a_live_network_is_refused(spec_file, monkeypatch):
    net = spec_file()
    monkeypatch.setitem(refusals.LIVE, built(net).chain("relay").genesis_hash, "Polkadot")
    with pytest.raises(Refused, match="Polkadot, a live network"):
        built(net)


def test_a_users_spec_that_leads_to_public_nodes_is_refused(spec_file):
    with pytest.raises(Refused, match="public bootnodes"):
        built(spec_file(bootNodes=["/dns/boot.polkadot.io/tcp/30333/p2p/12D3"]))


@pytest.mark.parametrize(
    "genesis", [{"runtimeGenesis": {}}, {"raw": {}}, {"raw": {"top": {"0xzz": "0x"}}}, {"raw": 3}, None]
)
def test_what_is_no_raw_spec_is_named_as_such(spec_file, genesis):
    with pytest.raises(GenesisError, match="not a raw chain spec"):
        built(spec_file(genesis=genesis))


@pytest.mark.parametrize("text", ["", "[]", "nonsense"])
def test_what_is_no_spec_at_all_too(tmp_path, text):
    file = tmp_path / "broken.json"
    file.write_text(text)
    with pytest.raises(GenesisError, match=r"broken\.json"):
        built(network_of({"client": "polkadot", "specFile": str(file)}))


def test_a_built_in_chain_has_no_spec_of_ours_and_a_live_one_is_refused():
    network = built(network_of({"client": "polkadot", "builtin": "westend-local"}))
    assert network.chains == ()
    assert len(network.nodes) == 2
    with pytest.raises(Refused, match="kusama"):
        built(network_of({"client": "polkadot", "builtin": "kusama"}))
