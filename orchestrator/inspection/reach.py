"""Reaches nodes through the API server's proxy. A port-forward could break under chaos; this cannot.

Called by `live` and by the readiness ladder. Every read has a short limit, because a fault may have stopped the node.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from orchestrator.chain import rpc
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ClusterError

WORKERS = 32
"""How many nodes are asked at the same time."""


class Named(Protocol):
    """A node, known from the cluster or from a plan."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)
T = TypeVar("T")


def proxied(cluster: Cluster, namespace: str, pod: str, port: int, *, timeout: float) -> rpc.JsonRpc:
    """RPC to a pod's port through the API server. `timeout` is in seconds, for one answer."""

    def send(body: bytes) -> bytes:
        try:
            _, answer = cluster.proxy("pods", pod, port, "/", namespace, method="POST", body=body, timeout=timeout)
        except ClusterError as error:
            raise ChainError(f"{pod}: {error.message}") from error
        return answer

    return rpc.JsonRpc(send, node=pod)


def ask_all(nodes: Iterable[N], question: Callable[[N], T]) -> dict[str, T | ChainError]:
    """Asks all nodes at once. Returns, by name, each node's answer or the error."""
    chosen = list(nodes)

    def one(node: N) -> T | ChainError:
        try:
            return question(node)
        except ChainError as error:
            return error

    with ThreadPoolExecutor(max(1, min(WORKERS, len(chosen)))) as pool:
        return dict(zip((node.name for node in chosen), pool.map(one, chosen), strict=True))
