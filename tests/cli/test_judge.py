"""`coalmine judge`: the verdict again, offline, and what differs from the first."""

import pytest
import yaml

from orchestrator.cli import _guarded
from orchestrator.journal import JournalWriter
from tests.unit.gates import synthetic
from tests.unit.gates.synthetic import QUICKSTART


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "quickstart-1"
    with JournalWriter(directory / "journal.jsonl", lambda: 1.0) as writer:
        for entry in synthetic.run().entries:
            writer.record(entry)
    return directory


def changed(tmp_path, change):
    """The quickstart's file with another first gate of the baseline that is about finality's lag."""
    documents = list(yaml.safe_load_all(QUICKSTART.read_text().replace("on: {", "'on': {")))
    gate = next(g for g in documents[1]["spec"]["stages"][0]["gates"] if g["name"] == "finality-close")
    change(gate)
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)


def judge(*arguments):
    return _guarded(["judge", *map(str, arguments)])


def test_says_the_same_again(run, capsys):
    assert judge(run) == 0
    assert "every gate says what it said first" in capsys.readouterr().err


def test_shows_what_another_threshold_changes(run, tmp_path, capsys):
    assert judge(run, "--gates", changed(tmp_path, lambda gate: gate.update(atMost=2))) == 1
    said = capsys.readouterr().err
    assert "baseline / finality-close: PASSED -> FAILED" in said
    assert "asked was atMost 2" in said


def test_shows_what_another_window_changes(run, tmp_path, capsys):
    assert judge(run, "--gates", changed(tmp_path, lambda gate: gate.update(window={"from": "run.start"}))) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "baseline / finality-close: PASSED -> INCONCLUSIVE: the recorded samples do not reach" in said


def test_compares_with_a_run_that_is_kept_beside_it(run, tmp_path, capsys):
    def no_worse(gate):
        del gate["atMost"]
        gate["noWorseThan"] = {"run": "quickstart-1", "percent": "10%"}

    assert judge(run, "--gates", changed(tmp_path, no_worse)) == 0
    assert "every gate says what it said first" in capsys.readouterr().err
