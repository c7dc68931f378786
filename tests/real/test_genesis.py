"""Our own genesis against the real tools: the same storage key by key, the same head, the same keys."""

import json
import socket
import subprocess
import sys
import time

import httpx
import pytest

from orchestrator.errors import GenesisError
from orchestrator.genesis import chainspec, keys, wasm
from orchestrator.runtime import genesis_builder
from orchestrator.runtime.executor import Executor
from orchestrator.spec import Testnet

SEED = bytes(range(32))
WESTEND, PENPAL = "westend-fast-1025002.wasm", "penpal-1.wasm"
STASH = keys.ss58(keys.stash(SEED, group="somebody", ordinal=0).public)


@pytest.fixture(scope="module")
def testnet(real):
    def para(id_):
        groups = [{"name": f"collator-{id_}", "count": 2}]
        return {"id": id_, "client": "polkadot-omni-node", "runtime": {"file": str(real / PENPAL)}, "groups": groups}

    relay = {
        "client": "polkadot",
        "runtime": {"file": str(real / WESTEND)},
        "groups": [{"name": "validator", "count": 3, "balance": 10**18}, {"name": "more", "count": 1}],
        "hostConfiguration": {"max_validators": 100, "scheduler_params": {"group_rotation_frequency": 10}},
        "genesis": {"registrar": {"nextFreeParaId": 3000}},
        "balances": {STASH: 10**20},
    }
    return Testnet.model_validate(
        {
            "kind": "Testnet",
            "metadata": {"name": "real"},
            "spec": {
                "relaychain": relay,
                "parachains": [para(2000), para(2001)],
                "hrmpChannels": [{"sender": 2000, "recipient": 2001}, {"sender": 2001, "recipient": 2000}],
            },
        }
    )


@pytest.fixture(scope="module")
def built(testnet):
    return chainspec.build(testnet, SEED)


@pytest.fixture(scope="module")
def patches(testnet):
    """What was patched over each runtime's default, as `chain-spec-builder` takes it too."""
    found = {}
    make = wasm.configuration

    def recorded(plan, runtime):
        found[plan.name] = make(plan, runtime)
        return found[plan.name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wasm, "configuration", recorded)
        chainspec.build(testnet, SEED)
    return found


@pytest.fixture
def builder(omni_node, real, tmp_path):
    def make(runtime, patch):
        (tmp_path / "patch.json").write_text(json.dumps(patch))
        out = tmp_path / "out.json"
        common = ("-s", "-t", "local", "--relay-chain", "real-relay", "--para-id", "2000", "-r", real / runtime)
        command = (omni_node, "chain-spec-builder", "-c", out, "create", *common, "patch", tmp_path / "patch.json")
        subprocess.run(command, check=True, capture_output=True)
        return json.loads(out.read_text())["genesis"]["raw"], out

    return make


@pytest.mark.parametrize(("chain", "runtime"), [("relay", WESTEND), ("para-2000", PENPAL)])
def test_our_storage_is_what_the_real_builder_makes_of_the_same_patch_key_by_key(
    chain, runtime, built, patches, builder
):
    expected, _ = builder(runtime, patches[chain])
    found = json.loads(built.chain(chain).spec)["genesis"]["raw"]
    assert found["top"].keys() == expected["top"].keys()
    assert {key for key in found["top"] if found["top"][key] != expected["top"][key]} == set()
    assert found["childrenDefault"] == expected["childrenDefault"]


def test_our_genesis_head_is_what_the_real_node_exports(built, omni_node, tmp_path):
    spec = tmp_path / "para.json"
    spec.write_bytes(built.chain("para-2000").spec)
    command = (omni_node, "export-genesis-head", "--chain", spec)
    exported = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert exported == "0x" + built.chain("para-2000").head.hex()


def test_a_real_validator_has_the_genesis_hash_that_we_computed(built, polkadot, tmp_path):
    spec = tmp_path / "relay.json"
    spec.write_bytes(built.chain("relay").spec)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    flags = (
        "--rpc-port", str(port), "--listen-addr", "/ip4/127.0.0.1/tcp/0",
        "--no-prometheus", "--no-telemetry", "--no-mdns", "--no-hardware-benchmarks", "--tmp",
    )  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        node = subprocess.Popen((polkadot, "--chain", spec, *flags), stdout=log, stderr=log)
    try:
        assert _genesis_hash(port, node) == built.chain("relay").genesis_hash, (tmp_path / "log").read_text()[-2000:]
    finally:
        node.kill()
        node.wait()


def _genesis_hash(port, node):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and node.poll() is None:
        try:
            body = {"id": 1, "jsonrpc": "2.0", "method": "chain_getBlockHash", "params": [0]}
            return httpx.post(f"http://127.0.0.1:{port}", json=body, timeout=5).json()["result"]
        except httpx.TransportError:
            time.sleep(0.5)
    return None


@pytest.mark.parametrize("scheme", keys.SCHEMES)
def test_the_real_tool_reads_our_secrets_as_the_keys_that_we_mean(scheme, omni_node):
    pair = keys.derive(SEED, "//validator//0//any", scheme)
    command = (omni_node, "key", "inspect", "--scheme", scheme, "--output-type", "json", "0x" + pair.secret.hex())
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert said["publicKey"] == "0x" + pair.public.hex()
    assert said["ss58PublicKey"] == keys.ss58(pair.public)


def test_no_development_account_is_left_in_a_preset_that_we_take_over(patches):
    text = json.dumps(patches)
    assert "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" not in text, "Alice"
    assert "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY" not in text, "Alice//stash"


def test_no_secret_is_in_a_spec(built):
    specs = b"".join(chain.spec for chain in built.chains)
    secrets = [SEED, keys.sudo(SEED).secret]
    for group in ("validator", "more", "collator-2000"):
        types = {**keys.RELAY_KEY_TYPES, **keys.PARA_KEY_TYPES}
        secrets += [pair.secret for pair in keys.node_keys(SEED, group=group, ordinal=0, types=types).values()]
        secrets.append(keys.stash(SEED, group=group, ordinal=0).secret)
    assert [secret for secret in secrets if secret.hex().encode() in specs] == []


def test_the_same_testnet_and_seed_give_the_same_bytes(testnet, built):
    assert chainspec.build(testnet, SEED) == built
    assert chainspec.build(testnet, SEED[::-1]).chain("relay").genesis_hash != built.chain("relay").genesis_hash


def test_a_spec_that_we_made_is_taken_as_a_users_own_spec_file(testnet, built, tmp_path):
    file = tmp_path / "mine.json"
    file.write_bytes(built.chain("relay").spec)
    document = testnet.model_dump(mode="json", by_alias=True, exclude_unset=True)
    relay = document["spec"]["relaychain"]
    for field in ("runtime", "genesis", "balances", "hostConfiguration"):
        del relay[field]
    relay["specFile"] = str(file)
    again = chainspec.build(Testnet.model_validate(document), SEED)
    assert again.chain("relay") == built.chain("relay")


def test_presets_are_named_and_a_wrong_name_says_which_there_are(real):
    runtime = Executor((real / WESTEND).read_bytes())
    assert set(genesis_builder.preset_names(runtime)) == {"local_testnet", "development", "staging_testnet"}
    with pytest.raises(GenesisError, match="no genesis preset nope") as caught:
        genesis_builder.preset(runtime, "nope")
    assert "development" in caught.value.hint


def test_a_runtime_that_refuses_says_why_in_its_own_words(real):
    code = (real / WESTEND).read_bytes()
    with pytest.raises(GenesisError, match="unknown field `nope`, expected one of `system`, `babe`"):
        genesis_builder.build_state(Executor(code), code, {"nope": {}})
    with pytest.raises(GenesisError, match="unknown field `max_nonsense`"):
        genesis_builder.build_state(Executor(code), code, {"configuration": {"config": {"max_nonsense": 1}}})


def test_a_runtime_that_panics_over_its_genesis_is_named_with_its_own_log(real):
    code = (real / WESTEND).read_bytes()
    poor = {"balances": {"balances": [[STASH, 1]]}}
    with pytest.raises(
        GenesisError, match=r"panicked at .*pallet-balances.*at least the existential deposit"
    ) as caught:
        genesis_builder.build_state(Executor(code), code, poor)
    assert any("panicked at" in line for line in caught.value.log)


def test_the_command_line_tells_why_with_the_runtimes_own_lines_and_exit_code_2(real, tmp_path):
    relay = {"client": "polkadot", "runtime": {"file": str(real / WESTEND)}}
    relay["groups"] = [{"name": "validator", "count": 2, "balance": 1}]
    document = {"apiVersion": "coalmine.dev/v1alpha1", "kind": "Testnet", "metadata": {"name": "poor"}}
    (tmp_path / "poor.yaml").write_text(json.dumps({**document, "spec": {"relaychain": relay}}))
    command = (sys.executable, "-c", "from orchestrator.cli import main; main()", "render", str(tmp_path / "poor.yaml"))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "error: the runtime westend 1025002 failed over its genesis" in done.stderr
    assert "runtime: ERROR runtime: panicked at" in done.stderr
    assert "Traceback" not in done.stderr
