"""`coalmine judge`: the verdict again, offline, and what differs from the first."""

import json
import re
import shlex
import shutil

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


class TestOtherGates:
    """That leave out a gate of the run, whose verdict then still counts."""

    @pytest.fixture
    def failed(self, tmp_path):
        directory = tmp_path / "runs" / "quickstart-2"
        with JournalWriter(directory / "journal.jsonl", lambda: 1.0) as writer:
            for entry in synthetic.run(network=synthetic.Network(lag=8)).entries:
                writer.record(entry)
        return directory

    def without(self, tmp_path):
        documents = list(yaml.safe_load_all(QUICKSTART.read_text().replace("on: {", "'on': {")))
        for stage in documents[1]["spec"]["stages"]:
            stage["gates"] = [gate for gate in stage["gates"] if gate.get("signal") != "finality-lag"]
        documents[1]["spec"]["stages"] = [stage for stage in documents[1]["spec"]["stages"] if stage["gates"]]
        path = tmp_path / "other.yaml"
        path.write_text(yaml.safe_dump_all(documents))
        return path

    def test_do_not_pass_what_failed(self, failed, tmp_path, capsys):
        assert judge(failed, "--gates", self.without(tmp_path)) == 1
        said = capsys.readouterr()
        assert "baseline / finality-close: a gate of the run that" in said.err
        assert "it counts: FAILED" in said.err
        assert "FAILED" in said.out

    def test_say_so_to_programs_too(self, failed, tmp_path, capsys):
        assert judge(failed, "--gates", self.without(tmp_path), "-o", "json") == 1
        found = json.loads(capsys.readouterr().out)
        assert (found["verdict"], found["exitCode"]) == ("FAILED", 1)
        assert "finality-close" in {gate["gate"] for gate in found["gates"]}


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


@pytest.fixture
def inside(run, tmp_path, monkeypatch):
    """A run's folder, in which the user stands."""
    kept = tmp_path / "runs" / run.name
    shutil.copytree(run, kept)
    monkeypatch.chdir(kept)
    return kept


def test_the_commands_at_the_foot_of_a_report_work_in_its_folder(inside, capsys):
    assert _guarded(["report", "."]) == 0
    assert capsys.readouterr().out == "report.html\n"
    page = inside / "report.html"
    again, anew = re.findall(r"<code>(coalmine .*?)</code>", page.read_text().split("<footer>")[1])
    written = page.read_text()
    page.unlink()
    assert _guarded(shlex.split(again)[1:]) == 0
    assert "every gate says what it said first" in capsys.readouterr().err
    assert _guarded(shlex.split(anew)[1:]) == 0
    assert page.read_text() == written


def test_finds_the_earlier_run_also_from_inside_the_folder(inside, tmp_path, capsys):
    def no_worse(gate):
        del gate["atMost"]
        gate["noWorseThan"] = {"run": "quickstart-1", "percent": "10%"}

    assert judge(".", "--gates", changed(tmp_path, no_worse)) == 0


def test_links_a_report_to_the_addresses_that_are_named(inside, capsys):
    named = ["--prometheus-url", "https://prometheus.example.org", "--grafana-url", "https://grafana.example.org"]
    assert _guarded(["report", ".", *named]) == 0
    page = (inside / "report.html").read_text()
    assert 'href="https://prometheus.example.org/graph?g0.expr=' in page
    assert 'href="https://grafana.example.org/explore?' in page
    assert _guarded(["report", ".", "--grafana-url", "javascript:alert(1)"]) == 2
    assert "is no address of a page" in capsys.readouterr().err
