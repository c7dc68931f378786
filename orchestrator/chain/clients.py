"""Returns the reader or upgrader that fits the client of a node. Called by the controller and gates."""

from orchestrator.chain.port import RuntimeReader, Upgrader
from orchestrator.chain.rpc import Rpc
from orchestrator.chain.simnode import SimnodeRuntime, SimnodeUpgrader
from orchestrator.errors import Refused
from orchestrator.genesis.keys import KeyPair

_SIMNODE_METHOD = "coalmine_events"
_SUBSTRATE_METHODS = frozenset({"state_getMetadata", "author_submitExtrinsic"})


def upgrader(rpc: Rpc, sudo: KeyPair) -> Upgrader:
    """An upgrader for the node's chain.

    Raises:
        Refused: coalmine cannot build transactions for the node's client.
        ChainError: the node does not answer.
    """
    if _is_simnode(rpc):
        return SimnodeUpgrader(rpc, sudo)
    # The SCALE library is large and slow to load, and a network of simnodes does not need it.
    from orchestrator.chain.substrate import SubstrateUpgrader  # noqa: PLC0415

    return SubstrateUpgrader(rpc, sudo)


def runtime(rpc: Rpc) -> RuntimeReader:
    """A reader that knows the runtime's types. Raises as `upgrader` does."""
    if _is_simnode(rpc):
        return SimnodeRuntime(rpc)
    from orchestrator.chain.substrate import SubstrateRuntime  # noqa: PLC0415  As above.

    return SubstrateRuntime(rpc)


def _is_simnode(rpc: Rpc) -> bool:
    methods = set(rpc.call("rpc_methods")["methods"])
    if _SIMNODE_METHOD in methods:
        return True
    if missing := sorted(_SUBSTRATE_METHODS - methods):
        name = rpc.call("system_name")
        raise Refused(f"{rpc.node} runs {name}, which is neither simnode nor Substrate: it has no {missing[0]}")
    return False
