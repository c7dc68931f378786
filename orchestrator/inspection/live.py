"""Asks nodes about their chains right now, and reads what their containers use. Called by `cli` and `conditions`.

All nodes are asked at once. A node that does not answer is in the result with the reason: it may be stopped on purpose.
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
"""Seconds to wait for one answer of a node."""


@dataclass(frozen=True, slots=True)
class View:
    """One node's view of its chain."""

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
    """What a pod's containers use: CPU in cores, working set in bytes."""

    cpu: float
    memory: int


def node_rpc(cluster: Cluster, node: NodeState, *, relay: bool = False, timeout: float = TIMEOUT) -> rpc.JsonRpc:
    """A node's RPC. With `relay`, the RPC of the relay node inside a collator.

    Raises:
        UsageError: the node has no such port.
    """
    name = "rpc-relay" if relay else "rpc"
    port = node.port(name)
    if port is None:
        if relay and node.pod:
            raise UsageError(f"{node.name} has no embedded relay node", hint="--relay is for collators that embed one")
        raise UsageError(f"{node.name} has no pod with RPC at present ({node.trouble})")
    return proxied(cluster, node.namespace, node.name, port, timeout=timeout)


def reader(cluster: Cluster, node: NodeState, *, timeout: float = TIMEOUT) -> SubstrateReader:
    """A reader of the node's chain.

    Raises:
        ChainError: the node has no pod to ask.
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
        finalized = view.finalized().number  # Read before the best block, so that the lag is never negative.
        return View(view.best().number, finalized, int(health["peers"]), bool(health["isSyncing"]))

    return ask_all(nodes, one)


def included(cluster: Cluster, relay: Iterable[NodeState], para_ids: Iterable[int]) -> dict[int, int | ChainError]:
    """The number of the last included block of each parachain, by id; 0 is its genesis.

    The first relay node that answers decides. A head that is not a Cumulus header is an error.
    """
    wanted = list(para_ids)
    trouble = ChainError("there is no relay chain node")
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
        return ChainError(f"the head of parachain {para_id} is not a Cumulus header")


# What containers use


def usage(cluster: Cluster, nodes: Iterable[NodeState]) -> dict[str, Usage]:
    """What each node uses, by name. Nodes without figures are left out.

    The figures come from the metrics API if the cluster has one, else from the kubelets, which not every user may ask.
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
    except ClusterError:  # We may not ask, or the kubelet does not answer: the usage is unknown.
        return []
