"""The agent as it runs: a process of its own, asked over HTTP, killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chaos.agent.partition import supported_backend

from .conftest import NAMESPACE, eventually

pytestmark = pytest.mark.live


class Agent:
    def __init__(self, bench, tmp_path):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        token = tmp_path / "token"
        token.write_text("s3cret\n")
        self.env = {
            **os.environ,
            "POD_NAMESPACE": NAMESPACE,
            "COALMINE_TOKEN_FILE": str(token),
            "COALMINE_LEDGER": str(tmp_path / "ledger"),
            "COALMINE_HOST_NETWORK": str(bench.machine.host_network),
            "COALMINE_AGENT_PORT": str(self.port),
        }
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": "Bearer s3cret"})
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, "-m", "chaos.agent"], env=self.env)
        eventually(self.healthy, 20)

    def healthy(self):
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number):
        self.process.send_signal(number)
        self.process.wait(20)

    def pause(self, container, name="x", ttl=60):
        order = {"kind": "pause", "pod_uid": container.pod_uid, "container_id": container.container_id}
        return self.http.put(f"/faults/{name}", json={**order, "ttl_seconds": ttl}, timeout=30)


@pytest.fixture
def agent(bench, tmp_path):
    agent = Agent(bench, tmp_path)
    yield agent
    agent.http.close()
    if agent.process.poll() is None:
        agent.stop(signal.SIGKILL)


def test_without_the_token_nothing_is_answered(agent):
    answers = [
        httpx.request(method, f"http://127.0.0.1:{agent.port}{path}", headers=header)
        for method, path in (("GET", "/faults"), ("PUT", "/faults/x"), ("DELETE", "/faults/x"), ("POST", "/probe"))
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"})
    ]
    assert [answer.status_code for answer in answers] == [401] * 12


def test_pause_survey_and_recovery_over_http(agent, bench):
    container = bench.start("exec sleep 1000")
    answer = agent.pause(container)
    assert answer.status_code == 200
    assert answer.json()["effect"].startswith("1 of 1 process stopped")
    assert container.state() == "T"
    (fault,) = agent.http.get("/faults").json()["faults"]
    assert fault["id"] == "x"
    assert 0 < fault["seconds_left"] <= 60
    assert agent.http.delete("/faults/x").json()["recovery"].startswith("1 of 1 process running again")
    assert container.state() == "S"
    assert agent.http.get("/faults").json()["faults"] == []


def test_a_pod_of_another_namespace_cannot_be_hit(agent, bench):
    container = bench.start("exec sleep 1000", namespace="kube-system")
    assert agent.pause(container).status_code == 404
    assert container.state() == "S"


def test_an_order_that_is_not_understood_is_refused(agent):
    for body in (b"", b"{}", b'{"kind": "nuke"}', b'{"kind": "pause", "pod_uid": "x", "ttl_seconds": 0}'):
        assert agent.http.put("/faults/x", content=body).status_code == 400, body


def test_the_time_limit_is_kept_with_nobody_else_alive(agent, bench):
    container = bench.start("exec sleep 1000")
    agent.pause(container, ttl=1.0)
    eventually(lambda: container.state() == "S")


def test_a_killed_agents_successor_ends_its_faults_in_time(agent, bench):
    container = bench.start("exec sleep 1000")
    late = bench.start("exec sleep 1000")
    agent.pause(container, ttl=1.5)
    agent.pause(late, name="y", ttl=600)
    agent.stop(signal.SIGKILL)
    assert container.state() == late.state() == "T"
    agent.start()
    eventually(lambda: container.state() == "S")
    assert late.state() == "T"
    eventually(lambda: [fault["id"] for fault in agent.http.get("/faults").json()["faults"]] == ["y"])


def test_a_clean_shutdown_takes_everything_back(agent, bench):
    container = bench.start("exec sleep 1000")
    agent.pause(container)
    agent.stop(signal.SIGTERM)
    assert container.state() == "S"


def test_a_partition_is_placed_probed_and_removed_over_http(agent, network):
    if supported_backend()[0] is None:
        pytest.skip("no iptables here")
    a, b, c = network(3)
    order = {"kind": "partition", "pod_uid": a.pod_uid, "peers": [b.ip], "ttl_seconds": 60}
    probe = {"pod_uid": a.pod_uid, "endpoints": [[b.ip, 30333], [c.ip, 30333]], "timeout_seconds": 0.5}

    def outcomes():
        return [p["outcome"] for p in agent.http.post("/probe", json=probe).json()["probes"]]

    assert outcomes() == ["connected", "connected"]
    assert agent.http.put("/faults/x", json=order).status_code == 200
    assert outcomes() == ["timeout", "connected"]
    agent.http.delete("/faults/x")
    assert outcomes() == ["connected", "connected"]


def test_thirty_pods_are_paused_at_once_within_seconds(agent, bench):
    containers = [bench.start("exec sleep 1000") for _ in range(30)]
    start = time.monotonic()

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda pair: agent.pause(pair[1], name=f"x{pair[0]}"), enumerate(containers)))
    assert {answer.status_code for answer in answers} == {200}
    assert time.monotonic() - start < 5
    assert {container.state() for container in containers} == {"T"}
