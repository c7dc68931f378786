"""Objects in the order of what they need, and no further after a failure."""

import threading
import time

import pytest

from orchestrator.engine import program
from orchestrator.engine.ordered import Ordered
from orchestrator.engine.ownership import WORKERS
from orchestrator.engine.port import Change
from orchestrator.errors import ClusterError
from tests.unit.engine.test_program import manifests


def acted(action, groups=12):
    """The keys in the order in which the action was over, and what came of it."""
    over, lock = [], threading.Lock()

    def act(manifest):
        action(manifest, over)
        with lock:
            over.append(manifest.key)
        return Change(manifest.key, "create")

    with Ordered(act) as ordered:
        for manifest in sorted(manifests(groups), key=lambda manifest: program.wave(manifest.kind)):
            ordered.take(manifest)
        return over, ordered


def test_nothing_is_begun_before_what_it_needs_is_over():
    early = []
    known = {manifest.key: manifest.document for manifest in manifests(12)}

    def slow(manifest, over):
        early.extend(set(program.needs(manifest.document, known)) - set(over) - {manifest.key})
        time.sleep(0.001 * (len(manifest.key) % 4))  # Workers pass each other.

    over, ordered = acted(slow)
    assert early == []
    assert set(ordered.changes()) == set(over) == set(known)


def test_many_are_under_way_at_once():
    together = threading.Barrier(WORKERS, timeout=10)
    left = iter(range(WORKERS))

    def meet(manifest, _):
        if manifest.kind == "Service" and next(left, None) is not None:
            together.wait()

    acted(meet, groups=40)


def test_after_a_failure_nothing_more_is_begun_and_it_is_told():
    def fail(manifest, _):
        if manifest.kind == "Service":
            raise ClusterError(f"no {manifest.key}")

    over, ordered = acted(fail, groups=40)
    with pytest.raises(ClusterError, match="no Service/"):
        ordered.changes()
    assert not any(key.startswith("StatefulSet/") for key in over)


def test_a_block_that_is_left_by_an_error_begins_nothing_more():
    begun, held = [], threading.Event()

    def slow(manifest):
        begun.append(manifest.key)
        held.wait(5)
        return Change(manifest.key, "create")

    def interrupted():
        with Ordered(slow) as ordered:
            for manifest in manifests(40):
                ordered.take(manifest)
            threading.Timer(0.1, held.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(begun) <= WORKERS
