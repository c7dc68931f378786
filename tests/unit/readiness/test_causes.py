"""What a node that does not come up is said to suffer from."""

from types import SimpleNamespace

import pytest

from orchestrator.errors import ReadinessError
from orchestrator.readiness import causes, rungs
from orchestrator.readiness.access import Access

EYRE = """2026-11-23 17:03:27 Essential task `txpool-background` failed. Shutting down service.
Error:
   0: \x1b[91mVersion of worker binary () is different from node version (1.24.0)\x1b[0m

Backtrace omitted. Run with RUST_BACKTRACE=1 environment variable to display it.
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (EYRE, "Error: 0: Version of worker binary () is different from node version (1.24.0)"),
        ("Error: NetworkKeyNotFound(/data/key)\n", "Error: NetworkKeyNotFound(/data/key)"),
        ("12:00 ERROR peer misbehaved\nThread 'main' panicked at x.rs\nnote: bye", "Thread 'main' panicked at x.rs"),
        ("12:00 ERROR first\n12:01 ERROR last\n", "12:01 ERROR last"),
        ("12:00 INFO Idle, no Errors: 0\n", None),
        ("", None),
    ],
)
def test_the_cause_is_what_the_process_said_as_it_ended(log, told):
    assert causes.cause(log) == told


def pod(name, restarts, reason="CrashLoopBackOff"):
    state = {"waiting": {"reason": reason, "message": "back-off"}}
    return {
        "metadata": {"name": name},
        "status": {"containerStatuses": [{"name": "node", "restartCount": restarts, "state": state}]},
    }


class Logs(Access):
    """Each node's logs: of the process that runs, and of the one before."""

    def __init__(self, **logs):
        self.nodes = tuple(SimpleNamespace(name=name, chain="relay", role="validator") for name in logs)
        self._logs = logs

    def logs(self, node, _=200):
        yield from self._logs[node.name]


def looks(access, *pods):
    cluster = SimpleNamespace(list=lambda kind, *_: list(pods) if kind == "Pod" else [])
    testnet = SimpleNamespace(namespace="n", spec=SimpleNamespace(parachains=()))
    return rungs._Looks(cluster, SimpleNamespace(testnet=testnet), access)


def test_a_node_that_keeps_ending_is_given_up_with_the_words_of_the_process_before():
    access = Logs(a=["", EYRE])
    with pytest.raises(ReadinessError, match=r"gave up after 4 restarts: a \(CrashLoopBackOff: back-off\)") as raised:
        looks(access, pod("a", 4)).pods()
    assert raised.value.hint.startswith("a: Error: 0: Version of worker binary ()")


@pytest.mark.parametrize("seen", [pod("a", 3), pod("a", 9, "ContainerCreating")])
def test_one_that_ended_seldom_or_long_ago_is_waited_for(seen):
    assert set(looks(Logs(a=[EYRE]), seen).pods()) == {"a"}
