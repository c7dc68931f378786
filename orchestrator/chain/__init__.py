"""The one door to node RPC and SCALE. Used by readiness, gates and the controller, for real nodes and simnode alike."""

from orchestrator.chain.port import ChainReader, Head, RuntimeVersion, Upgrader
from orchestrator.chain.reader import SubstrateReader

__all__ = ["ChainReader", "Head", "RuntimeVersion", "SubstrateReader", "Upgrader"]
