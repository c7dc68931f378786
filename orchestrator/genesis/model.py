"""Genesis of simulated chains: plain specs with the configuration that simnode reads. Called by `chainspec`."""

import json
from typing import Any

from orchestrator.genesis import header
from orchestrator.genesis.plan import Authority, ChainGenesis, ChainPlan, hexadecimal
from orchestrator.runtime import genesis_builder
from orchestrator.spec.testnet import Parachain, Relaychain


def genesis(plan: ChainPlan, code: bytes) -> ChainGenesis:
    """The chain's plain spec. Its genesis hash follows simnode's rule: it depends on the configuration's hash."""
    config = _relay(plan, plan.chain) if isinstance(plan.chain, Relaychain) else _parachain(plan, plan.chain)
    config = genesis_builder.merged(config, plan.chain.genesis)
    spec = plan.outer({"runtimeGenesis": {"code": hexadecimal(code), "config": config}})
    text = json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()
    block = header.genesis_header(spec)
    return ChainGenesis(
        name=plan.name,
        para_id=plan.para_id,
        spec=text,
        genesis_hash=hexadecimal(block.hash),
        raw=False,
        head=block.encode(),
        code=code,
    )


def _relay(plan: ChainPlan, relay: Relaychain) -> dict[str, Any]:
    return {
        "babe": {"slotDuration": round(relay.slot * 1000), "epochDuration": relay.session_blocks},
        "session": {"keys": [_session(authority) for authority in plan.authorities]},
        "sudo": {"key": hexadecimal(plan.sudo)},
        "configuration": {"config": {**_HOST_CONFIGURATION, **relay.host_configuration}},
        "paras": {"paras": [plan.registration(parachain) for parachain in plan.registered]},
    }


def _parachain(plan: ChainPlan, parachain: Parachain) -> dict[str, Any]:
    return {
        "aura": {"slotDuration": round(plan.slot * 1000)},
        "parachainInfo": {"parachainId": parachain.id},
        "session": {"keys": [_session(authority) for authority in plan.authorities]},
        "sudo": {"key": hexadecimal(plan.sudo)},
    }


def _session(authority: Authority) -> list[Any]:
    stash = hexadecimal(authority.stash)
    return [stash, stash, {name: hexadecimal(public) for name, public in authority.session}]


_HOST_CONFIGURATION = {
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
}
"""The values of the relay runtimes' local presets, with short delays (`genesis_config_presets.rs` of rococo)."""
