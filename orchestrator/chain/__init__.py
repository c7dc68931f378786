"""The one door to node RPC and SCALE. Used by readiness, gates and the controller, for real nodes and simnode alike."""

from orchestrator.chain.clients import runtime, upgrader
from orchestrator.chain.history import events_between
from orchestrator.chain.parachains import Backlog, Channel, Origin, ParachainReader
from orchestrator.chain.port import ChainReader, Event, Head, RuntimeReader, RuntimeVersion, Upgrader
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.rounds import RoundState, absent
from orchestrator.chain.rpc import Refusal

__all__ = [
    "Backlog",
    "ChainReader",
    "Channel",
    "Event",
    "Head",
    "Origin",
    "ParachainReader",
    "Refusal",
    "RoundState",
    "RuntimeReader",
    "RuntimeVersion",
    "SubstrateReader",
    "Upgrader",
    "absent",
    "events_between",
    "runtime",
    "upgrader",
]
