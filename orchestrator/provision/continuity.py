"""Keeps the genesis of a running network, whatever its file says now. Called by `network`.

A changed file may add nodes that genesis does not know. It may also drop a parachain: its nodes go, its registration
stays on chain. A change that would need another genesis is refused before anything is changed. The network itself
records its genesis: the chain specs are in ConfigMaps, the first Testnet is in the inventory.
"""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.engine.compare import differences
from orchestrator.errors import Refused
from orchestrator.genesis.chainspec import NetworkGenesis
from orchestrator.spec import Testnet


@dataclass(frozen=True, slots=True)
class RunningChain:
    """The chain spec that a chain's nodes got."""

    spec: bytes
    genesis_hash: str


def running_chains(cluster: Cluster, namespace: str) -> dict[str, RunningChain]:
    """The chains of a network by name, read from the ConfigMaps of its nodes. Incomplete specs are left out."""
    found = cluster.list("ConfigMap", namespace, "app.kubernetes.io/component=chain-spec")
    by_chain: dict[str, list[dict[str, Any]]] = {}
    for item in sorted(found, key=lambda item: str(item["metadata"]["name"])):
        by_chain.setdefault(item["metadata"]["labels"]["coalmine.dev/chain"], []).append(item)
    chains = {}
    for name, items in by_chain.items():
        packed = b"".join(base64.b64decode(chunk) for item in items for chunk in item["binaryData"].values())
        try:
            spec = gzip.decompress(packed)
        except (EOFError, OSError):  # The first `up` was interrupted between two chunks: no node has read it yet.
            continue
        chains[name] = RunningChain(spec, items[0]["data"]["genesis-hash"])
    return chains


def with_departed(testnet: Testnet, founded: Testnet) -> Testnet:
    """The Testnet plus the parachains and their channels that are in genesis but no longer in the file."""
    kept = {parachain.id for parachain in testnet.spec.parachains}
    order = [parachain.id for parachain in founded.spec.parachains]
    departed = [p for p in founded.spec.parachains if p.id not in kept and p.onboarding == "genesis"]
    if not departed:
        return testnet
    gone = {parachain.id for parachain in departed}
    everyone = sorted(
        (*testnet.spec.parachains, *departed),
        key=lambda parachain: order.index(parachain.id) if parachain.id in order else len(order),
    )
    lost = [c for c in founded.spec.hrmp_channels if gone & {c.sender, c.recipient}]
    present = [c for c in testnet.spec.hrmp_channels if c not in lost]
    channels = [c for c in founded.spec.hrmp_channels if c in lost or c in present]
    channels += [c for c in present if c not in channels]
    update = {"parachains": tuple(everyone), "hrmp_channels": tuple(channels)}
    return testnet.model_copy(update={"spec": testnet.spec.model_copy(update=update)})


def require_same_genesis(whole: NetworkGenesis, running: Mapping[str, RunningChain]) -> None:
    """Returns if the running chains have the genesis that the file needs.

    Args:
        whole: the file's genesis, built with the parachains that have left the file (`with_departed`).
        running: the chains that run, by name.

    Raises:
        Refused: some chain specs differ. The message names every part that does.
    """
    causes = [
        f"{chain.name}: {cause}"
        for chain in whole.chains
        if chain.name in running and chain.spec != running[chain.name].spec
        for cause in sorted(_causes(running[chain.name].spec, chain.spec))
    ]
    if causes:
        raise Refused(
            "this file asks for another genesis than the running network has: " + "; ".join(causes),
            hint="take the network down first, or change only what genesis does not hold: nodes without keys in it "
            "(roles full, bootnode, rpc, archive), images, arguments, resources; new code comes by a RuntimeUpgrade",
        )


def with_genesis_of(planned: NetworkGenesis, whole: NetworkGenesis) -> NetworkGenesis:
    """The planned nodes and chains, with each chain's genesis taken from `whole`."""
    return replace(planned, chains=tuple(whole.chain(chain.name) for chain in planned.chains))


def with_running_specs(planned: NetworkGenesis, running: Mapping[str, RunningChain]) -> NetworkGenesis:
    """The planned nodes, with the specs of the running chains. For callers whose file may have changed since `up`."""
    chains = tuple(
        replace(chain, spec=running[chain.name].spec, genesis_hash=running[chain.name].genesis_hash)
        if chain.name in running
        else chain
        for chain in planned.chains
    )
    return replace(planned, chains=chains)


_MEANINGS = {
    "session": "the authorities (validators and invulnerable collators) and their keys",
    "collatorSelection": "the invulnerable collators",
    "paras": "the parachains that are registered in genesis, their code or their genesis heads",
    "hrmp": "the HRMP channels",
    "configuration": "the host configuration",
    "balances": "the balances",
    "staking": "the stakes",
    "babe": "slots and sessions",
    "aura": "slots",
    "code": "the runtime code",
    "raw": "the storage",
}
"""A reader's words for a part of a chain spec, by a segment of its path. The first match counts."""


def _causes(running: bytes, planned: bytes) -> Iterator[str]:
    """What differs, in a reader's words, each difference once."""
    said = set()
    for path in differences(json.loads(running), json.loads(planned)):
        words = path.replace("[", ".").split(".")
        meaning = next((_MEANINGS[word] for word in words if word in _MEANINGS), None)
        said.add(f"{meaning} ({'.'.join(words[:5])})" if meaning else path)
    yield from said
