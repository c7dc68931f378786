"""Finds the length of a relay chain's slots and sessions, so that others know how long to wait. Called by `chainspec`.

A real runtime has both as constants and returns them (`BabeApi_configuration`). For simnode the user sets them.
"""

import json
from dataclasses import dataclass

from orchestrator.errors import RuntimeApiError, RuntimeBlobError
from orchestrator.genesis import raw
from orchestrator.genesis.plan import ChainGenesis
from orchestrator.runtime.executor import Executor
from orchestrator.scale import Reader
from orchestrator.spec import Relaychain


@dataclass(frozen=True, slots=True)
class Timing:
    """`slot` is in seconds; `session_slots` is the number of slots in a session."""

    slot: float
    session_slots: int

    @property
    def session(self) -> float:
        """Length of a session, in seconds."""
        return self.slot * self.session_slots


LIVE = Timing(slot=6.0, session_slots=600)
"""Kusama's timing. It is assumed for a chain that is built into its client: its runtime cannot be asked in advance."""


def timing_of(relay: Relaychain, genesis: ChainGenesis | None) -> Timing:
    """The timing of a relay chain. `genesis` is None for a chain that is built into its client.

    Raises:
        RuntimeCallError: the runtime fails when it is asked.
    """
    if relay.simulated:
        return Timing(relay.slot, relay.session_blocks)
    if genesis is None:
        return LIVE
    storage = raw.storage_of(json.loads(genesis.spec), genesis.name)
    try:
        answer = Reader(Executor(genesis.code).call("BabeApi_configuration", b"", storage).output)
    except RuntimeApiError:  # No BABE: the runtime does not say how long its sessions are.
        return LIVE
    except RuntimeBlobError:
        if relay.spec_file is None:
            raise
        return LIVE  # Code from a live network's first days, which today's hosts cannot execute.
    return Timing(slot=answer.u64() / 1000, session_slots=answer.u64())
