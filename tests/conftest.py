"""A real cluster for all tests that need one: a lab of their own, ended with the session; and who runs beside whom.

COALMINE_TEST_LAB names a lab that runs already and is left running, for whoever works on a test.
"""

import os
import sys

import pytest
from xdist.scheduler import LoadScopeScheduling

from orchestrator import lab as labs
from orchestrator.render import Images

PROCESSES = ("tests/real/played/", "tests/real/test_onboarding.py", "tests/real/test_upgrade_logic.py")
FIRST_LAB = tuple(
    f"tests/cluster/test_{name}.py" for name in ("experiments", "secrets", "snapshots", "state", "upgrades")
)
QUEUES = (PROCESSES + FIRST_LAB, ("tests/cluster/", "tests/real/test_network.py"))
"""What runs nodes in real time, by the beginning of its name, in the order in which it runs.

Two such queues are all that two cores bear. They are about as long up to the real network in the lab, which needs all
of the machine and is the tail of the second.
"""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Under `-n` each queue has a worker, and so a lab, of its own; all other files are spread beside them."""

    class Queues(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return _shared(nodeid)

    return Queues(config, log)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.nodeid))


def _shared(nodeid):
    """What all tests have in common that one worker runs: a queue, a Docker engine, or a file."""
    queue, _ = _place(nodeid)
    if queue < len(QUEUES):
        return f"queue {queue}"
    return "engine" if nodeid.startswith("tests/container/") else nodeid.partition("::")[0]


def _place(nodeid):
    """A test's queue and its place in that; after all queues when it is in none."""
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
