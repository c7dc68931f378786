"""What is generated is what lies in `dashboards/`, and Prometheus' own tool agrees with the rules."""

import json
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest

from orchestrator.metrics.dashboards import BOARD, RULES, generate
from orchestrator.metrics.signals import CATALOGUE

ROOT = Path(__file__).parents[2]
HOW = "write what orchestrator.metrics.dashboards.generate() returns"


def promtool(*arguments):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    return subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("path", "text"), generate().items(), ids=list(generate()))
def test_files_have_not_drifted_from_the_catalogue(path, text):
    assert (ROOT / path).read_text() == text, HOW


def test_no_other_file_lies_there():
    found = {
        str(path.relative_to(ROOT)) for path in (ROOT / "dashboards").rglob("*") if path.suffix in {".json", ".yaml"}
    }
    assert found == set(generate())


def test_promtool_accepts_the_rules():
    result = promtool("check", "rules", RULES)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_rules_say_what_they_should():
    result = promtool("test", "rules", "tests/rules/coalmine.yaml")
    assert result.returncode == 0, result.stdout + result.stderr


class TestTheBoard:
    BOARD = json.loads(generate()[BOARD])

    def test_shows_every_signal(self):
        assert [panel["title"] for panel in self.BOARD["panels"]] == [signal.title for signal in CATALOGUE.values()]

    def test_asks_promql(self):
        for panel in self.BOARD["panels"]:
            promql_parser.parse(panel["targets"][0]["expr"])

    def test_can_be_found_again(self):
        assert self.BOARD["uid"] == "coalmine-network"
