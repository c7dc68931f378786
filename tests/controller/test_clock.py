"""An agent compares its clock with a real controller's server; the offset is known, for both run on one machine."""

import asyncio
import socket
from types import SimpleNamespace

import aiohttp
import pytest

from chaos.__main__ import _serve
from chaos.agent.clock_offset import ClockComparison


@pytest.fixture
def port(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    monkeypatch.setenv("COALMINE_HTTP_PORT", str(number))
    return number


async def _no_barrier(_):
    raise AssertionError


async def test_two_clocks_of_one_machine_agree_to_what_the_agent_says_of_its_error(port):
    runner = await _serve(SimpleNamespace(handle=_no_barrier), asyncio.Event())
    clock = ClockComparison(f"http://127.0.0.1:{port}/time")
    try:
        async with aiohttp.ClientSession() as session:
            await clock.ask(session)
            found = clock.best()
            assert abs(found.seconds) <= found.error + 1e-6
            await runner.cleanup()
            for _ in range(10):
                await clock.ask(session)
            assert clock.best() is None
    finally:
        await runner.cleanup()
