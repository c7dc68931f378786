"""`coalmine gates`, and what `validate` says of a file that uses the library."""

import json

import yaml

from orchestrator.gates.library import LIBRARY
from tests.cli.test_cli import coalmine
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
