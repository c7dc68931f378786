"""The only access to node RPC and SCALE, for real nodes and simnode. Used by readiness, gates and the controller."""

from orchestrator.chain.clients import runtime, upgrader
from orchestrator.chain.history import events_between
from orchestrator.chain.parachains import Backlog, Channel, Origin, ParachainReader
from orchestrator.chain.port import ChainReader, Event, Head, RuntimeReader, RuntimeVersion, Upgrader
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.rounds import RoundState, absent
from orchestrator.chain.rpc import Refusal
from orchestrator.chain.vocabulary import Vocabulary

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
    "Vocabulary",
    "absent",
    "events_between",
    "runtime",
    "upgrader",
]
