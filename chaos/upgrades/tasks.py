"""Runs the reconcilers of RuntimeUpgrades with the nodes that the watch shows. Called through `operator`."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chaos.nodes import Node
from chaos.tasks import Tasks
from chaos.upgrades import reconciler
from chaos.upgrades.observe import Observer
from chaos.upgrades.reconciler import UpgradeReconciler, UpgradeTools
from orchestrator import tcp_ports
from orchestrator.chain import SubstrateReader, rpc
from orchestrator.cluster import Cluster
from orchestrator.genesis import keys


class Upgrades(Tasks[UpgradeReconciler]):
    kind = "RuntimeUpgrade"

    def __init__(self, tools: UpgradeTools) -> None:
        super().__init__()
        self._tools = tools

    def open(self, body: Mapping[str, Any]) -> UpgradeReconciler:
        return reconciler.reconciler(body, self._tools)

    async def step(self, one: UpgradeReconciler, indices: Mapping[str, Any]) -> float:
        nodes = {name: max(stored, key=lambda node: node.ready) for name, stored in indices["nodes"].items()}
        return await asyncio.to_thread(one.step, nodes)

    def refuse(self, body: Mapping[str, Any], cause: str) -> None:
        status = {"status": {"phase": "Failed", "cause": cause}}
        self._tools.cluster.patch(self.kind, body["metadata"]["name"], None, status, subresource="status")

    def forget(self, one: UpgradeReconciler) -> None:
        del one  # Nothing is kept for it.


def tools_in_cluster(cluster: Cluster, seed_file: Path) -> UpgradeTools:
    """The means of upgrades in a cluster: nodes by their pods' addresses, the sudo key from the network's seed."""
    threads = ThreadPoolExecutor(32, "observe")

    def reader_of(node: Node) -> SubstrateReader:
        return SubstrateReader(rpc.http(f"http://{node.ip}:{tcp_ports.NODE.rpc}", node=node.name))

    def sudo() -> keys.KeyPair:
        return keys.sudo(bytes.fromhex(seed_file.read_text().strip()))

    return UpgradeTools(cluster, Observer(reader_of, threads), sudo, threads)
