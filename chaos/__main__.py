"""`python3 -m chaos`: the controller of one namespace. One process is operator, start barrier and metrics server."""

import asyncio
import logging
import os
import time
from pathlib import Path

import kopf
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chaos import operator
from chaos.agent_client import Agents
from chaos.barrier import Barrier
from chaos.experiments import Experiments
from chaos.reconciler import ActionRunner
from chaos.upgrades.tasks import Upgrades, tools_in_cluster
from orchestrator import tcp_ports
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError

_LOG = logging.getLogger("chaos")
_LIVENESS = f"http://0.0.0.0:{tcp_ports.CONTROLLER_LIVENESS}/healthz"


def _cluster() -> Cluster:
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return Cluster.in_pod()
    return Cluster.connect(namespace=os.environ["POD_NAMESPACE"])


async def _until_served(cluster: Cluster) -> None:
    """Waits until our kinds are served. The operator looks once for what to watch and would miss later definitions."""
    for kind in ("ChaosExperiment", "RuntimeUpgrade"):
        while True:
            try:
                await asyncio.to_thread(cluster.list, kind)
                break
            except ClusterError as error:
                _LOG.warning("not yet: %s", error.message)
                await asyncio.sleep(0.5)


async def _serve(barrier: Barrier, ready: asyncio.Event) -> web.AppRunner:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"ready": ready.is_set()}, status=200 if ready.is_set() else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def clock(_: web.Request) -> web.Response:
        return web.Response(text=f"{time.time():.6f}")  # Agents compare their machines' clocks with it.

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/time", clock)
    app.router.add_get("/barrier/{network}", barrier.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=int(os.environ.get("COALMINE_HTTP_PORT", tcp_ports.CONTROLLER))).start()
    return runner


async def _main() -> None:
    cluster = _cluster()
    token = Path(os.environ.get("COALMINE_TOKEN_FILE", "/etc/coalmine/token/token"))
    seed = Path(os.environ.get("COALMINE_SEED_FILE", "/etc/coalmine/seed/seed"))
    experiments = Experiments(ActionRunner(cluster, Agents(token)))
    upgrades = Upgrades(tools_in_cluster(cluster, seed))
    barrier, ready = Barrier(cluster), asyncio.Event()
    await barrier.restore()
    runner = await _serve(barrier, ready)
    try:
        await _until_served(cluster)
        await kopf.operator(
            registry=operator.registry(experiments, upgrades),
            settings=operator.settings(),
            namespaces=[cluster.namespace],
            standalone=True,
            liveness_endpoint=os.environ.get("COALMINE_LIVENESS", _LIVENESS),
            ready_flag=ready,
        )
    finally:
        await runner.cleanup()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("kopf").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(_main())


if __name__ == "__main__":
    main()
