"""A stage in virtual time: when it ends, what an early end undoes first, and that its journal says the same again."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from orchestrator.errors import InfrastructureError
from orchestrator.gates.judge import judge
from orchestrator.gates.ports import Lines, Sources
from orchestrator.gates.timeline import Pace
from orchestrator.journal import Clock, Event, Journal, JournalWriter, RunFinished, RunStarted
from orchestrator.run import chronicle as chronicle_module
from orchestrator.run import custom as custom_module
from orchestrator.run import stage as stage_module
from orchestrator.run.chronicle import Chronicle
from orchestrator.run.stage import StageRun
from orchestrator.spec import Stage
from tests.unit.gates import synthetic
from tests.unit.gates.building import gate
from tests.unit.gates.synthetic import NODES, SESSION, SLOT, START, Network

LAG = {"signal": "finality-lag", "on": {"chain": "relay"}, "atMost": 5}


class Time:
    """Passes when somebody sleeps; a clock entry is noted every second."""

    def __init__(self):
        self.now = START + 20.0
        self.every_second = lambda: None
        self.slept = []

    def time(self):
        return self.now

    monotonic = time

    def sleep(self, seconds):
        self.slept.append(seconds)
        end = self.now + seconds
        while int(self.now) < int(end):
            self.now = float(int(self.now) + 1)
            self.every_second()
        self.now = end


class FakeCluster:
    """Has one experiment, which goes its way by the clock; what was done to it is in `log`."""

    def __init__(self, time):
        self.time, self.log, self.applied = time, [], None

    def apply(self, _):
        self.applied = self.time.now
        self.log.append(("applied", self.time.now))

    def delete(self, *_):
        self.log.append(("deleted", self.time.now))

    def get(self, *_):
        return None

    def watch(self, *_, timeout):
        self.time.sleep(timeout)
        status = {"phase": "Active", "confirmedAt": iso(self.applied + 1), "nodes": ["validator-2"]}
        if self.time.now > self.applied + 33:
            status |= {
                "phase": "Recovered", "recoverStartedAt": iso(self.applied + 31), "recoveredAt": iso(self.applied + 32),
            }  # fmt: skip
        yield "MODIFIED", {"status": status}


class InTurn:
    """`Background` without a thread, for virtual time: a step is done whenever somebody waits for the end."""

    def __init__(self, steps):
        self.steps = steps

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ended(self, _):
        return next(self.steps, self) is self


def iso(seconds):
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()


@pytest.fixture
def time(monkeypatch):
    found = Time()
    for module in (stage_module, chronicle_module, custom_module):
        monkeypatch.setattr(module, "time", found)
    monkeypatch.setattr(custom_module, "Background", InTurn)
    return found


@pytest.fixture
def run(time, tmp_path):
    """Runs a stage of these gates on a network of the past; the journal is closed and read again."""

    def run(*gates, network=None, sound=lambda: None, **words):
        network = network or Network()
        network.clock = time.time
        network.finalized_height = lambda _, chain: network.final(time.now, chain)
        stage = Stage.model_validate({"name": "a", "gates": gates, **words})
        loaded = synthetic.rehearsal()
        spec = loaded.rehearsal().spec.model_copy(update={"stages": (stage,)})
        rehearsal = loaded.rehearsal().model_copy(update={"spec": spec})
        path = tmp_path / "journal.jsonl"
        cluster = FakeCluster(time)
        with JournalWriter(path, time.time) as writer:
            sources = Sources(network, network, network, network, NODES, now=time.time)
            chronicle = Chronicle(writer, sources, Pace(SLOT, SESSION))
            chronicle.keep(
                RunStarted(
                    run="r", version="0", testnet=loaded.testnet(), rehearsal=rehearsal, simulated=True, nodes=NODES
                )
            )
            chronicle.keep(Event(name="run.start"))

            def note():
                second = time.now - START
                chronicle.keep(
                    Clock(
                        at=time.now, best=network.best(time.now, "relay"), finalized=network.final(time.now, "relay"),
                        session=int(second / SLOT / SESSION), stamp=time.now - second % SLOT,
                        parachains={"nest": network.final(time.now, "nest")},
                    )
                )  # fmt: skip

            note()
            time.every_second = note
            ended = StageRun(
                stage,
                testnet=loaded.testnet(),
                cluster=cluster,
                sources=sources,
                chronicle=chronicle,
                sound=sound,
                say=lambda _: None,
            ).run()
            chronicle.keep(RunFinished(outcome="completed"))
        journal = Journal.read(path)
        return SimpleNamespace(
            ended=ended,
            journal=journal,
            cluster=cluster,
            length=at(journal, "stage.end") - at(journal, "stage.start"),
            again=[one for one in judge(journal).gates if one.gate in {g.name for g in gates}],
        )

    return run


def at(journal, name):
    return next(event.at for event in journal.all(Event) if event.name == name)


def same(found):
    """What the run said, and what its journal says."""
    assert list(found.ended.verdicts) == found.again
    return [verdict.verdict for verdict in found.again]


def test_a_stage_lasts_as_long_as_it_holds(run):
    found = run(gate(**LAG), hold="30s")
    assert 30 <= found.length < 32
    assert same(found) == ["PASSED"]
    assert found.ended.because == ""


def test_a_stage_waits_for_its_windows(run):
    found = run(gate(**LAG, window={"for": "3 sessions"}), hold="1s")
    assert same(found) == ["PASSED"]
    assert found.length >= 36


def test_a_stage_waits_for_a_session_that_a_window_begins_or_ends_with(run):
    found = run(
        gate(name="from", **LAG, window={"from": "session(+2)", "for": "6s"}),
        gate(name="to", **LAG, window={"to": "session(+1)"}),
        hold="1s",
    )
    assert same(found) == ["PASSED", "PASSED"]
    assert found.length >= 18


def test_a_recovery_that_was_seen_is_not_waited_out(run):
    found = run(gate(signal="finalized-height", on={"chain": "relay"}, recoversWithin="10 sessions"), hold="1s")
    assert same(found) == ["PASSED"]
    assert found.length < 20


class TestAGateThatEndsTheStage:
    """Finality stands still from the fifteenth second on; a lag over five blocks is seen ten seconds later."""

    STALL = (START + 35, START + 500)

    def test_does_so_as_soon_as_it_failed(self, run):
        found = run(gate(**LAG, abortOn="failed"), hold="300s", network=Network(stalls=[self.STALL]))
        assert 20 < found.length < 40
        assert same(found) == ["FAILED"]
        assert found.ended.because == "gate a-gate had failed"
        aborted = next(event for event in found.journal.all(Event) if event.name == "stage.aborted")
        assert "Finality lag was" in aborted.detail["cause"]

    def test_undoes_the_fault_first(self, run):
        found = run(
            gate(**LAG, abortOn="failed"),
            experiment={"pause": {"target": {"authorities": "one"}}, "duration": "30s"},
            network=Network(stalls=[self.STALL]),
        )
        assert same(found) == ["FAILED"]
        (applied, deleted) = found.cluster.log
        assert (applied[0], deleted[0]) == ("applied", "deleted")
        assert deleted[1] < applied[1] + 31
        assert deleted[1] <= at(found.journal, "stage.end")

    def test_does_not_when_nothing_is_wrong(self, run):
        found = run(gate(**LAG, abortOn="failed"), hold="30s")
        assert same(found) == ["PASSED"]
        assert found.length >= 30

    def test_does_not_for_what_only_looks_like_a_failure_so_far(self, run):
        later = gate(signal="finalized-height", on={"chain": "relay"}, increasesBy=20, abortOn="failed")
        found = run(later, hold="60s")
        assert same(found) == ["PASSED"]
        assert found.length >= 60

    def test_leaves_to_the_others_what_was_seen_so_far(self, run):
        found = run(
            gate(name="ends", **LAG, abortOn="failed"),
            gate(name="other", signal="best-height", on={"chain": "relay"}, increasesBy=2),
            gate(name="never", **LAG, window={"for": "250s"}),
            hold="300s",
            network=Network(stalls=[self.STALL]),
        )
        assert same(found) == ["FAILED", "PASSED", "FAILED"]


def test_an_experiment_is_followed_to_its_end(run):
    held = {"from": "inject.confirmed", "to": "recover.start"}
    found = run(
        gate(name="during", **LAG, window=held),
        gate(name="length", measured={"seconds": held}, between={"low": 29, "high": 31}),
        experiment={"pause": {"target": {"authorities": "one"}}, "duration": "30s"},
    )
    assert same(found) == ["PASSED", "PASSED"]
    assert found.again[1].value == 30.0


def test_log_lines_may_end_a_stage_too(run, time):
    network = Network()
    panicked = time.now + 12

    def matching(node, _, since, until):
        hits = tuple(t for t in (panicked,) if node == "validator-1" and since < t <= until)
        return Lines(since=since, hits=hits)

    network.matching = matching
    found = run(gate(logs={"pattern": "panicked"}, atMost=0, abortOn="failed"), hold="300s", network=network)
    assert same(found) == ["FAILED"]
    assert found.length < 25
    assert found.again[0].node == "validator-1"


def test_a_stage_does_not_go_on_without_the_chains_clock(run, time):
    """The clock's thread ended with the first entry that a full disk refused."""

    def sound():
        if time.now > START + 40:
            raise InfrastructureError("the journal cannot be written: No space left on device")

    with pytest.raises(InfrastructureError, match="No space left"):
        run(gate(**LAG), hold="300s", sound=sound)
    assert time.now < START + 45
