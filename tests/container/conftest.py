"""A Docker engine for the tests of this folder: the one that answers, else one in its own namespaces."""

import os
import sys

import pytest

from orchestrator.errors import LabError
from orchestrator.lab import docker_engine, image


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/container/" in str(item.path):
            item.add_marker(pytest.mark.container)


def say(line):
    sys.stderr.write(line + "\n")


@pytest.fixture(scope="package")
def engine():
    if os.geteuid() != 0 and docker_engine.answering() is None:
        pytest.skip("no Docker engine answers, and starting one needs root")
    with docker_engine.engine(say) as running:
        saved = dict(os.environ)  # Other tests of this process must not find the engine.
        os.environ.update(running.environment)
        try:
            yield running
        finally:
            os.environ.clear()
            os.environ.update(saved)


@pytest.fixture(scope="package")
def images(engine):
    """References of the coalmine and Prometheus images, loaded into the engine."""
    made = (image.coalmine(say), image.prometheus(say))
    for item in made:
        try:
            engine.load(item.archive)
        except LabError as error:
            pytest.fail(str(error))
    return {"coalmine": made[0].reference, "prometheus": made[1].reference}
