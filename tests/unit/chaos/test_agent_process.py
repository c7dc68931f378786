"""The agent as it runs: a process of its own, asked over HTTP, killed and started again."""

import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chaos.agent.partition import supported_backend

from .conftest import NAMESPACE, eventually

pytestmark = pytest.mark.live


SLOW = 5.0
"""By how many seconds the controller's clock is behind, in these tests."""


class Controller(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(time.time() - SLOW).encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def controller():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Controller)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/time"
    server.shutdown()
    server.server_close()


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Agent:
    def __init__(self, bench, tmp_path, controller):
        self.port, self.metrics_port = free_port(), free_port()
        token = tmp_path / "token"
        token.write_text("s3cret\n")
        self.env = {
            **os.environ,
            "POD_NAMESPACE": NAMESPACE,
            "COALMINE_TOKEN_FILE": str(token),
            "COALMINE_LEDGER": str(tmp_path / "ledger"),
            "COALMINE_HOST_NETWORK": str(bench.machine.host_network),
            "COALMINE_AGENT_PORT": str(self.port),
            "COALMINE_METRICS_PORT": str(self.metrics_port),
            "COALMINE_CLOCK": controller,
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

    def shown(self):
        """The agent's metrics: names of nodes with a value, by metric."""
        found = {}
        for line in httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text.splitlines():
            if match := re.match(r'(\w+)\{.*node="([^"]+)".*\} (\S+)', line):
                found.setdefault(match[1], {})[match[2]] = float(match[3])
        return found

    def stop(self, number):
        self.process.send_signal(number)
        self.process.wait(20)

    def pause(self, container, name="x", ttl=60):
        order = {"kind": "pause", "pod_uid": container.pod_uid, "container_id": container.container_id}
        return self.http.put(f"/faults/{name}", json={**order, "ttl_seconds": ttl}, timeout=30)


@pytest.fixture
def agent(bench, tmp_path, controller):
    agent = Agent(bench, tmp_path, controller)
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


def test_metrics_are_on_a_port_of_their_own_which_takes_no_orders(agent):
    assert httpx.get(f"http://127.0.0.1:{agent.metrics_port}/metrics").status_code == 200
    for path in ("/faults", "/healthz"):
        assert httpx.get(f"http://127.0.0.1:{agent.metrics_port}{path}").status_code == 404
    assert httpx.get(f"http://127.0.0.1:{agent.port}/metrics").status_code == 401


def test_a_nodes_figures_and_its_machines_clock_are_shown_while_it_is_here(agent, bench):
    identity = '{"group": "validator", "role": "validator", "chains": ["relay"]}'
    container = bench.start(f"export POD_NAME=validator-0 COALMINE_NODE='{identity}'; exec sleep 1000")
    eventually(lambda: "coalmine_node_cpu_wait_ratio" in agent.shown())
    shown = agent.shown()
    assert shown["coalmine_node_cpu_wait_ratio"]["validator-0"] < 1
    error = shown["coalmine_machine_clock_offset_error_seconds"]["validator-0"]
    assert abs(shown["coalmine_machine_clock_offset_seconds"]["validator-0"] - SLOW) <= error + 0.001
    os.kill(container.pid, signal.SIGKILL)
    container.process.wait()
    eventually(lambda: not agent.shown())


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
