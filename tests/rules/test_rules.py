"""What is generated is what lies in `dashboards/`, and Prometheus' own tool agrees with the rules."""

import json
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

import chaos.metrics
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


def test_every_alert_is_seen_to_fire_and_to_keep_still():
    rules = yaml.safe_load((ROOT / RULES).read_text())["groups"][0]["rules"]
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    groups = yaml.safe_load((ROOT / "tests/rules/coalmine.yaml").read_text())["tests"]
    tested = [test for group in groups for test in group.get("alert_rule_test", ())]
    assert {test["alertname"] for test in tested if test["exp_alerts"]} == alerts


def test_every_recording_is_tested_or_stands_in_a_tested_alert():
    rules = yaml.safe_load((ROOT / RULES).read_text())["groups"][0]["rules"]
    text = (ROOT / "tests/rules/coalmine.yaml").read_text()
    alerts = " ".join(rule["expr"] for rule in rules if "alert" in rule)
    for rule in rules:
        if "record" in rule:
            assert rule["record"] in text or rule["record"] in alerts


class TestTheBoard:
    BOARD = json.loads(generate()[BOARD])
    PANELS = tuple(panel for panel in BOARD["panels"] if panel["type"] != "row")

    def test_shows_every_signal_once(self):
        assert [panel["description"] for panel in self.PANELS] == [signal.sentence for signal in CATALOGUE.values()]

    def test_has_a_row_for_each_concern(self):
        rows = [panel["title"] for panel in self.BOARD["panels"] if panel["type"] == "row"]
        assert rows == list(dict.fromkeys(signal.concern for signal in CATALOGUE.values()))

    def test_lets_no_panel_overlap_another(self):
        taken = set()
        for panel in self.BOARD["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not taken & cells
            assert max(x for x, _ in cells) < 24
            taken |= cells

    def test_has_ids_of_its_own_for_all_panels(self):
        ids = [panel["id"] for panel in self.BOARD["panels"]]
        assert len(set(ids)) == len(ids)

    def test_asks_promql(self):
        asked = [panel["targets"][0]["expr"] for panel in self.PANELS]
        asked += [annotation["expr"] for annotation in self.BOARD["annotations"]["list"]]
        for query in asked:
            promql_parser.parse(query.replace("$network", "n"))

    def test_marks_what_the_controller_says(self):
        """Under the names that the controller really exposes."""
        said = " ".join(annotation["expr"] for annotation in self.BOARD["annotations"]["list"])
        exposed = {
            family.name for metric in (chaos.metrics.ACTIVE, chaos.metrics.PHASES) for family in metric.collect()
        }
        assert exposed == {"coalmine_disturbance_active", "coalmine_phase_changes"}
        assert "coalmine_disturbance_active{" in said
        assert "coalmine_phase_changes_total{" in said

    def test_can_be_found_again(self):
        assert self.BOARD["uid"] == "coalmine-network"
