"""Reaches a network's nodes through the API server's proxy, so that no port-forward can break under chaos.

Called by the readiness ladder and by `run`. Every read has a short limit, for a node may be stopped on purpose.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from orchestrator.chain import SubstrateReader, rpc
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ClusterError
from orchestrator.genesis.chainspec import RELAY, Node
from orchestrator.provision.network import Network

T = TypeVar("T")

PORT, EMBEDDED_PORT = 9944, 9945
METRICS_PORT, EMBEDDED_METRICS_PORT = 9615, 9616


def proxied(cluster: Cluster, namespace: str, pod: str, port: int, *, timeout: float) -> rpc.JsonRpc:
    """RPC to a pod's port through the API server."""

    def send(body: bytes) -> bytes:
        try:
            _, answer = cluster.proxy("pods", pod, port, "/", namespace, method="POST", body=body, timeout=timeout)
        except ClusterError as error:
            raise ChainError(f"{pod}: {error.message}") from error
        return answer

    return rpc.JsonRpc(send, node=pod)


class Access:
    """Readers for all nodes of a network."""

    def __init__(self, cluster: Cluster, network: Network, *, timeout: float = 3.0) -> None:
        self._cluster = cluster
        self._namespace = network.testnet.namespace
        self._timeout = timeout
        self.nodes = network.genesis.nodes

    def reader(self, node: Node, *, chain: str | None = None) -> SubstrateReader:
        """Reads the node's own chain, or the relay chain, which a collator serves beside its own."""
        embedded = chain == RELAY and node.chain != RELAY
        port = EMBEDDED_PORT if embedded else PORT
        return SubstrateReader(proxied(self._cluster, self._namespace, node.name, port, timeout=self._timeout))

    def metrics(self, node: Node, *, chain: str | None = None) -> str:
        """The node's metrics page: of its own chain, or of the relay node that a collator runs beside it.

        Raises:
            ChainError: when it does not answer.
        """
        port = EMBEDDED_METRICS_PORT if chain == RELAY and node.chain != RELAY else METRICS_PORT
        try:
            _, page = self._cluster.proxy("pods", node.name, port, "/metrics", self._namespace, timeout=self._timeout)
        except ClusterError as error:
            raise ChainError(f"{node.name}: {error.message}") from error
        return page.decode(errors="replace")

    def logs(self, node: Node, lines: int = 200) -> Iterator[str]:
        """The ends of the logs of the node's process and of the one before, then those of its init container."""
        for container in ("node", "init"):
            for previous in (False, True):
                # There is none where the container has not started, or not twice.
                with contextlib.suppress(ClusterError):
                    yield self._cluster.logs(
                        node.name, self._namespace, container=container, tail=lines, previous=previous
                    )


def each(nodes: Iterable[Node], ask: Callable[[Node], T], *, workers: int = 32) -> dict[str, T | ChainError]:
    """Asks all nodes at once; a node that does not answer is in the result with its error."""
    chosen = list(nodes)

    def one(node: Node) -> T | ChainError:
        try:
            return ask(node)
        except ChainError as error:
            return error

    with ThreadPoolExecutor(max(1, min(workers, len(chosen)))) as pool:
        return dict(zip((node.name for node in chosen), pool.map(one, chosen), strict=True))
