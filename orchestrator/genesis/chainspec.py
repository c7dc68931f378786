"""Chain specs of a whole network and the genesis hashes that follow from them. Called by `render` and `provision`.

Pure, given the seed: the same testnet and seed give the same bytes, so a second `up` changes nothing.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.genesis import header, keys
from orchestrator.runtime import blob
from orchestrator.spec import NodeGroup, Parachain, RuntimeCode, Testnet

RELAY = "relay"
"""The relay chain's name wherever coalmine speaks of chains; parachains go by their own."""


@dataclass(frozen=True, slots=True)
class ChainGenesis:
    """One chain's spec as the nodes get it, and what it leads to."""

    name: str
    para_id: int | None
    spec: bytes
    genesis_hash: str


@dataclass(frozen=True, slots=True)
class Node:
    """One planned node: what everything after genesis needs to know of it. `ordinal` counts within the group."""

    name: str
    group: str
    ordinal: int
    role: str
    chain: str
    peer_id: str
    authority: bool


@dataclass(frozen=True, slots=True)
class NetworkGenesis:
    """All chains, the relay chain first, and all nodes in the order of the spec.

    `founders` is how many nodes the start barrier waited for, where the network runs already: it stays in the pods.
    """

    chains: tuple[ChainGenesis, ...]
    nodes: tuple[Node, ...]
    founders: int | None = None

    @property
    def parties(self) -> int:
        """How many nodes start together."""
        return self.founders or len(self.nodes)

    def chain(self, name: str) -> ChainGenesis:
        return next(chain for chain in self.chains if chain.name == name)


def build(testnet: Testnet, seed: bytes) -> NetworkGenesis:
    """Derives every node's public keys and builds every chain's spec.

    Raises:
        RuntimeBlobError: when a named file is not a runtime.
    """
    relay = testnet.spec.relaychain
    nodes: list[Node] = []
    validators: list[keys.NodePublic] = []
    for group in relay.groups:
        publics = _publics(seed, group, keys.RELAY_KEY_TYPES if group.role == "validator" else {})
        validators += publics if group.role == "validator" else []
        nodes += _nodes(group, publics, role=group.role, chain=RELAY)
    sudo = keys.sudo(seed).public
    parachains = []
    for parachain in testnet.spec.parachains:
        collators: list[keys.NodePublic] = []
        for para_group in parachain.groups:
            types = keys.PARA_KEY_TYPES if para_group.role == "collator" else {}
            publics = _publics(seed, para_group, types)
            collators += publics if para_group.role == "collator" else []
            nodes += _nodes(para_group, publics, role=para_group.role, chain=parachain.chain)
        parachains.append(_finished(_para_spec(testnet, parachain, collators, sudo), parachain.chain, parachain.id))
    relay_spec = _finished(_relay_spec(testnet, validators, parachains, sudo), RELAY, None)
    return NetworkGenesis(chains=(relay_spec, *parachains), nodes=tuple(nodes))


def code_of(runtime: RuntimeCode | None) -> bytes:
    """The runtime code that a spec names, from its file or built in place.

    Raises:
        RuntimeBlobError: when the file cannot be read or is not a runtime.
    """
    assert runtime is not None  # `spec.testnet_rules` refuses a simulated chain without one.
    if runtime.model is not None:
        return blob.model_blob(runtime.model)
    assert runtime.file is not None  # Chunks are for custom resources; `spec.cross` refuses them in files.
    code = Path(runtime.file).read_bytes()
    blob.read(code)
    return code


def _publics(seed: bytes, group: NodeGroup, types: dict[str, tuple[str, keys.Scheme]]) -> list[keys.NodePublic]:
    return [keys.node_public(seed, group=group.name, ordinal=i, types=types) for i in range(group.count)]


def _nodes(group: NodeGroup, publics: list[keys.NodePublic], *, role: str, chain: str) -> list[Node]:
    return [
        Node(
            name=public.name,
            group=group.name,
            ordinal=ordinal,
            role=role,
            chain=chain,
            peer_id=public.peer_id,
            authority=role in {"validator", "collator"},
        )
        for ordinal, public in enumerate(publics)
    ]


def _outer(*, name: str, identity: str, protocol: str, code: bytes, config: dict[str, Any]) -> dict[str, Any]:
    """The parts that every chain spec has (`substrate/client/chain-spec/src/chain_spec.rs`)."""
    return {
        "name": name,
        "id": identity,
        "chainType": "Local",
        "bootNodes": [],
        "telemetryEndpoints": None,
        "protocolId": protocol,
        "properties": {"ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "UNIT"},
        "codeSubstitutes": {},
        "genesis": {"runtimeGenesis": {"code": _hex(code), "config": config}},
    }


def _relay_spec(
    testnet: Testnet, validators: list[keys.NodePublic], parachains: list[ChainGenesis], sudo: bytes
) -> dict[str, Any]:
    relay = testnet.spec.relaychain
    config = {
        "babe": {"slotDuration": round(relay.slot * 1000), "epochDuration": relay.session_blocks},
        "session": {"keys": [[_hex(v.stash), _hex(v.stash), _session(v)] for v in validators]},
        "sudo": {"key": _hex(sudo)},
        "configuration": {"config": _HOST_CONFIGURATION},
        "paras": {"paras": [_registration(parachain) for parachain in parachains]},
    }
    return _outer(
        name=testnet.name,
        identity=f"{testnet.name}-{RELAY}",
        protocol=f"coalmine-{header.blake2_256(sudo).hex()[:8]}",
        code=code_of(relay.runtime),
        config=config,
    )


def _para_spec(testnet: Testnet, parachain: Parachain, collators: list[keys.NodePublic], sudo: bytes) -> dict[str, Any]:
    config = {
        "aura": {"slotDuration": round(testnet.spec.relaychain.slot * 1000)},
        "parachainInfo": {"parachainId": parachain.id},
        "session": {"keys": [[_hex(c.stash), _hex(c.stash), _session(c)] for c in collators]},
        "sudo": {"key": _hex(sudo)},
    }
    outer = _outer(
        name=parachain.chain,
        identity=f"{testnet.name}-{parachain.chain}",
        protocol=f"coalmine-{header.blake2_256(sudo).hex()[:8]}-{parachain.id}",
        code=code_of(parachain.runtime),
        config=config,
    )
    return {**outer, "para_id": parachain.id, "relay_chain": f"{testnet.name}-{RELAY}"}


def _registration(parachain: ChainGenesis) -> list[Any]:
    """`paras.paras`, as `ParaGenesisArgs` reads it: the field is `parachain`, not `para_kind`."""
    spec = json.loads(parachain.spec)
    head, code = header.genesis_header(spec).encode(), spec["genesis"]["runtimeGenesis"]["code"]
    return [parachain.para_id, {"genesis_head": _hex(head), "validation_code": code, "parachain": True}]


def _finished(spec: dict[str, Any], name: str, para_id: int | None) -> ChainGenesis:
    text = json.dumps(spec, sort_keys=True, separators=(",", ":")).encode()
    return ChainGenesis(name=name, para_id=para_id, spec=text, genesis_hash=_hex(header.genesis_header(spec).hash))


def _session(node: keys.NodePublic) -> dict[str, str]:
    return {name: _hex(public) for name, public in node.session}


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


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
"""As the local presets of the relay runtimes, with short delays (`genesis_config_presets.rs` of rococo)."""
