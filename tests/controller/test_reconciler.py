"""What the shell adds to the plan: the status is written before the deed, once, and a lost write holds deeds back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chaos.reconciler import ActionRunner, Surroundings, reconciler
from chaos.scene import End, Place
from orchestrator.errors import ClusterError

from .simulation import KILL, PAUSE, START, quickstart, spec


class FakeCluster:
    """One experiment's status and the pods; `calls` in the order in which they came."""

    def __init__(self, calls):
        self.calls = calls
        self.status = {}
        self.failing = 0
        self.pods = {}

    def patch(self, kind, name, _namespace, patch, *, subresource):
        assert (kind, name, subresource) == ("ChaosExperiment", "test", "status")
        if self.failing:
            raise ClusterError("no", status=self.failing)
        self.calls.append("write")
        self.status = {k: v for k, v in {**self.status, **patch["status"]}.items() if v is not None}

    def delete(self, _kind, name, *, grace, uid):
        assert grace == 0
        if self.pods.get(name) != uid:
            raise ClusterError("the UID in the precondition is another", status=409)
        self.calls.append(f"delete {name}")
        return True


class Shell:
    """The real reconciler on a simulated network."""

    def __init__(self, fault, **more):
        self.simulation = quickstart(spec(**fault))
        self.calls = []
        self.cluster = FakeCluster(self.calls)
        self.cluster.pods = {name: node.pod_uid for name, node in self.simulation.nodes.items()}
        self.now = START
        body = {
            "metadata": {"name": "test", "uid": self.simulation.experiment.uid, "generation": 1},
            "spec": self.simulation.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
            **more,
        }
        self.runner = ActionRunner(self.cluster, self, ThreadPoolExecutor(4))
        self.one = reconciler(body, self.runner)
        self.one.clock = lambda: self.now

    def act(self, action, _agent):
        """In the place of the agents."""
        self.calls.append(type(action).__name__)
        return self.simulation._act(action)

    def step(self):
        self.now += timedelta(seconds=0.5)
        self.simulation.now = self.now
        around = Surroundings(dict(self.simulation.nodes), dict.fromkeys(self.simulation.agents), {})
        return self.one.step(around)

    def until(self, phase, limit=200):
        for _ in range(limit):
            if self.one.phase == phase:
                return
            self.step()
        raise AssertionError(f"{self.one.phase}, not {phase}: {self.one.status.cause}")


@pytest.fixture
def shell():
    made = []

    def make(fault, **more):
        made.append(Shell(fault, **more))
        return made[-1]

    yield make
    for one in made:
        one.runner.threads.shutdown()


def test_the_ledger_is_written_before_the_first_fault_is_placed(shell):
    it = shell(PAUSE)
    it.until("Active")
    assert "write" in it.calls[: it.calls.index("Place")]
    assert len(it.cluster.status["ledger"]) == 2


def test_nothing_is_placed_while_the_status_cannot_be_written(shell):
    it = shell(PAUSE)
    it.until("Injecting")
    it.cluster.failing = 503
    for _ in range(5):
        it.step()
    assert not it.simulation.in_place()
    it.cluster.failing = 0
    it.until("Active")


def test_recovery_goes_on_while_the_status_cannot_be_written(shell):
    it = shell(PAUSE)
    it.until("Active")
    it.one.mark_deleted()
    it.cluster.failing = 503
    for _ in range(5):
        it.step()
    assert not it.simulation.in_place()
    assert not it.one.ended, "not before it is on record"
    it.cluster.failing = 0
    it.step()
    assert it.cluster.status["phase"] == "Recovered"
    assert it.one.ended


def test_an_object_that_was_torn_away_is_recovered_all_the_same(shell):
    it = shell(PAUSE)
    it.until("Active")
    it.cluster.failing = 404
    del it.simulation.nodes[it.one.status.nodes[0]]  # Something changes, so that a write is due.
    for _ in range(8):
        it.step()
    assert not it.simulation.in_place()
    assert it.one.ended


def test_while_nothing_changes_nothing_is_written(shell):
    it = shell(PAUSE)
    it.until("Active")
    it.step()
    it.calls.clear()
    for _ in range(10):
        it.step()
    assert "write" not in it.calls


def test_the_status_on_the_api_server_is_enough_to_go_on(shell):
    it = shell(PAUSE)
    it.until("Active")
    successor = shell(PAUSE, status=it.cluster.status)
    successor.simulation.agents = it.simulation.agents
    successor.now = it.now
    assert successor.one.phase == "Active"
    assert successor.one.status == it.one.status
    successor.until("Recovered")
    assert not successor.simulation.in_place()


def test_a_pod_that_was_replaced_meanwhile_is_not_deleted(shell):
    it = shell(KILL)
    it.cluster.pods["validator-0"] = "somebody else"
    it.until("Injecting")
    it.step()
    assert [call for call in it.calls if call.startswith("delete")] == ["delete validator-3"]


def test_a_step_says_when_the_next_is_due(shell):
    it = shell(PAUSE)
    it.until("Active")
    assert it.step() <= 1.0
    it.now = it.one.status.confirmed_at + timedelta(seconds=19)
    assert 0.4 < it.step() <= 0.5


def test_actions_of_a_step_are_answered_in_their_order(shell):
    it = shell(PAUSE)
    it.until("Recovering")
    it.step()
    ends = [outcome.action for outcome in it.one._outcomes]
    assert all(isinstance(action, End) for action in ends)
    assert not any(isinstance(action, Place) for action in ends)
