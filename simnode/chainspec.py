"""Makes the nodes of `core` from a chain spec's JSON. Only this module knows the spec's layout."""

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from orchestrator.genesis.header import Header, genesis_header
from simnode.core.para import ParaConfig, ParaNode
from simnode.core.relay import RelayConfig, RelayNode
from simnode.state.inclusion import Cores
from simnode.state.para import ParaChain
from simnode.state.paras import HostConfiguration
from simnode.state.relay import RelayChain

SESSION_KEYS = ("grandpa", "babe", "para_validator", "para_assignment", "authority_discovery", "beefy")
KEY_TYPES = {
    "grandpa": "gran", "babe": "babe", "para_validator": "para", "para_assignment": "asgn",
    "authority_discovery": "audi", "beefy": "beef", "aura": "aura",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spec:
    """A chain spec, read once."""

    data: dict[str, Any]
    header: Header

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def name(self) -> str:
        return str(self.data["name"])

    @property
    def para_id(self) -> int | None:
        return self.data.get("para_id")

    @property
    def genesis_hash(self) -> str:
        return "0x" + self.header.hash.hex()

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.data["genesis"]["runtimeGenesis"]["config"])

    @property
    def session(self) -> list[dict[str, str]]:
        """Each authority's session keys. Their order is the authorities' index."""
        return [keys for _, _, keys in self._session_keys]

    @property
    def _session_keys(self) -> list[tuple[str, str, dict[str, str]]]:
        return list(self.config["session"]["keys"])

    def _author_key(self, keys: dict[str, str]) -> bytes:
        return _bytes(keys["aura" if self.para_id is not None else "babe"])

    def common(self) -> dict[str, Any]:
        """The arguments that both state transitions need."""
        substitutes = self.data.get("codeSubstitutes") or {}
        return {
            "code": _bytes(self.data["genesis"]["runtimeGenesis"]["code"]),
            "root": self.header.state_root,
            "genesis_hash": self.genesis_hash,
            "sudo": _bytes(self.config["sudo"]["key"]),
            "validators": [(_bytes(stash), self._author_key(keys)) for stash, _, keys in self._session_keys],
            "substitutes": {int(number): _bytes(code) for number, code in substitutes.items()},
        }


def load(path: Path) -> Spec:
    data = json.loads(path.read_bytes())
    return Spec(data, genesis_header(data))


def authority_index(spec: Spec, keys: Collection[str]) -> int | None:
    """The index of the genesis authority whose keys are in the keystore. `keys` are the keystore's file names."""
    name = "aura" if spec.para_id is not None else "grandpa"
    prefix = KEY_TYPES[name].encode().hex()
    for index, session in enumerate(spec.session):
        if prefix + session[name].removeprefix("0x") in keys:
            return index
    return None


def relay_node(
    spec: Spec, *, authority: int | None, preparation: float = 1.0, grandpa_threshold: int | None = None
) -> RelayNode:
    config = spec.config
    registered = {
        int(para_id): (_bytes(entry["genesis_head"]), _bytes(entry["validation_code"]))
        for para_id, entry in config.get("paras", {}).get("paras", [])
    }
    cores = Cores(
        len(spec.session), tuple(sorted(registered)), _host(config.get("configuration", {}).get("config", {}))
    )
    rules = RelayChain(cores=cores, epoch_duration=config["babe"]["epochDuration"], heads=registered, **spec.common())
    return RelayNode(
        rules,
        spec.header,
        RelayConfig(
            slot_duration=config["babe"]["slotDuration"] / 1000,
            authorities=len(spec.session),
            authority=authority,
            preparation=preparation,
            grandpa_threshold=grandpa_threshold,
        ),
    )


def para_node(spec: Spec, relay: RelayNode, *, authority: int | None) -> ParaNode:
    config = spec.config
    para_id = int(config["parachainInfo"]["parachainId"])
    rules = ParaChain(para_id=para_id, **spec.common())
    rules.max_code_size = relay.chain_rules.max_code_size
    aura = ParaConfig(
        para_id=para_id,
        slot_duration=config["aura"]["slotDuration"] / 1000,
        authorities=len(spec.session),
        authority=authority,
    )
    return ParaNode(rules, spec.header, aura, relay)


def _host(config: dict[str, Any]) -> HostConfiguration:
    """The fields that the model knows. A real configuration has many more."""
    flat = {**config, **config.get("scheduler_params", {}), **config.get("async_backing_params", {})}
    known = {field.name for field in fields(HostConfiguration)}
    return HostConfiguration(**{name: value for name, value in flat.items() if name in known})


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
