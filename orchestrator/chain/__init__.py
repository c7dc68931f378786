"""The one door to node RPC and SCALE. Used by readiness, gates and the controller, for real nodes and simnode alike."""

from orchestrator.chain.port import ChainReader, Event, Head, RuntimeVersion, Upgrader
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.upgraders import upgrader

__all__ = ["ChainReader", "Event", "Head", "RuntimeVersion", "SubstrateReader", "Upgrader", "upgrader"]
