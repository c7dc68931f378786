"""What nodes say of their chains right now, and what their containers use. Called by `cli` and by `conditions`.

All nodes are asked at once. One that does not answer is in the result with the reason: it may be stopped on purpose.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from orchestrator.chain import SubstrateReader, rpc
from orchestrator.cluster import Cluster, Object
from orchestrator.errors import ChainError, ClusterError, UsageError
from orchestrator.inspection.networks import NodeState
from orchestrator.inspection.reach import WORKERS, ask_all, proxied
from orchestrator.scale import Reader
from orchestrator.units import quantity

T = TypeVar("T")

TIMEOUT = 3.0
"""Seconds for one answer of a node."""


@dataclass(frozen=True, slots=True)
class View:
    """What one node says of its chain."""

    best: int
    finalized: int
    peers: int
    syncing: bool

    @property
    def lag(self) -> int:
        """Blocks that are not finalised yet."""
        return self.best - self.finalized


@dataclass(frozen=True, slots=True)
class Usage:
    """What a pod's containers use: cores, and bytes of working set."""

    cpu: float
    memory: int


def node_rpc(cluster: Cluster, node: NodeState, *, relay: bool = False, timeout: float = TIMEOUT) -> rpc.JsonRpc:
    """A node's RPC; with `relay` that of the relay node inside a collator.

    Raises:
        UsageError: when the node has no such port.
    """
    name = "rpc-relay" if relay else "rpc"
    port = node.port(name)
    if port is None:
        if relay and node.pod:
            raise UsageError(f"{node.name} has no embedded relay node", hint="--relay is for collators that embed one")
        raise UsageError(f"{node.name} has no pod with RPC at present ({node.trouble})")
    return proxied(cluster, node.namespace, node.name, port, timeout=timeout)


def reader(cluster: Cluster, node: NodeState, *, timeout: float = TIMEOUT) -> SubstrateReader:
    """A node's view of its chain.

    Raises:
        ChainError: when the node has no pod to ask.
    """
    try:
        return SubstrateReader(node_rpc(cluster, node, timeout=timeout))
    except UsageError as error:
        raise ChainError(error.message) from error


def look(cluster: Cluster, nodes: Iterable[NodeState]) -> dict[str, View | ChainError]:
    """Best and finalised block and peers of all nodes."""

    def one(node: NodeState) -> View:
        view = reader(cluster, node)
        health = view.health()
        finalized = view.finalized().number  # Before the best block, so that the lag is never below zero.
        return View(view.best().number, finalized, int(health["peers"]), bool(health["isSyncing"]))

    return ask_all(nodes, one)


def included(cluster: Cluster, relay: Iterable[NodeState], para_ids: Iterable[int]) -> dict[int, int | ChainError]:
    """By parachain, the number of its block that the relay chain included last; 0 is its genesis.

    The first relay node that answers is asked. A head that is no Cumulus header is an error.
    """
    wanted = list(para_ids)
    trouble = ChainError("no relay chain node is there")
    for node in relay:
        try:
            view = reader(cluster, node)
            return {para_id: _head_number(view.para_head(para_id), para_id) for para_id in wanted}
        except ChainError as error:
            trouble = error
    return dict.fromkeys(wanted, trouble)


def _head_number(head: bytes | None, para_id: int) -> int | ChainError:
    """The block number of a parachain's head data: a SCALE vector of a header, whose first field is a hash."""
    if head is None:
        return ChainError(f"parachain {para_id} is not registered")
    try:
        header = Reader(Reader(head).vector())
        header.take(32)
        return header.compact()
    except ValueError:
        return ChainError(f"the head of parachain {para_id} is no header of Cumulus")


# What containers use


def usage(cluster: Cluster, nodes: Iterable[NodeState]) -> dict[str, Usage]:
    """By node, what it uses; nodes that nobody knows it of are not in the result.

    From the metrics API where the cluster has one, else from the kubelets themselves, which not everybody may ask.
    """
    chosen = list(nodes)
    wanted = {node.name for node in chosen}
    try:
        found = _from_metrics_api(cluster, {node.namespace for node in chosen})
    except ClusterError:
        found = _from_kubelets(cluster, chosen)
    return {name: use for name, use in found.items() if name in wanted}


def _from_metrics_api(cluster: Cluster, namespaces: Iterable[str]) -> dict[str, Usage]:
    return {
        pod["metadata"]["name"]: Usage(
            sum(quantity(container["usage"]["cpu"]) for container in pod["containers"]),
            round(sum(quantity(container["usage"]["memory"]) for container in pod["containers"])),
        )
        for namespace in namespaces
        for pod in cluster.list("PodMetrics", namespace)
    }


def _from_kubelets(cluster: Cluster, nodes: list[NodeState]) -> dict[str, Usage]:
    namespaces = {node.namespace for node in nodes}
    machines = sorted({node.machine for node in nodes if node.machine})
    with ThreadPoolExecutor(max(1, min(WORKERS, len(machines)))) as pool:
        pods = [pod for summary in pool.map(lambda m: _summary(cluster, m), machines) for pod in summary]
    return {
        pod["podRef"]["name"]: Usage(pod["cpu"]["usageNanoCores"] / 1e9, int(pod["memory"]["workingSetBytes"]))
        for pod in pods
        if pod["podRef"]["namespace"] in namespaces
        and "usageNanoCores" in pod.get("cpu", {})
        and "workingSetBytes" in pod.get("memory", {})
    }


def _summary(cluster: Cluster, machine: str) -> list[Object]:
    try:
        return list(cluster.machine_summary(machine)["pods"])
    except ClusterError:  # We may not ask, or the kubelet is away: what it uses is then not known.
        return []
