"""`coalmine gates`, and what `validate` says of a file that uses the library."""

import json

import pytest
import yaml

from orchestrator.cli import _guarded
from orchestrator.gates.library import LIBRARY
from orchestrator.journal import JournalWriter
from tests.cli.test_cli import coalmine
from tests.unit.gates import whole
from tests.unit.library import documents


def test_list_has_every_set_and_every_gate():
    shown = coalmine("gates", "list")
    assert shown.returncode == 0
    for name in (*LIBRARY.sets, *LIBRARY.gates, *LIBRARY.concerns):
        assert name in shown.stdout


def test_list_as_json():
    found = json.loads(coalmine("gates", "list", "-o", "json").stdout)
    assert set(found["gates"]) == set(LIBRARY.gates)
    assert "one-chain" in found["sets"]["relay-upgrade"]


def test_a_gate_is_shown_with_its_reasons():
    shown = yaml.safe_load(coalmine("gates", "show", "beefy-follows").stdout)["beefy-follows"]
    assert shown["why"] == LIBRARY.gates["beefy-follows"].why
    assert shown["gate"]["atMost"] == 20


def test_a_set_is_shown_with_what_differs_in_it():
    shown = coalmine("gates", "show", "under-minority-fault").stdout
    assert "gates: [{use: under-minority-fault}]" in shown
    here = yaml.safe_load(shown)["finality-close"]["here"]
    assert here["atMost"] == 8
    assert here["window"]["from"] == "inject.confirmed"


def test_what_is_not_there_is_a_mistake_of_usage():
    done = coalmine("gates", "show", "finalty")
    assert done.returncode == 2
    assert "no set or gate finalty" in done.stderr


def test_validate_says_what_a_set_leaves_out(tmp_path):
    file = documents.written(tmp_path, documents.network(), documents.rehearsal(documents.of_set("baseline")))
    done = coalmine("validate", str(file))
    assert done.returncode == 0
    assert "baseline goes without beefy-follows: the simulated client has no substrate_beefy_best_block" in done.stderr


def test_validate_tells_a_mistake_at_the_line_of_the_use(tmp_path):
    file = documents.written(
        tmp_path, documents.network(), documents.rehearsal(documents.stage({"use": "baselin"}, {"use": "one-chain"}))
    )
    done = coalmine("validate", str(file))
    assert done.returncode == 2
    line = file.read_text().splitlines().index("    - use: baselin") + 1
    assert f"all.yaml:{line}" in done.stderr


WELL = {"use": "baseline"}, {"use": "every-author-authors"}
"""Gates that together notice all that may befall a network that nobody disturbs."""


class TestMutate:
    """What the gates of a run, or of another file, notice of the run as it might have been."""

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, tmp_path_factory):
        directory = tmp_path_factory.mktemp("runs") / "calm-1"
        directory.mkdir()
        (directory / "own.yaml").write_text(whole.document(*WELL, hold="90s"))
        with JournalWriter(directory / "journal.jsonl", lambda: 1.0) as writer:
            for entry in whole.run(directory / "own.yaml").entries:
                writer.record(entry)
        return directory

    @pytest.fixture
    def other(self, tmp_path):
        def write(*gates):
            path = tmp_path / "other.yaml"
            path.write_text(whole.document(*gates, hold="90s"))
            return str(path)

        return write

    def test_a_file_that_notices_every_degradation_is_good(self, run, capsys):
        assert _guarded(["gates", "mutate", str(run), "-o", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["missed"], found["changes"]) == (0, len(found["found"]))
        assert found["noticed"] == sum(bool(one["failed"]) for one in found["found"]) > 100

    def test_what_a_file_does_not_notice_is_listed_with_the_gate_that_would(self, run, other, capsys):
        assert _guarded(["gates", "mutate", str(run), "--gates", other({"use": "finality-progresses"})]) == 1
        shown = capsys.readouterr().out
        assert "What no gate of quickstart notices" in shown
        (row,) = [line for line in shown.splitlines() if "runs a runtime that panics" in line]
        assert row.split("calm")[1].strip() == "no-panics"
        assert "changes: " in shown
        assert "% of the degradations are noticed" in shown

    def test_gates_that_the_run_does_not_pass_are_refused(self, run, other, capsys):
        strict = {"name": "strict", "signal": "finality-lag", "on": {"chain": "relay"}, "atMost": 0}
        assert _guarded(["gates", "mutate", str(run), "--gates", other(strict)]) == 2
        assert "the run does not pass these gates as it is: calm / strict" in capsys.readouterr().err

    def test_what_is_no_run_is_refused(self, tmp_path, capsys):
        assert _guarded(["gates", "mutate", str(tmp_path)]) == 2
        assert "is not a run" in capsys.readouterr().err
