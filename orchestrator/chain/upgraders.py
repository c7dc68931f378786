"""Which upgrader a node's chain needs. Called by the controller, once for each upgrade."""

from orchestrator.chain.port import Upgrader
from orchestrator.chain.rpc import Rpc
from orchestrator.chain.simnode import SimnodeUpgrader
from orchestrator.errors import Refused
from orchestrator.genesis.keys import KeyPair

_SIMNODE_METHOD = "coalmine_events"


def upgrader(rpc: Rpc, sudo: KeyPair) -> Upgrader:
    """An upgrader for the chain that the node serves.

    Raises:
        Refused: when the node is of a client whose transactions coalmine cannot build.
        ChainError: when the node does not answer.
    """
    methods = rpc.call("rpc_methods")["methods"]
    if _SIMNODE_METHOD in methods:
        return SimnodeUpgrader(rpc, sudo)
    name = rpc.call("system_name")
    raise Refused(f"{rpc.node} runs {name}, whose transactions coalmine does not build; only simnode's can be upgraded")
