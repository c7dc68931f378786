"""The life of a run: what its journal says about its end, whatever ended it."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.journal import Event, JournalWriter
from orchestrator.run import lifecycle
from tests.unit.gates import synthetic


@pytest.fixture
def plan(tmp_path):
    loaded = synthetic.rehearsal()
    return lifecycle.Plan(loaded.testnet(), loaded.rehearsal(), None, None, None, tmp_path / "run")


def test_a_directory_that_holds_a_run_is_refused_and_left_as_it_was(plan):
    path = plan.directory / "journal.jsonl"
    with JournalWriter(path, lambda: 1.0) as writer:
        writer.record(Event(name="run.start"))
    before = path.read_bytes()
    with pytest.raises(UsageError, match="holds a run already"):
        lifecycle.rehearse(plan, lambda _: None)
    assert {file.name: file.read_bytes() for file in plan.directory.iterdir()} == {"journal.jsonl": before}
