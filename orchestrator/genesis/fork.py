"""Forks of live networks: the live spec, a database with the live state, and own validators. zombie-bite makes them.

Such a chain has the live network's genesis, because its database has it. `refusals` allows it only if it cannot meet
the live network: no traffic leaves the namespace, and its nodes use their own protocol names. Pure. Called by
`chainspec` and `raw`.
"""

from collections.abc import Iterator
from typing import Any

from orchestrator.genesis.plan import ChainPlan


def missing(plan: ChainPlan) -> tuple[str, ...]:
    """The settings that the file lacks to keep this fork apart from the live network. Empty if it has all."""
    return tuple(_missing(plan))


def _missing(plan: ChainPlan) -> Iterator[str]:
    if plan.chain.spec_file is None:
        yield "a `specFile`"
    if any(group.snapshot is None for group in plan.chain.groups):
        yield "a `snapshot` of the fork for each group of the chain"
    if plan.fork_id is None:
        yield "`isolation.forkId`"
    if not plan.network_policy:
        yield "`isolation.networkPolicy: true`"


def renamed(plan: ChainPlan, spec: dict[str, Any]) -> dict[str, Any]:
    """A user's spec with the network's own protocol names, if the user sets a fork id.

    Protocol names are made of the genesis hash and the fork id. Those of the older Kademlia protocol are made of the
    protocol id alone (polkadot-sdk, `substrate/client/network/src/discovery.rs`).
    """
    if plan.fork_id is None:
        return spec
    return {**spec, "forkId": plan.fork_id, "protocolId": plan.protocol, "telemetryEndpoints": None}
