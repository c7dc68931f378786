"""Measures once a second, and serves the page on a port of its own. Started and stopped with the agent's `server`.

The port is apart from the one that takes orders, so that the NetworkPolicies can open it to Prometheus alone.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chaos.agent.clock_offset import ClockComparison
from chaos.agent.exposition import Page
from chaos.agent.sampler import INTERVAL, Sampler

_LOG = logging.getLogger(__name__)

CleanupContext = Callable[[web.Application], AsyncIterator[None]]


def measuring(sampler: Sampler, clock: ClockComparison, port: int) -> CleanupContext:
    """What the agent does besides its faults, for `Application.cleanup_ctx`."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        runner = await _served(Page(sampler, clock), port)
        tasks = [asyncio.create_task(_sampling(sampler)), asyncio.create_task(_comparing(clock))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()

    return context


async def _served(page: Page, port: int) -> web.AppRunner:
    registry = page.registry()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner


async def _sampling(sampler: Sampler) -> None:
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await asyncio.to_thread(sampler.sample)
        except Exception:  # noqa: BLE001  One reading that fails must not end all later ones.
            _LOG.exception("the nodes could not be measured")
        await asyncio.sleep(max(0.0, INTERVAL - (loop.time() - began)))


async def _comparing(clock: ClockComparison) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            await clock.ask(session)
            await asyncio.sleep(INTERVAL)
