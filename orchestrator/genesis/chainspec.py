"""Builds the chain specs of a whole network and their genesis hashes. Called by `render` and `provision`.

The same seed and files always give the same bytes, so a second `up` changes nothing. `model` makes the genesis of
simulated chains, `wasm` that of real ones, and `raw` reads a spec that the user supplies.
"""

from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import GenesisError, RuntimeBlobError
from orchestrator.genesis import accounts, fork, header, keys, model, raw, refusals, suri, timing, wasm
from orchestrator.genesis.keys import Scheme
from orchestrator.genesis.plan import Authority, ChainGenesis, ChainPlan
from orchestrator.genesis.timing import Timing
from orchestrator.runtime import blob
from orchestrator.spec import Parachain, ParaGroup, Relaychain, RelayGroup, RuntimeCode, Testnet
from orchestrator.spec.node import AUTHORITIES
from orchestrator.spec.testnet import RELAY

__all__ = ["ChainGenesis", "NetworkGenesis", "Node", "build", "code_of"]


@dataclass(frozen=True, slots=True)
class Node:
    """One planned node, as all later steps need it. `ordinal` counts within the group."""

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

    `founders` is how many nodes the start barrier waited for, if the network already runs. The number is in the pods'
    commands and must not change.
    """

    chains: tuple[ChainGenesis, ...]
    nodes: tuple[Node, ...]
    timing: Timing
    founders: int | None = None

    @property
    def parties(self) -> int:
        """How many nodes the start barrier waits for."""
        return self.founders or len(self.nodes)

    def chain(self, name: str) -> ChainGenesis:
        return next(chain for chain in self.chains if chain.name == name)


def build(testnet: Testnet, seed: bytes) -> NetworkGenesis:
    """Derives every node's public keys and builds every chain's spec. `seed` is 32 bytes.

    Chains that are built into their client get no spec.

    Raises:
        RuntimeBlobError: a named file is not a runtime, or cannot be executed.
        GenesisError: a runtime refuses its genesis, or a spec file is invalid.
        Refused: a chain belongs to a live network.
    """
    spec = testnet.spec
    parachains = {each.id: _made(_plan(testnet, seed, each)) for each in spec.parachains if _ours(each)}
    relay = None
    if _ours(spec.relaychain):
        registered = tuple(parachains[each.id] for each in spec.parachains if each.onboarding == "genesis")
        relay = _made(_plan(testnet, seed, spec.relaychain, registered))
    chains = (*([relay] if relay else []), *parachains.values())
    nodes = tuple(node for chain, group in spec.groups() for node in _nodes(seed, chain, group))
    return NetworkGenesis(chains=chains, nodes=nodes, timing=timing.timing_of(spec.relaychain, relay))


def code_of(runtime: RuntimeCode | None) -> bytes:
    """The runtime code that a spec names, from its file or built from a model.

    Raises:
        RuntimeBlobError: the file cannot be read or is not a runtime.
    """
    assert runtime is not None  # `spec.testnet_rules` refuses a simulated chain without one.
    if runtime.model is not None:
        return blob.model_blob(runtime.model)
    assert runtime.file is not None  # Chunks are for custom resources; `spec.cross` refuses them in files.
    code = Path(runtime.file).read_bytes()
    try:
        blob.read(code)
    except RuntimeBlobError as error:
        raise RuntimeBlobError(f"{runtime.file}: {error.message}", hint=error.hint) from error
    return code


def _ours(chain: Relaychain | Parachain) -> bool:
    """Whether we build the genesis. A chain that is built into its client brings its own."""
    if chain.builtin is not None:
        refusals.builtin(_name(chain), chain.builtin)
    return chain.builtin is None


def _made(plan: ChainPlan) -> ChainGenesis:
    """Builds one chain's genesis. Only this function chooses by the kind of chain."""
    chain = plan.chain
    if chain.spec_file is not None:
        made = raw.from_file(plan, chain.spec_file)
    elif chain.simulated:
        made = model.genesis(plan, code_of(chain.runtime))
    else:
        made = wasm.genesis(plan, code_of(chain.runtime))
    refusals.live_network(plan.name, made.genesis_hash, missing=fork.missing(plan))
    return made


def _plan(
    testnet: Testnet, seed: bytes, chain: Relaychain | Parachain, registered: tuple[ChainGenesis, ...] = ()
) -> ChainPlan:
    spec, name = testnet.spec, _name(chain)
    own = f"coalmine-{header.blake2_256(keys.sudo(seed).public).hex()[:8]}"
    protocol = spec.isolation.protocol_id or own
    return ChainPlan(
        name=name,
        identity=_identity(testnet, chain),
        title=name if isinstance(chain, Parachain) else testnet.name,
        protocol=f"{protocol}-{chain.id}" if isinstance(chain, Parachain) else protocol,
        fork_id=spec.isolation.fork_id,
        chain=chain,
        authorities=tuple(_authorities(seed, chain)),
        sudo=accounts.account(keys.sudo(seed, _account_scheme(chain)).public),
        dev_keys=spec.dev_keys,
        slot=spec.relaychain.slot,
        relay_id=_identity(testnet, spec.relaychain) if isinstance(chain, Parachain) else None,
        network_policy=spec.isolation.network_policy,
        registered=registered,
        parachains=spec.parachains if isinstance(chain, Relaychain) else (),
        channels=spec.hrmp_channels if isinstance(chain, Relaychain) else (),
    )


def _name(chain: Relaychain | Parachain) -> str:
    return chain.chain if isinstance(chain, Parachain) else RELAY


def _identity(testnet: Testnet, chain: Relaychain | Parachain) -> str:
    """The id of a chain's spec. A parachain's spec also names its relay chain by this id."""
    if chain.spec_file is not None:
        return str(raw.read(chain.spec_file).get("id"))
    return chain.builtin or chain.spec_id or f"{testnet.name}-{_name(chain)}"


def _account_scheme(chain: Relaychain | Parachain) -> Scheme:
    """The kind of a chain's accounts. Simulated chains always have Substrate's accounts."""
    ethereum = isinstance(chain, Parachain) and chain.ethereum_accounts and not chain.simulated
    return accounts.scheme(ethereum=ethereum)


def _authorities(seed: bytes, chain: Relaychain | Parachain) -> list[Authority]:
    """The chain's validators or collators, in the order of its nodes."""
    types = keys.PARA_KEY_TYPES if isinstance(chain, Parachain) else keys.RELAY_KEY_TYPES
    scheme = _account_scheme(chain)
    found = []
    for group in chain.groups:
        if group.role not in AUTHORITIES:
            continue
        uris = _uris(group)
        for ordinal in range(group.count):
            if uris is None:
                pairs = keys.node_keys(seed, group=group.name, ordinal=ordinal, types=types)
                session = {name: pair.public for name, pair in pairs.items()}
                stash = keys.stash(seed, group=group.name, ordinal=ordinal, scheme=scheme).public
            else:
                session = {name: suri.public(uris[ordinal], kind) for name, (_, kind) in types.items()}
                stash = suri.public(f"{uris[ordinal]}//stash", scheme)
            found.append(
                Authority(
                    stash=accounts.account(stash),
                    session=tuple(session.items()),
                    invulnerable=group.invulnerable,
                    balance=group.balance,
                    stake=group.stake if isinstance(group, RelayGroup) else None,
                )
            )
    return found


def _uris(group: RelayGroup | ParaGroup) -> tuple[str, ...] | None:
    """The secret URIs of a group whose keys are imported, one per node. None for other groups.

    Raises:
        GenesisError: there are fewer URIs than nodes.
    """
    if group.keys is None:
        return None
    if group.keys.dev is not None:
        return tuple(suri.dev(name) for name in group.keys.dev)
    assert group.keys.file is not None
    lines = tuple(line.strip() for line in Path(group.keys.file).read_text().splitlines() if line.strip())
    if len(lines) != group.count:
        raise GenesisError(
            f"{group.keys.file} has {len(lines)} secret URIs for the {group.count} nodes of {group.name}"
        )
    return lines


def _nodes(seed: bytes, chain: Relaychain | Parachain, group: RelayGroup | ParaGroup) -> list[Node]:
    return [
        Node(
            name=group.node(ordinal),
            group=group.name,
            ordinal=ordinal,
            role=group.role,
            chain=_name(chain),
            peer_id=keys.peer_id(keys.network_key(seed, group=group.name, ordinal=ordinal).public),
            authority=group.role in AUTHORITIES,
        )
        for ordinal in range(group.count)
    ]
