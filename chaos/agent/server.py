"""The agent's HTTP server: bearer token, JSON in and out, errors as `{"error": …}`. Only the controller calls it.

Metrics are on a port of their own, see `metrics_server`.
"""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import BaseModel, ValidationError

from chaos.agent import netns
from chaos.agent.containers import Machine
from chaos.agent.faults import FaultError, Gone
from chaos.agent.keeper import Keeper
from chaos.agent.ledger import FaultRecord
from chaos.wire import ORDER, Ended, Placed, ProbeAnswer, ProbeOrder, Survey, digest

_ID = re.compile(r"^[a-z0-9][a-z0-9.-]{0,127}$")
_KEEPER: web.AppKey[Keeper] = web.AppKey("keeper", Keeper)
_MACHINE: web.AppKey[Machine] = web.AppKey("machine", Machine)
_PROBING: web.AppKey[ThreadPoolExecutor] = web.AppKey("probing", ThreadPoolExecutor)
"""Threads that wait for connections. There are many, as they only wait, and they are not the threads that recover."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(keeper: Keeper, machine: Machine, token_file: Path) -> web.Application:
    """The agent's application. It ends faults in time while it runs, and undoes all of them when it stops."""
    app = web.Application(middlewares=[_errors, _authorised(token_file)])
    app[_KEEPER] = keeper
    app[_MACHINE] = machine
    app[_PROBING] = ThreadPoolExecutor(128, "probe")
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/faults", _survey)
    app.router.add_put("/faults/{id}", _place)
    app.router.add_delete("/faults/{id}", _end)
    app.router.add_post("/probe", _probe)
    app.cleanup_ctx.append(_keeping_time)
    return app


async def _keeping_time(app: web.Application) -> AsyncIterator[None]:
    keeper = app[_KEEPER]
    keeper.adopt()
    task = asyncio.create_task(keeper.keep_time())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await keeper.close()
    app[_PROBING].shutdown(cancel_futures=True)


def _authorised(token_file: Path) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path != "/healthz":
            # Read at each request, so that a rotated secret needs no restart. The file is in memory.
            expected = f"Bearer {token_file.read_text().strip()}"  # noqa: ASYNC240
            if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
                return web.json_response({"error": "the bearer token is missing or wrong"}, status=401)
        return await handler(request)

    return check


@web.middleware
async def _errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Gone as error:
        return web.json_response({"error": str(error)}, status=404)
    except FaultError as error:
        return web.json_response({"error": str(error)}, status=409)
    except ValidationError as error:
        return web.json_response({"error": f"invalid request: {error.errors(include_url=False)}"}, status=400)


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _survey(request: web.Request) -> web.Response:
    keeper = request.app[_KEEPER]
    faults = tuple(_placed(keeper, entry) for entry in keeper.held())
    return _json(Survey(faults=faults, unsupported=dict(keeper.unsupported)))


async def _place(request: web.Request) -> web.Response:
    order = ORDER.validate_json(await request.read())
    await asyncio.to_thread(request.app[_MACHINE].check_ours, order.pod_uid)
    keeper = request.app[_KEEPER]
    return _json(_placed(keeper, await keeper.place(_fault_id(request), order)))


async def _end(request: web.Request) -> web.Response:
    fault_id = _fault_id(request)
    return _json(Ended(id=fault_id, recovery=await request.app[_KEEPER].end(fault_id)))


async def _probe(request: web.Request) -> web.Response:
    order = ProbeOrder.model_validate_json(await request.read())
    machine = request.app[_MACHINE]

    def work() -> ProbeAnswer:
        machine.check_ours(order.pod_uid)
        namespace = machine.proc / str(machine.pod_process(order.pod_uid)) / "ns" / "net"
        return ProbeAnswer(probes=netns.connect(namespace, order.endpoints, timeout=order.timeout_seconds))

    return _json(await asyncio.get_running_loop().run_in_executor(request.app[_PROBING], work))


def _fault_id(request: web.Request) -> str:
    fault_id = request.match_info["id"]
    if not _ID.match(fault_id):
        raise FaultError(f"{fault_id!r} is not an id of a fault")
    return fault_id


def _placed(keeper: Keeper, entry: FaultRecord) -> Placed:
    order = entry.order
    left = entry.expires - keeper.clock()
    known = digest(order)
    return Placed(
        id=entry.id, kind=order.kind, pod_uid=order.pod_uid, digest=known, effect=entry.effect, seconds_left=left
    )


def _json(document: BaseModel) -> web.Response:
    return web.Response(text=document.model_dump_json(), content_type="application/json")
