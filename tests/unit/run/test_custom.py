"""What a run notes of a custom resource's status: whose clock a moment is of, and when the run saw it."""

import threading
from datetime import UTC, datetime
from itertools import repeat

import pytest

from orchestrator.errors import ClusterError, InfrastructureError
from orchestrator.run import custom as custom_module
from orchestrator.run.background import Background
from orchestrator.run.custom import Disturbance
from orchestrator.spec import Stage
from orchestrator.spec.status import ExperimentStatus, UpgradeStatus
from tests.unit.gates.building import gate

NOW = 1_700_000_060.0
MINUTE_AGO = {"confirmedAt": "2023-11-14T22:13:20.250Z", "nodes": ["validator-2"]}
RECOVERED = {"phase": "Recovered", "recoverStartedAt": "2023-11-14T22:13:21Z", "recoveredAt": "2023-11-14T22:13:22Z"}
STAGE = Stage.model_validate(
    {
        "name": "a",
        "experiment": {"pause": {"target": {"authorities": "one"}}, "duration": "30s"},
        "gates": [gate(atMost=1)],
    }
)


class Cluster:
    """Shows these statuses one after the other, the last for ever; an error is raised in its place."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)

    def watch(self, *_, **__):
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, Exception):
            raise status
        yield "MODIFIED", {"status": status}


@pytest.fixture(autouse=True)
def _our_clock(monkeypatch):
    monkeypatch.setattr(custom_module.time, "time", lambda: NOW)


def follow(*statuses, record=None, stop=lambda: False, patience=10.0):
    events = []
    disturbance = Disturbance(Cluster(*statuses), "n", STAGE, record or events.append)
    return disturbance.follow(lambda _: None, patience=patience, stop=stop), events


def test_a_moment_is_of_the_controllers_clock_and_was_noticed_by_ours():
    good, events = follow({"phase": "Active"} | MINUTE_AGO, MINUTE_AGO | RECOVERED)
    assert good
    assert [(event.name, event.at, event.noticed) for event in events] == [
        ("inject.confirmed", NOW - 59.75, NOW),
        ("recover.start", NOW - 59, NOW),
        ("recover.confirmed", NOW - 58, NOW),
    ]


@pytest.mark.parametrize("kind", [ExperimentStatus, UpgradeStatus])
def test_what_the_controller_writes_keeps_its_milliseconds(kind):
    """A fault of a few seconds, or its recovery, would be measured a second too short or too long."""
    moments = {name: field for name, field in kind.model_fields.items() if name.endswith("_at")}
    at = datetime.fromtimestamp(NOW - 0.75, tz=UTC)
    written = kind(**dict.fromkeys(moments, at)).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert {custom_module._moment(written[field.alias]) for field in moments.values()} == {NOW - 0.75}


def test_what_the_run_dates_itself_was_not_noticed():
    good, (event,) = follow({"phase": "Failed", "cause": "no such node"})
    assert not good
    assert (event.name, event.at, event.noticed) == ("experiment.failed", 0.0, None)


def test_moments_are_noticed_while_it_is_judged_whether_to_stop():
    noted, judged = threading.Event(), []

    def stop():
        judged.append(noted.wait(10))
        return True

    assert follow({"phase": "Active"} | MINUTE_AGO, record=lambda _: noted.set(), stop=stop)[0]
    assert judged == [True]


@pytest.mark.parametrize("time", ["yesterday", "2023-11-14T22:13:20", 17, {"seconds": 1}])
def test_a_time_that_is_none_is_told_and_the_rest_is_noted(time):
    good, events = follow(MINUTE_AGO | RECOVERED | {"confirmedAt": time})
    assert good
    assert [event.name for event in events] == ["moment.unreadable", "recover.start", "recover.confirmed"]
    assert events[0].detail["moment"] == "inject.confirmed"
    assert f"confirmedAt is {time!r}" in events[0].detail["cause"]


@pytest.mark.parametrize("error", [ClusterError("gone"), RuntimeError("odd")])
def test_an_error_while_watching_ends_the_run(error):
    with pytest.raises(type(error)):
        follow({"phase": "Active"}, error)


def test_an_error_while_recording_ends_the_run():
    def full(_):
        raise InfrastructureError("No space left on device")

    with pytest.raises(InfrastructureError, match="No space"):
        follow({"phase": "Active"} | MINUTE_AGO, record=full)


def test_what_never_ends_is_told_when_patience_ends():
    with pytest.raises(InfrastructureError, match="did not end within 0 s") as raised:
        follow({"phase": "Active"}, patience=0.0)
    assert "kubectl -n n describe chaosexperiment a" in raised.value.hint


class TestWorkInTheBackground:
    def test_ends_with_its_block(self):
        with Background(repeat(None)) as work:
            assert not work.ended(0.0)
        assert not work._thread.is_alive()

    def test_that_fails_is_told_at_the_end_of_its_block_too(self):
        def broken():
            yield
            raise KeyError("odd")

        work = Background(broken())
        with pytest.raises(KeyError), work:
            work._thread.join()

    def test_that_fails_hides_no_other_error(self):
        def broken():
            raise KeyError("odd")
            yield

        work = Background(broken())
        with pytest.raises(ZeroDivisionError), work:  # noqa: PT012
            work._thread.join()
            raise ZeroDivisionError
