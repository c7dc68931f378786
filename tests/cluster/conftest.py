"""A network in the session's cluster, shared by the tests of this folder. Each test leaves it as it found it."""

import os
import sys

import pytest

from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.provision import network as networks
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.spec import Testnet

NAME = f"suite-{os.getpid()}"
"""The network's name. It is unique to this session, so that two sessions can use one lab."""


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/cluster/" in str(item.path):
            item.add_marker(pytest.mark.cluster)


def say(line):
    sys.stderr.write(line + "\n")


def small(name, *, validators=4, collators=2):
    """A small Testnet with slots of one second."""
    relay = [{"name": "validator", "count": validators}, {"name": "bootnode", "role": "bootnode", "count": 1}]
    para = {"id": 2000, "name": "nest", "groups": [{"name": "collator", "count": collators}]}
    return Testnet.model_validate(
        {
            "kind": "Testnet",
            "metadata": {"name": name},
            "spec": {
                "relaychain": {
                    "slot": "1s",
                    "sessionBlocks": 6,
                    "runtime": {"model": {"specName": "canary", "specVersion": 1}},
                    "groups": relay,
                },
                "parachains": [{**para, "runtime": {"model": {"specName": "nest", "specVersion": 1}}}]
                if collators
                else [],
            },
        }
    )


@pytest.fixture(scope="session")
def network(cluster, images):
    """A network that is up and ready, shared by all tests. Each test leaves it as it found it."""
    engine = EmbeddedEngine(cluster)
    planned = networks.up(cluster, engine, small(NAME), images, say)
    try:
        ladder.climb(cluster, planned, say)
        yield planned
    finally:
        networks.down(cluster, engine, NAME, say)


@pytest.fixture
def access(cluster, network):
    return Access(cluster, network)
