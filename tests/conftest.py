"""A real cluster for all tests that need one: a lab of their own, ended with the session.

COALMINE_TEST_LAB names a lab that runs already and is left running, for whoever works on a test.
"""

import os
import sys

import pytest

from orchestrator import lab as labs
from orchestrator.render import Images


def say(line):
    sys.stderr.write(line + "\n")


@pytest.fixture(scope="session")
def lab():
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    with labs.running(os.environ.get("COALMINE_TEST_LAB", "tests"), progress=say) as running:
        yield running


@pytest.fixture(scope="session")
def images(lab):
    coalmine, prometheus = lab.images(say)
    return Images(coalmine=coalmine.reference, prometheus=prometheus.reference)


@pytest.fixture(scope="session")
def cluster(lab):
    return lab.cluster()
