"""Provides a real cluster for the tests that need one, and assigns tests to workers.

The cluster is a lab that ends with the session. To work on a test, name a running lab in COALMINE_TEST_LAB. It is used
instead, and left running.
"""

import gc
import os
import signal
import sys

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from orchestrator import lab as labs
from orchestrator.render import Images
from tests.budget import schedules

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Programs that the tests start are interrupted by them, also where a shell has put the suite in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.pace"]

settings.register_profile("suite", max_examples=schedules(25), deadline=None)  # Being slow is not a failure.
settings.load_profile("suite")

QUEUES = (
    tuple(
        f"tests/cluster/test_{name}.py"
        for name in ("rehearsal", "experiments", "readiness", "state", "upgrades", "examples")
    ),
    (
        "tests/cluster/",
        "tests/real/test_small_network.py",
        "tests/real/test_network.py",
        "tests/real/test_starved_machine.py",
    ),
)
"""Tests that need a lab, by the prefix of their ids, in the order in which they run.

Each queue has its own worker and lab. Two cores can run two labs, but not more. The tests of the first queue share one
network; those of the second bring up their own. The queues take about the same time. Whole rehearsals come first: their
gates need samples without a gap, and nothing else runs in their lab then, nor a real network in the other.
"""

BEHIND = 5
"""How much nicer tests without a lab are, so that those with one do not lose scrapes to them on two cores."""

ALONE = "tests/cluster/test_lab.py"
"""Tests that start labs of their own, so any worker may run them."""

TOGETHER = ("tests/container/", "tests/real/played/")
"""Folders whose tests share something that takes long to set up. One worker runs all tests of a folder."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Gives each queue a worker. Other files go to the remaining workers, and to these when their queue is done."""

    class Queues(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return _scope(nodeid)

    return Queues(config, log)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.nodeid))


def pytest_runtest_setup(item):
    if os.geteuid() == 0:  # Others cannot take it back, and have no lab either.
        behind = not item.nodeid.startswith("tests/cluster/") and _place(item.nodeid)[0] == len(QUEUES)
        os.setpriority(os.PRIO_PROCESS, 0, BEHIND if behind else 0)


def pytest_collection_finish():
    """Tells the garbage collector that what was collected stays, so it does not look at it again and again."""
    gc.freeze()


def _scope(nodeid):
    """The unit that one worker runs as a whole: a queue, a folder, or a file."""
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
