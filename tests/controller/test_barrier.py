"""The start barrier over HTTP: nobody passes early, everybody passes once all have come, and after a restart too."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from chaos.barrier import Barrier
from orchestrator.errors import ClusterError


class FakeCluster:
    namespace = "coalmine-x"

    def __init__(self):
        self.objects = {}
        self.down = False

    def get(self, kind, name):
        return self.objects.get((kind, name))

    def apply(self, document):
        if self.down:
            raise ClusterError("no answer")
        known = self.objects.get((document["kind"], document["metadata"]["name"]), {"data": {}})
        self.objects[document["kind"], document["metadata"]["name"]] = {
            **document,
            "data": {**known["data"], **document["data"]},
        }


@pytest.fixture
def cluster():
    return FakeCluster()


@pytest.fixture
async def client(cluster):
    async with serve(cluster) as client:
        yield client


def serve(cluster, long_poll=0.3):
    barrier = Barrier(cluster, long_poll=long_poll)

    async def restore(_):
        await barrier.restore()

    app = web.Application()
    app.on_startup.append(restore)
    app.router.add_get("/barrier/{network}", barrier.handle)
    return TestClient(TestServer(app))


async def come(client, pod, parties=3, network="net"):
    answer = await client.get(f"/barrier/{network}", params={"pod": pod, "parties": str(parties)})
    return answer.status


async def test_nobody_passes_before_all_have_come(client):
    assert await asyncio.gather(come(client, "a"), come(client, "b")) == [503, 503]


async def test_all_pass_once_the_last_has_come(client):
    assert await asyncio.gather(*(come(client, pod) for pod in "abc")) == [200, 200, 200]


async def test_a_pod_that_asks_again_is_counted_once(client):
    assert await asyncio.gather(*(come(client, pod) for pod in "aabba")) == [503] * 5


async def test_who_has_come_before_need_not_be_waiting_at_that_moment(client):
    assert [await come(client, pod) for pod in "abca"] == [503, 503, 200, 200]


async def test_a_released_barrier_stays_released_over_a_restart(client, cluster):
    await asyncio.gather(*(come(client, pod) for pod in "abc"))
    async with serve(cluster) as successor:
        assert await come(successor, "d") == 200


async def test_networks_do_not_release_each_other(client):
    await asyncio.gather(*(come(client, pod) for pod in "abc"))
    assert await come(client, "a", network="other") == 503


async def test_nobody_passes_before_the_release_is_on_record(client, cluster):
    cluster.down = True
    assert await asyncio.gather(*(come(client, pod) for pod in "abc")) == [503] * 3
    cluster.down = False
    assert await come(client, "a") == 200


@pytest.mark.parametrize("query", ["?pod=a", "?parties=2", "?pod=a&parties=many"])
async def test_a_request_that_is_none_is_told_so(client, query):
    assert (await client.get("/barrier/net" + query)).status == 400
