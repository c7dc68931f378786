"""How fast a relay chain goes: its slots and sessions. Called by `chainspec`, for all who must know how long to wait.

A real runtime has both as constants and tells them (`BabeApi_configuration`); simnode's are what the user says.
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
    """`slot` in seconds, and how many slots a session has."""

    slot: float
    session_slots: int

    @property
    def session(self) -> float:
        """Length of a session, in seconds."""
        return self.slot * self.session_slots


LIVE = Timing(slot=6.0, session_slots=600)
"""Kusama's: what is assumed of a chain that its client has built in, for nobody can ask it before it runs."""


def timing_of(relay: Relaychain, genesis: ChainGenesis | None) -> Timing:
    """The timing of a relay chain with this genesis; None for one that its client has built in.

    Raises:
        RuntimeCallError: when the runtime fails at the question.
    """
    if relay.simulated:
        return Timing(relay.slot, relay.session_blocks)
    if genesis is None:
        return LIVE
    storage = raw.storage_of(json.loads(genesis.spec), genesis.name)
    try:
        answer = Reader(Executor(genesis.code).call("BabeApi_configuration", b"", storage).output)
    except RuntimeApiError:  # No BABE: nothing in the runtime says how long its sessions are.
        return LIVE
    except RuntimeBlobError:
        if relay.spec_file is None:
            raise
        return LIVE  # Code of a live network's first days, which no host of today executes.
    return Timing(slot=answer.u64() / 1000, session_slots=answer.u64())
