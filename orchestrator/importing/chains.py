"""The relay chain and parachains of zombienet's definition. Called by `zombienet`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.importing import nodes, reasons
from orchestrator.importing.account import Table
from orchestrator.importing.arguments import sorted_out
from orchestrator.importing.nodes import Defaults, Group, Names, Program
from orchestrator.spec.testnet import RELAY

_DEFAULT_CHAIN = "rococo-local"
_HEX = re.compile(r"^0x([0-9a-f]{2})*$")
_INSIDE = {"raw_spec_override": ".genesis.raw.top", "genesis": ".raw.top", "runtime_genesis_patch": ".raw.top"}
"""Where storage keys stand in a field."""

_WRAPPERS = (
    ("runtimeGenesis", "patch"),
    ("runtimeGenesis", "config"),
    ("runtime_genesis", "patch"),
    ("runtime", "runtime_genesis_config"),
    ("runtime",),
)
"""How chain specs of different ages wrap the pallets' genesis."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the caller knows beside the text."""

    runtimes: Mapping[str, str]
    """Runtime code by chain (`relay` or a parachain's id), for chains that clients know by name only."""
    rebase: Callable[[str], str]
    """A file's name as the new file must write it."""


def relaychain(table: Table, names: Names, around: Surroundings) -> Group:
    """The relay chain of a Testnet."""
    defaults = _defaults(table, relay=True)
    result = _chain(defaults) | _source(table, around, RELAY)
    groups = _groups(table, defaults, names, ("nodes",), ("node_groups",))
    if not groups:
        table.mistake("nodes", "the relay chain has no nodes")
    _patch(table, result)
    nodes.prefix_of_chain(table)
    table.refuse(reasons.CHAIN)
    return result | {"groups": groups}


def parachain(table: Table, names: Names, around: Surroundings) -> Group | None:
    """A parachain of a Testnet; None when it cannot be told which."""
    id_ = table.whole("id")
    if id_ is None:
        table.mistake("id", "a parachain needs an id")
        return None
    defaults = _defaults(table, relay=False)
    result: Group = {"id": id_} | _chain(defaults) | _source(table, around, str(id_))
    result |= _onboarding(table, result)
    if table.flag("evm_based"):
        result["ethereumAccounts"] = True
    if table.flag("cumulus_based") is False:
        table.account.leave_out(
            table.at("cumulus_based"), "is started as clients of Cumulus are; `client: command` is free"
        )
    single = table.table("collator")
    groups = _groups(table, defaults, names, ("collators",), ("collator_groups",))
    if single is not None and (group := nodes.group(single, defaults, names, counted=False)):
        groups.append(group)
    if not groups:
        table.mistake("collators", "the parachain has no collators")
    authoring = {group.pop("authoring", None) for group in groups} | {defaults.arguments.authoring}
    result |= _cores(table, slot_based="slot-based" in authoring) | _common_client(groups)
    _patch(table, result)
    nodes.prefix_of_chain(table)
    table.refuse(reasons.CHAIN)
    table.refuse(reasons.PARACHAIN)
    return result | {"groups": groups}


def _defaults(table: Table, *, relay: bool) -> Defaults:
    program = nodes.program(table, "default_command", "command", relay=relay)
    arguments = sorted_out(table.words("default_args"), table.at("default_args"), table.account)
    if arguments.dev is not None:
        table.account.leave_out(arguments.dev_path, f"--{arguments.dev} cannot be every node; keys come from the seed")
    return Defaults(
        relay=relay,
        program=program or Program("polkadot" if relay else "polkadot-parachain"),
        image=table.text("default_image", "image"),
        resources=nodes.resources(table.table("default_resources")),
        arguments=arguments,
    )


def _chain(defaults: Defaults) -> Group:
    result: Group = {"client": defaults.program.client}
    if defaults.image:
        result["image"] = defaults.image
    if defaults.arguments.args:
        result["args"] = defaults.arguments.args
    return result


def _groups(
    table: Table, defaults: Defaults, names: Names, single: tuple[str, ...], counted: tuple[str, ...]
) -> list[Group]:
    found = [nodes.group(one, defaults, names, counted=False) for one in table.tables(*single)]
    found += [nodes.group(one, defaults, names, counted=True) for one in table.tables(*counted)]
    return [one for one in found if one is not None]


# Where genesis comes from


def _source(table: Table, around: Surroundings, key: str) -> Group:
    """Exactly one source, in zombienet's own order: spec, runtime, and else the chain by its name."""
    if key in around.runtimes:
        sources = ("chain", "chain_spec_path", "chain_spec_runtime", "wasm_override", "genesis_wasm_path")
        table.refuse(dict.fromkeys(sources, "the runtime that was given to the import takes its place"))
        return {"runtime": {"file": around.runtimes[key]}}
    path = _file(table, "chain_spec_path", around)
    runtime = _runtime(table, around)
    override = _file(table, "wasm_override", around) or _file(table, "genesis_wasm_path", around)
    chain = table.text("chain")
    named = path is None and chain is not None and chain.endswith(".json")
    if named or path is not None:
        at = "chain" if named else "chain_spec_path"
        table.account.differs(table.at(at), "must be a raw spec that names the network's own authorities")
        others = {"chain", "chain_spec_runtime", "wasm_override", "genesis_wasm_path"} - {at}
        table.refuse(dict.fromkeys(sorted(others), "the chain spec comes first"))
        return {"specFile": path or around.rebase(chain or "")}
    if runtime is not None:
        table.refuse({"chain": "the runtime says which chain it is"})
        table.refuse(
            dict.fromkeys(("wasm_override", "genesis_wasm_path"), "genesis is built by the very code that runs")
        )
        return runtime
    if override is not None:
        table.refuse({"chain": "the runtime that overrides it says which chain it is, and builds its genesis"})
        if "wasm_override" in table:
            table.refuse({"genesis_wasm_path": "the runtime that overrides it comes first"})
        return {"runtime": {"file": override}}
    return _builtin(table, chain, key)


def _builtin(table: Table, chain: str | None, key: str) -> Group:
    if chain is None:
        chain = _DEFAULT_CHAIN if key == RELAY else "local"
        table.account.differs(
            table.at("chain"), f"is not given; {chain} is taken. Give the runtime with `--runtime {key}=FILE`"
        )
    return {"builtin": chain}


def _runtime(table: Table, around: Surroundings) -> Group | None:
    inner = table.table("chain_spec_runtime")
    if inner is None:
        return None
    name = next((name for name in ("src", "location", "path") if name in inner), None)
    file = _file(inner, name, around) if name else None
    preset = inner.text("preset")
    if file is None:
        inner.mistake("src", "a runtime needs a file or an address")
        return None
    return {"runtime": {"file": file}} | ({"preset": preset} if preset else {})


def _file(table: Table, name: str, around: Surroundings) -> str | None:
    """A file's name as the new file writes it; of an address, the name under which to put what is fetched."""
    text = table.text(name)
    if text is None:
        return None
    if re.match(r"^https?://", text):
        local = text.rstrip("/").rpartition("/")[2].partition("?")[0]
        table.account.differs(table.at(name), f"is not fetched: put {text} beside the new file as {local}")
        return local
    return around.rebase(text)


def _patch(table: Table, result: Group) -> None:
    """What changes genesis: a patch where it is built from a runtime, raw keys over any."""
    raw = _raw(table)
    for name in ("genesis", "runtime_genesis_patch"):
        patch = table.take(name)
        if not isinstance(patch, dict):
            if patch is not None:
                table.account.leave_out(table.at(name), "a table was expected")
            continue
        if isinstance(patch.get("raw"), dict):
            raw |= _top(table, name, patch)
        elif "runtime" in result:
            result["genesis"] = _merged(result.get("genesis", {}), _unwrapped(patch))
        else:
            where = "relay" if "id" not in result else str(result["id"])
            table.account.leave_out(
                table.at(name), f"genesis is patched only where a runtime builds it: give `--runtime {where}=FILE`"
            )
    if raw:
        result["rawOverride"] = raw


def _raw(table: Table) -> dict[str, str]:
    override = table.take("raw_spec_override")
    if override is None:
        return {}
    if not isinstance(override, dict):
        table.account.leave_out(
            table.at("raw_spec_override"), "keys of another file are not read: write them as `rawOverride`"
        )
        return {}
    genesis = override.get("genesis")
    if not isinstance(genesis, dict) or set(override) != {"genesis"}:
        table.account.leave_out(
            table.at("raw_spec_override"), "only storage keys (genesis.raw.top) are set over a raw spec"
        )
    return _top(table, "raw_spec_override", genesis if isinstance(genesis, dict) else {})


def _top(table: Table, name: str, genesis: dict[str, Any]) -> dict[str, str]:
    raw = genesis.get("raw")
    top = raw.get("top") if isinstance(raw, dict) else None
    if not isinstance(top, dict) or set(genesis) != {"raw"} or set(raw or {}) != {"top"}:
        table.account.leave_out(table.at(name), "only storage keys (genesis.raw.top) are set over a raw spec")
    entries = {str(key): str(value).lower() for key, value in (top or {}).items()} if isinstance(top, dict) else {}
    wrong = [key for key, value in entries.items() if not _HEX.match(key.lower()) or not _HEX.match(value)]
    for key in wrong:
        table.account.leave_out(
            f"{table.at(name)}{_INSIDE[name]}.{key}", f"{key} is no storage key with a value in hexadecimal"
        )
    return {key.lower(): value for key, value in entries.items() if key not in wrong}


def _unwrapped(patch: dict[str, Any]) -> dict[str, Any]:
    for wrapper in _WRAPPERS:
        inner: Any = patch
        for word in wrapper:
            inner = inner.get(word) if isinstance(inner, dict) and set(inner) == {word} else None
        if isinstance(inner, dict):
            return inner
    return patch


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result


# A parachain's place on the relay chain


def _onboarding(table: Table, source: Group) -> Group:
    genesis, register = table.flag("add_to_genesis"), table.flag("register_para")
    others = "none" if register is False else "late"
    wanted = "genesis" if genesis or (genesis is None and not register) else others
    if genesis and register:
        table.account.leave_out(table.at("register_para"), "what is in genesis is registered")
    if "builtin" in source and wanted != "none":
        only = f"is not registered: only its client knows {source['builtin']}; see `--runtime {table.whole('id')}=FILE`"
        table.account.differs(table.at("chain"), only)
        for name in ("add_to_genesis", "register_para"):
            table.refuse({name: only})
        wanted = "none"
    return {"onboarding": wanted} if wanted != "genesis" else {}


def _common_client(groups: list[Group]) -> Group:
    """The client that all groups have in place of the chain's, which is then the chain's."""
    clients = {group.get("client") for group in groups}
    if len(clients) != 1 or clients & {None, "command"}:
        return {}
    return {"client": [group.pop("client") for group in groups].pop()}


def _cores(table: Table, *, slot_based: bool) -> Group:
    cores = table.whole("num_cores")
    if table.flag("onboard_as_parachain") is False:
        if cores:
            table.account.leave_out(table.at("num_cores"), "what is not onboarded as a parachain buys its blocks")
        cores = 0
    result: Group = {} if cores in {None, 1} else {"cores": cores}
    if cores is not None and cores > 1 and not slot_based:
        table.account.differs(table.at("num_cores"), "several cores need collators that author by slots, so these do")
        slot_based = True
    return result | ({"authoring": "slot-based"} if slot_based else {})
