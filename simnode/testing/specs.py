"""Chain specs, key stores and extrinsics of a small network, all from one fixed seed. Only for tests."""

import json
from pathlib import Path
from typing import Any

from orchestrator.genesis import keys
from orchestrator.genesis.header import genesis_header
from simnode.chainspec import Spec
from simnode.state import extrinsics
from simnode.state.extrinsics import Call

SEED = bytes(range(32))
PARA_ID = 2000


def relay_spec(
    *,
    validators: int,
    code: bytes,
    slot: float = 1.0,
    session: int = 10,
    paras: dict[int, dict[str, Any]] | None = None,
    **config: Any,
) -> dict[str, Any]:
    """A relay chain's spec as `coalmine` generates it, from the fixed seed of tests."""
    host = {
        "validation_upgrade_cooldown": 2,
        "validation_upgrade_delay": 2,
        "minimum_validation_upgrade_delay": 5,
        "pvf_voting_ttl": 2,
        "minimum_backing_votes": 2,
        "max_code_size": 5 * 1024 * 1024,
        "scheduler_params": {
            "group_rotation_frequency": 10,
            "paras_availability_period": 4,
            "max_validators_per_core": 2,
        },
        **config,
    }
    registered = [
        [
            para_id,
            {
                "genesis_head": "0x" + genesis_header(spec).encode().hex(),
                "validation_code": spec["genesis"]["runtimeGenesis"]["code"],
                "parachain": True,
            },
        ]
        for para_id, spec in (paras or {}).items()
    ]
    sessions = [_session("validator", index, keys.RELAY_KEY_TYPES) for index in range(validators)]
    genesis = {
        "babe": {"slotDuration": round(slot * 1000), "epochDuration": session},
        "session": {"keys": sessions},
        "sudo": {"key": "0x" + keys.sudo(SEED).public.hex()},
        "configuration": {"config": host},
        "paras": {"paras": registered},
    }
    return _outer("test-relay", code, genesis)


def para_spec(*, collators: int, code: bytes, slot: float = 1.0, para_id: int = PARA_ID) -> dict[str, Any]:
    """A parachain's spec."""
    sessions = [_session("collator", index, keys.PARA_KEY_TYPES) for index in range(collators)]
    genesis = {
        "aura": {"slotDuration": round(slot * 1000)},
        "parachainInfo": {"parachainId": para_id},
        "session": {"keys": sessions},
        "sudo": {"key": "0x" + keys.sudo(SEED).public.hex()},
    }
    return {**_outer(f"test-para-{para_id}", code, genesis), "para_id": para_id, "relay_chain": "test-relay"}


def write_node(directory: Path, *, group: str, ordinal: int, types: dict[str, Any]) -> str:
    """Writes `node-key` and `keystore` as an init container does. Returns the peer id."""
    store = directory / "keystore"
    store.mkdir(parents=True)
    network = keys.network_key(SEED, group=group, ordinal=ordinal)
    (directory / "node-key").write_text(network.secret.hex())
    for name, pair in keys.node_keys(SEED, group=group, ordinal=ordinal, types=types).items():
        file = store / (types[name][0].encode().hex() + pair.public.hex())
        file.write_text(json.dumps("0x" + pair.secret.hex()))
    return keys.peer_id(network.public)


def unsigned(pallet: str, name: str, /, **args: Any) -> str:
    return extrinsics.compose({"pallet": pallet, "call": name, "args": args})


def signed(call: Call, *, genesis: str, nonce: int, pair: keys.KeyPair | None = None) -> str:
    """An extrinsic signed by sudo, or by another key."""
    pair = pair or keys.sudo(SEED)
    signature = keys.sign(pair, extrinsics.payload(call, genesis=genesis, nonce=nonce))
    document = {
        "call": call,
        "nonce": nonce,
        "signer": "0x" + pair.public.hex(),
        "signature": "0x" + signature.hex(),
    }
    return "0x" + extrinsics.canonical(document).hex()


def sudo(pallet: str, name: str, /, *, genesis: str, nonce: int, **args: Any) -> str:
    inner = {"pallet": pallet, "call": name, "args": args}
    return signed({"pallet": "Sudo", "call": "sudo", "args": {"call": inner}}, genesis=genesis, nonce=nonce)


def _session(group: str, index: int, types: dict[str, Any]) -> list[Any]:
    stash = "0x" + keys.stash(SEED, group=group, ordinal=index).public.hex()
    pairs = keys.node_keys(SEED, group=group, ordinal=index, types=types)
    return [stash, stash, {name: "0x" + pair.public.hex() for name, pair in pairs.items()}]


def _outer(identity: str, code: bytes, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": identity,
        "id": identity,
        "chainType": "Local",
        "bootNodes": [],
        "telemetryEndpoints": None,
        "protocolId": identity,
        "properties": {},
        "codeSubstitutes": {},
        "genesis": {"runtimeGenesis": {"code": "0x" + code.hex(), "config": config}},
    }


def loaded(data: dict[str, Any]) -> Spec:
    return Spec(data, genesis_header(data))
