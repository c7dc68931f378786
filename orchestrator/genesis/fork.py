"""Forks of live networks: their spec, a database of their state, and validators of one's own (zombie-bite makes them).

Such a chain has the live network's genesis, for its database has. It is let through `refusals` only where it cannot
meet that network: nothing leads out of the namespace, and its nodes speak under protocol names of their own. Called by
`chainspec` and `raw`; pure.
"""

from collections.abc import Iterator
from typing import Any

from orchestrator.genesis.plan import ChainPlan


def missing(plan: ChainPlan) -> tuple[str, ...]:
    """What the file must say yet for this chain to be a fork that is kept apart; empty when it says all of it."""
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
    """A user's spec under protocol names of the network's own, where the user gives it a fork id.

    Names of protocols are made of genesis hash and fork id, those of older Kademlia of the protocol id alone
    (`substrate/client/network/src/discovery.rs`).
    """
    if plan.fork_id is None:
        return spec
    return {**spec, "forkId": plan.fork_id, "protocolId": plan.protocol, "telemetryEndpoints": None}
