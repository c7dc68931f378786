"""Readers for the nodes of a planned network that is up. Called by the readiness ladder and by `run`.

Every read has a short time limit, because a fault may have stopped the node.
"""

import contextlib
from collections.abc import Iterator

from orchestrator.chain import SubstrateReader
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ClusterError
from orchestrator.genesis.chainspec import Node
from orchestrator.inspection.reach import proxied
from orchestrator.provision.network import Network
from orchestrator.spec.testnet import RELAY
from orchestrator.tcp_ports import EMBEDDED_RELAY, NODE, NodePorts


class Access:
    """Readers for all nodes of a network."""

    def __init__(self, cluster: Cluster, network: Network, *, timeout: float = 3.0) -> None:
        self._cluster = cluster
        self._namespace = network.testnet.namespace
        self._timeout = timeout
        self.nodes = network.genesis.nodes

    def reader(self, node: Node, *, chain: str | None = None) -> SubstrateReader:
        """A reader of the node's own chain, or of the relay chain, which a collator serves too."""
        port = _ports(node, chain).rpc
        return SubstrateReader(proxied(self._cluster, self._namespace, node.name, port, timeout=self._timeout))

    def metrics(self, node: Node, *, chain: str | None = None) -> str:
        """The metrics page of the node's own chain, or of the relay node inside a collator.

        Raises:
            ChainError: the node does not answer.
        """
        port = _ports(node, chain).metrics
        try:
            _, page = self._cluster.proxy("pods", node.name, port, "/metrics", self._namespace, timeout=self._timeout)
        except ClusterError as error:
            raise ChainError(f"{node.name}: {error.message}") from error
        return page.decode(errors="replace")

    def logs(self, node: Node, lines: int = 200) -> Iterator[str]:
        """The last lines of the logs of the node's current and previous process, then of its init container."""
        for container in ("node", "init"):
            for previous in (False, True):
                # There is no log if the container has not started, and no previous one if it has started only once.
                with contextlib.suppress(ClusterError):
                    yield self._cluster.logs(
                        node.name, self._namespace, container=container, tail=lines, previous=previous
                    )


def _ports(node: Node, chain: str | None) -> NodePorts:
    """The ports of the node's own chain, or of the relay node inside a collator."""
    return EMBEDDED_RELAY if chain == RELAY and node.chain != RELAY else NODE
