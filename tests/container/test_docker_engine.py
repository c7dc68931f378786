"""The engine that tests get: testcontainers finds it, its containers can be reached, and it takes our archives."""

import time
import urllib.request

import pytest
from testcontainers.core.container import DockerContainer

from orchestrator.errors import LabError


@pytest.fixture
def server(engine, images):
    command = ["python3", "-m", "http.server", "8000", "--directory", "/etc"]
    with DockerContainer(images["coalmine"]).with_command(command).with_exposed_ports(8000) as running:
        yield running


def fetch(host, port):
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/hostname", timeout=2) as answer:
                return answer.read().decode().strip()
        except OSError:  # Docker answers for a container that does not listen yet, and hangs up.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_published_port_is_reached_where_the_engine_says(engine, server):
    identity = server.get_wrapped_container().short_id
    # testcontainers reads the environment when it is imported; imported before, it asks for the bridge's own address.
    for host in (engine.published_at, server.get_container_host_ip()):
        assert fetch(host, server.get_exposed_port(8000)) == identity


def test_a_container_is_reached_at_its_own_address(engine, server):
    container = server.get_wrapped_container()
    assert fetch(engine.address(container.id), 8000) == container.short_id


def test_a_container_that_is_not_there_has_no_address(engine):
    with pytest.raises(LabError, match="no container nobody"):
        engine.address("nobody")


def test_an_archive_that_is_none_is_refused(engine, tmp_path):
    (tmp_path / "none.tar").write_bytes(b"not a tar" * 100)
    with pytest.raises(LabError, match="does not take"):
        engine.load(tmp_path / "none.tar")
