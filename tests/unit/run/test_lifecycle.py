"""The life of a run: what its journal says about its end, whatever ended it, and that only a whole run is completed.

Real are the journal, the chronicle, the stage, the poller, the chain clock, the judge and the reports. The network and
the sources of evidence stand for a cluster.
"""

import contextlib
import json
import threading
from itertools import count
from types import SimpleNamespace

import pytest

from orchestrator.errors import InfrastructureError, ProvisionError, UsageError
from orchestrator.gates.ports import Sources
from orchestrator.journal import Event, Journal, JournalWriter
from orchestrator.readiness.ladder import RungReached
from orchestrator.run import catchup, lifecycle, stage
from orchestrator.spec import Stage
from tests.unit.gates import synthetic
from tests.unit.gates.building import gate
from tests.unit.metrics.pages import simulated_text

STAGE = Stage.model_validate(
    {"name": "a", "hold": "50ms", "gates": [gate(name="session", chainRead="session", atLeast=0)]}
)
SCRAPE = 0.02
"""Seconds. A stage waits for two of them, twice."""


class Network(synthetic.Network):
    """A network that is level and counts its sessions."""

    def number(self, *_):
        return 7.0


class Cluster:
    context = "lab"

    def list_all(self, *_, **__):
        return []

    list = list_all


class Access:
    """Nodes at one height. `reader` raises `error`, if there is one."""

    def __init__(self, error=None):
        self.nodes, self.error = synthetic.NODES, error

    def __call__(self, *_, **__):
        return self

    def reader(self, *_):
        if self.error is not None:
            raise self.error
        head = SimpleNamespace(number=7)
        return SimpleNamespace(best=lambda: head, finalized=lambda: head, session=lambda: 1, storage=lambda _: bytes(8))

    def metrics(self, node, *, chain=None):
        return simulated_text("validator" if node.chain == "relay" else "collator" if chain is None else "embedded")


@pytest.fixture
def plan(tmp_path):
    loaded = synthetic.rehearsal()
    spec = loaded.rehearsal().spec.model_copy(update={"stages": (STAGE,)})
    rehearsal = loaded.rehearsal().model_copy(update={"spec": spec})
    return lifecycle.Plan(loaded.testnet(), rehearsal, Cluster(), None, None, tmp_path / "run")


@pytest.fixture(autouse=True)
def access(plan, monkeypatch):
    """The network that is up at once, and the readers of its nodes."""
    access, source = Access(), Network()
    timing = SimpleNamespace(slot=2.0, session_slots=6)
    genesis = SimpleNamespace(chains=(), nodes=synthetic.NODES, timing=timing)
    network = SimpleNamespace(testnet=plan.testnet, genesis=genesis)
    sources = Sources(source, source, source, source, synthetic.NODES, scrape=SCRAPE)
    monkeypatch.setattr(lifecycle.networks, "up", lambda *_: network)
    monkeypatch.setattr(lifecycle.lock, "held", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(lifecycle, "sources", lambda *_: sources)
    monkeypatch.setattr(lifecycle.ladder, "climb", lambda *_: [RungReached("finalising", 0.1)])
    monkeypatch.setattr(lifecycle, "Access", access)
    monkeypatch.setattr(stage, "LOOK", 0.01)
    return access


def rehearse(plan, say=lambda _: None):
    return lifecycle.rehearse(plan, say)


def ended(plan):
    """How the journal says that the run ended, and the verdict in the report."""
    finished = Journal.read(plan.directory / "journal.jsonl").entries[-1]
    reports = plan.directory / "result.json"
    return finished.outcome, finished.detail, json.loads(reports.read_text())["verdict"] if reports.exists() else None


def test_a_whole_run_is_completed(plan):
    verdict = rehearse(plan)
    assert ended(plan)[:2] == ("completed", "")
    assert [(found.gate, found.stage) for found in verdict.gates if found.gate == "session"] == [("session", "a")]
    kinds = [entry.kind for entry in Journal.read(plan.directory / "journal.jsonl").entries]
    assert (kinds[0], kinds[-1], kinds.count("run.started")) == ("run.started", "run.finished", 1)
    assert {"clock", "samples", "measurement", "verdict"} <= set(kinds)


STEPS = {
    "provision": (lifecycle.networks, "up"),
    "lock": (lifecycle.lock, "held"),
    "sources": (lifecycle, "sources"),
    "readiness": (lifecycle.ladder, "climb"),
    "names": (lifecycle.names, "check"),
    "catching up": (catchup, "wait"),
    "stage": (lifecycle.StageRun, "run"),
    "charts": (lifecycle.charts, "collect"),
}
ENDINGS = [
    pytest.param(KeyboardInterrupt(), "interrupted", "", id="ctrl-c"),
    pytest.param(SystemExit(1), "interrupted", "", id="exit"),
    pytest.param(ProvisionError("the API server is gone"), "error", "the API server is gone", id="refused"),
    pytest.param(ZeroDivisionError("a bug"), "error", "ZeroDivisionError: a bug", id="crash"),
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("error", "outcome", "detail"), ENDINGS)
def test_a_run_that_was_ended_at_a_step_says_so(plan, monkeypatch, step, error, outcome, detail):
    def end(*_, **__):
        raise error

    monkeypatch.setattr(*STEPS[step], end)
    with pytest.raises(type(error)) as raised:
        rehearse(plan)
    assert raised.value is error, "what ended the run is told, whatever else then failed"
    verdict = "ERROR" if outcome == "error" else "INCONCLUSIVE"
    assert ended(plan) == (outcome, detail, None if step in {"provision", "lock", "sources"} else verdict)


def interrupted_at(monkeypatch, wanted):
    """Ctrl-C after the main thread has written its entry number `wanted`. Counts the entries that it writes."""
    numbers, record = count(), JournalWriter.record

    def recorded(self, entry):
        written = record(self, entry)
        if threading.current_thread() is threading.main_thread() and next(numbers) == wanted:
            raise KeyboardInterrupt
        return written

    monkeypatch.setattr(JournalWriter, "record", recorded)
    return numbers


def test_an_interrupt_at_any_entry_is_no_completed_run(plan, monkeypatch):
    with monkeypatch.context() as patch:
        numbers = interrupted_at(patch, None)
        rehearse(plan)
        entries = next(numbers)
    assert entries > 12
    for number in range(entries):
        one = lifecycle.Plan(**{name: getattr(plan, name) for name in plan.__slots__})
        object.__setattr__(one, "directory", plan.directory.with_name(f"run-{number}"))
        with monkeypatch.context() as patch:
            interrupted_at(patch, number)
            with pytest.raises(KeyboardInterrupt):
                rehearse(one)
        assert ended(one) == ("interrupted", "", "INCONCLUSIVE"), f"after entry {number} of {entries}"


def test_a_run_whose_clock_died_is_an_error(plan, access):
    access.error = KeyError("number")
    with pytest.raises(KeyError):
        rehearse(plan)
    assert ended(plan)[:2] == ("error", "KeyError: 'number'")


def test_a_run_whose_journal_could_not_be_written_is_an_error_and_not_completed(plan, monkeypatch):
    append = JournalWriter._append

    def full(self, line):
        if b'"measurement"' in line:
            self._broken = "No space left on device"
            raise self._refusal(self._broken)
        append(self, line)

    monkeypatch.setattr(JournalWriter, "_append", full)
    with pytest.raises(InfrastructureError, match="No space left"):
        rehearse(plan)
    assert Journal.read(plan.directory / "journal.jsonl").finished is None


def test_a_directory_that_holds_a_run_is_refused_and_left_as_it_was(plan):
    path = plan.directory / "journal.jsonl"
    with JournalWriter(path, lambda: 1.0) as writer:
        writer.record(Event(name="run.start"))
    before = path.read_bytes()
    with pytest.raises(UsageError, match="holds a run already"):
        rehearse(plan)
    assert {file.name: file.read_bytes() for file in plan.directory.iterdir()} == {"journal.jsonl": before}
