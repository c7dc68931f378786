"""The start barrier: a network's nodes start together once all pods have arrived. Their init containers call it.

A released barrier stays released, even if the controller restarts (ConfigMap `coalmine-barrier`). A pod that is
replaced later passes at once.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from aiohttp import web

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError

_LOG = logging.getLogger(__name__)
_NAME = "coalmine-barrier"
LONG_POLL = 25.0
"""Seconds after which a waiting pod is told to ask again."""


@dataclass
class Barrier:
    """The pods that have arrived, by network, and the released networks. `long_poll` is in seconds."""

    cluster: Cluster
    long_poll: float = LONG_POLL
    _arrived: dict[str, set[str]] = field(default_factory=dict)
    _released: dict[str, asyncio.Event] = field(default_factory=dict)

    async def restore(self) -> None:
        """Reads which networks an earlier controller released."""
        stored = await asyncio.to_thread(self.cluster.get, "ConfigMap", _NAME)
        for network in (stored or {}).get("data", {}):
            self._event(network).set()

    async def handle(self, request: web.Request) -> web.Response:
        """`GET /barrier/{network}?pod=NAME&parties=N`: 200 once N pods have arrived, 503 to ask again."""
        network, pod = request.match_info["network"], request.query.get("pod", "")
        try:
            parties = int(request.query.get("parties", ""))
        except ValueError:
            return web.json_response({"error": "parties is not a number"}, status=400)
        if not pod:
            return web.json_response({"error": "pod is missing"}, status=400)
        event, arrived = self._event(network), self._arrived.setdefault(network, set())
        arrived.add(pod)
        if not event.is_set() and len(arrived) >= parties:
            await self._release(network, parties)
        try:
            await asyncio.wait_for(event.wait(), self.long_poll)
        except TimeoutError:
            return web.json_response({"arrived": len(arrived), "parties": parties}, status=503)
        return web.json_response({"released": True})

    async def _release(self, network: str, parties: int) -> None:
        """Records the release, then lets all pods pass. In this order a restart cannot close a passed barrier."""
        document = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _NAME, "namespace": self.cluster.namespace},
            "data": {network: f"released with {parties} parties"},
        }
        try:
            await asyncio.to_thread(self.cluster.apply, document)
        except ClusterError as error:
            _LOG.warning("barrier of %s is not released: %s", network, error.message)
            return
        self._event(network).set()
        _LOG.info("barrier of %s released with %d parties", network, parties)

    def _event(self, network: str) -> asyncio.Event:
        return self._released.setdefault(network, asyncio.Event())
