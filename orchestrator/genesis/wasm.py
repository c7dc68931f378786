"""Genesis of real chains. The runtime builds it from its own preset, with our network patched in.

Called by `chainspec`. Only pallets and fields of the runtime's default configuration are patched. So the same code
serves relay chains with and without staking or sudo, and parachains with and without collator selection. The names come
from `polkadot/runtime/westend/src/genesis_config_presets.rs` and `cumulus/parachains/runtimes` in polkadot-sdk.
"""

from typing import Any

from orchestrator.errors import GenesisError
from orchestrator.genesis import raw
from orchestrator.genesis.accounts import address, well_known
from orchestrator.genesis.plan import Authority, ChainGenesis, ChainPlan
from orchestrator.runtime import genesis_builder
from orchestrator.runtime.executor import Executor
from orchestrator.runtime.genesis_builder import Config, merged
from orchestrator.spec.testnet import Parachain, Relaychain

ENDOWMENT = 1 << 60
"""Default balance of an account, in plancks: more than a million units with twelve decimals."""

_ASYNC_BACKING = {"max_candidate_depth": 3, "allowed_ancestry_len": 2}
_LOOKAHEAD = 3
"""Without these a parachain makes a block only every second relay block. Some local presets lack them."""


def genesis(plan: ChainPlan, code: bytes) -> ChainGenesis:
    """The chain's raw spec.

    Raises:
        RuntimeBlobError: the code cannot be executed or has no GenesisBuilder API.
        GenesisError: the runtime does not have the preset, or refuses the configuration.
    """
    runtime = Executor(code)
    storage = genesis_builder.build_state(runtime, code, configuration(plan, runtime))
    return raw.finished(plan, raw.overridden(storage, plan), plan.outer({}))


def configuration(plan: ChainPlan, runtime: Executor) -> Config:
    """The genesis configuration: the preset, then our network, then the user's own patches."""
    default = genesis_builder.preset(runtime, None)
    preset = genesis_builder.preset(runtime, plan.chain.preset)
    if not plan.dev_keys:
        preset = _handed_over(preset, address(plan.sudo))
    whole = genesis_builder.completed(default, preset)
    network = _network(plan, preset, whole)
    result: Config = merged(merged(preset, _known(network, default)), plan.chain.genesis)
    return result


def _handed_over(preset: Any, owner: str) -> Any:
    """The preset with `owner` in the place of every development account: in assets, memberships, everywhere."""
    if isinstance(preset, dict):
        return {key: _handed_over(value, owner) for key, value in preset.items()}
    if isinstance(preset, list):
        return [_handed_over(value, owner) for value in preset]
    return owner if isinstance(preset, str) and well_known(preset) else preset


def _known(patch: Config, default: Config) -> Config:
    """The patch without pallets that the runtime lacks, and without fields that a pallet lacks."""
    kept = {
        pallet: {field: value for field, value in fields.items() if field in default[pallet]}
        for pallet, fields in patch.items()
        if pallet in default
    }
    return {pallet: fields for pallet, fields in kept.items() if fields}


def _network(plan: ChainPlan, preset: Config, whole: Config) -> Config:
    """The patch that makes the chain ours. Accounts of the preset keep no power."""
    common = {
        "balances": {"balances": _balances(plan, preset)},
        "sudo": {"key": address(plan.sudo)},
        "session": {"keys": [_session(authority, whole) for authority in plan.authorities]},
    }
    if isinstance(plan.chain, Relaychain):
        return common | _relay(plan, plan.chain, whole)
    return common | _parachain(plan, plan.chain, whole)


def _relay(plan: ChainPlan, relay: Relaychain, whole: Config) -> Config:
    patch: Config = {
        "configuration": {"config": _host_configuration(plan, relay, whole)},
        "paras": {"paras": [plan.registration(parachain) for parachain in plan.registered]},
        "hrmp": {
            "preopenHrmpChannels": [
                [channel.sender, channel.recipient, channel.max_capacity, channel.max_message_size]
                for channel in plan.channels
            ]
        },
        "staking": {
            "validatorCount": len(plan.authorities),
            "minimumValidatorCount": 1,
            "stakers": [_staker(authority) for authority in plan.authorities],
            "invulnerables": [address(each.stash) for each in plan.authorities if each.invulnerable],
        },
    }
    if whole.get("babe", {}).get("epochConfig") is None:
        patch["babe"] = {"epochConfig": {"c": [1, 4], "allowed_slots": "PrimaryAndSecondaryVRFSlots"}}
    return patch


def _host_configuration(plan: ChainPlan, relay: Relaychain, whole: Config) -> Config:
    """The preset's host configuration, then what parachains need for full speed, then the user's settings."""
    preset: Config = whole.get("configuration", {}).get("config", {})
    config: Config = {}
    backing = preset.get("async_backing_params")
    if backing is not None:
        config["async_backing_params"] = {field: max(backing[field], least) for field, least in _ASYNC_BACKING.items()}
    scheduler = preset.get("scheduler_params")
    if scheduler is not None:
        # Registration adds the first core of each parachain by itself, in genesis and later.
        more = sum(max(each.cores - (each.onboarding != "none"), 0) for each in plan.parachains)
        more += any(each.cores == 0 for each in plan.parachains)
        config["scheduler_params"] = {"num_cores": scheduler["num_cores"] + more}
        if "lookahead" in scheduler:
            config["scheduler_params"]["lookahead"] = max(scheduler["lookahead"], _LOOKAHEAD)
    result: Config = merged(config, relay.host_configuration)
    return result


def _parachain(plan: ChainPlan, parachain: Parachain, whole: Config) -> Config:
    return {
        "parachainInfo": {"parachainId": parachain.id},
        "collatorSelection": {
            "invulnerables": [address(each.stash) for each in plan.authorities if each.invulnerable],
        },
        # If there are sessions, they name the authorities. Genesis fails if both name them.
        "aura": {"authorities": [] if "session" in whole else [address(_key(a, "aura")) for a in plan.authorities]},
    }


def _balances(plan: ChainPlan, preset: Config) -> list[list[Any]]:
    endowed: dict[str, int] = {}
    if plan.dev_keys:
        endowed |= dict(preset.get("balances", {}).get("balances", []))
    endowed[address(plan.sudo)] = ENDOWMENT
    for authority in plan.authorities:
        endowed[address(authority.stash)] = ENDOWMENT if authority.balance is None else authority.balance
    endowed |= plan.chain.balances
    return [[account, amount] for account, amount in endowed.items() if amount]


def _staker(authority: Authority) -> list[Any]:
    stash = address(authority.stash)
    balance = ENDOWMENT if authority.balance is None else authority.balance
    return [stash, stash, balance // 2 if authority.stake is None else authority.stake, "Validator"]


def _session(authority: Authority, whole: Config) -> list[Any]:
    """An entry of `session.keys`. It has the keys that the preset's entries have, or all if the preset has no entry."""
    entries = whole.get("session", {}).get("keys") or []
    names = list(entries[0][2]) if entries else [name for name, _ in authority.session]
    stash = address(authority.stash)
    return [stash, stash, {name: address(_key(authority, name)) for name in names}]


def _key(authority: Authority, name: str) -> bytes:
    public = dict(authority.session).get(name)
    if public is None:
        raise GenesisError(
            f"the runtime needs a session key {name}, and coalmine does not know its kind",
            hint="coalmine derives " + ", ".join(known for known, _ in authority.session),
        )
    return public
