"""A real cluster for all tests that need one: a lab of their own, ended with the session; and who runs beside whom.

COALMINE_TEST_LAB names a lab that runs already and is left running, for whoever works on a test.
"""

import os
import sys

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from orchestrator import lab as labs
from orchestrator.render import Images
from tests.budget import schedules

pytest_plugins = ["tests.pace"]

settings.register_profile("suite", max_examples=schedules(40), deadline=None)  # A busy machine breaks no law.
settings.load_profile("suite")

QUEUES = (
    tuple(
        f"tests/cluster/test_{name}.py"
        for name in ("experiments", "readiness", "state", "upgrades", "examples", "rehearsal")
    ),
    ("tests/cluster/", "tests/real/test_small_network.py", "tests/real/test_network.py"),
)
"""Tests that need a lab, by the beginning of their names, in the order in which they run.

Each queue has a worker and a lab of its own. Two of them are all that two cores bear. The first shares one network;
the second brings up its own. They take about the same time.
"""

ALONE = "tests/cluster/test_lab.py"
"""Tests that start labs of their own, so any worker may run them."""

TOGETHER = ("tests/container/", "tests/real/played/")
"""Folders whose tests share something dear, so one worker runs them."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Each queue has a worker; all other files are spread over the rest, and over these when they are done."""

    class Queues(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return _scope(nodeid)

    return Queues(config, log)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.nodeid))


def _scope(nodeid):
    """What one worker runs whole: a queue, a folder, or a file."""
    queue, _ = _place(nodeid)
    if queue < len(QUEUES):
        return f"queue {queue}"
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def _place(nodeid):
    """A test's queue and its place in that; after all queues when it is in none."""
    if nodeid.startswith(ALONE):
        return len(QUEUES), 0
    places = ((queue, place) for queue, names in enumerate(QUEUES) for place in range(len(names)))
    return next((at for at in places if nodeid.startswith(QUEUES[at[0]][at[1]])), (len(QUEUES), 0))


def say(line):
    sys.stderr.write(line + "\n")


@pytest.fixture(scope="session")
def lab():
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    own = f"tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    with labs.running(os.environ.get("COALMINE_TEST_LAB", own), progress=say) as running:
        yield running


@pytest.fixture(scope="session")
def images(lab):
    coalmine, prometheus = lab.images(say)
    return Images(coalmine=coalmine.reference, prometheus=prometheus.reference)


@pytest.fixture(scope="session")
def cluster(lab):
    return lab.cluster()
