"""Reports, from journals alone."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from orchestrator import report
from orchestrator.gates.judge import judge
from orchestrator.journal import Chart, Event, Journal, RunFinished, Series
from orchestrator.report import markdown
from tests.unit.gates import synthetic

FORMATS = report.FORMATS


@pytest.fixture(scope="module")
def good():
    return synthetic.run()


@pytest.fixture(scope="module")
def bad():
    return synthetic.run(upgrade_fails=True, relay_dies=True)


def made(form, journal):
    return report.render(journal, judge(journal), form)


def with_cause(journal, cause):
    """The journal with another cause of the failed upgrade."""
    entries = (
        entry.model_copy(update={"detail": {**entry.detail, "cause": cause}})
        if isinstance(entry, Event) and entry.name == "upgrade.failed" else entry
        for entry in journal.entries
    )  # fmt: skip
    return Journal.of(entries)


class Page(HTMLParser):
    """Tags that a browser would fetch or run something for, and whether all tags are closed.

    A link into the page itself fetches nothing.
    """

    VOID = frozenset({"meta", "br", "hr", "img", "input"})

    def __init__(self, text):
        super().__init__()
        self.open, self.suspect = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in {"script", "link", "img", "iframe", "object"} or any(
            (k in {"src", "href"} and not v.startswith("#")) or k.startswith("on") for k, v in attrs
        ):
            self.suspect.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("form", FORMATS)
class TestEveryFormat:
    def test_names_every_gate(self, form, good):
        text = made(form, good).replace("\\", "")
        gates = [g.gate for g in judge(good).gates]
        shown = sum(gate in text for gate in gates)
        assert shown >= min(len(gates), markdown.ROWS)

    def test_names_the_cause_of_a_failed_upgrade(self, form, bad):
        text = made(form, bad)
        assert "attempt to subtract with overflow" in text
        assert "143" in text

    def test_says_that_the_run_was_simulated(self, form, good):
        assert "simulated" in made(form, good).lower()

    def test_is_the_same_every_time(self, form, good):
        assert made(form, good) == made(form, good)

    @pytest.mark.parametrize("outcome", [None, "interrupted", "error"])
    def test_can_be_made_of_a_run_that_never_began_its_stages(self, form, good, outcome):
        end = [RunFinished(at=synthetic.START + 9, outcome=outcome)] if outcome else []
        assert "PASSED" not in made(form, Journal.of([good.started, *end])).replace("PASSED: 0", "")

    def test_survives_what_a_panic_may_say(self, form, bad):
        cause = "\x00\x1b[31m</title><script>alert(1)</script> | `x` ]]> & \ud800".encode("utf-8", "replace").decode()
        text = made(form, with_cause(bad, cause))
        assert text.encode()


class TestHtml:
    def test_fetches_and_runs_nothing(self, good, bad):
        for journal in (good, bad):
            text = made("html", journal)
            page = Page(text)
            assert page.suspect == []
            assert page.open == []
            assert "http://" not in text
            assert "https://" not in text

    def test_does_not_run_what_a_node_said(self, bad):
        text = made("html", with_cause(bad, "<script>alert(1)</script>"))
        assert "<script" not in text
        assert "&lt;script&gt;" in text

    def test_has_a_simulated_banner_only_where_it_is_true(self, good):
        real = good.started.model_copy(update={"simulated": False})
        others = good.entries[1:]
        assert "SIMULATED" in made("html", good)
        assert "SIMULATED" not in made("html", Journal.of((real, *others)))

    def test_draws_faults_and_upgrades_on_every_chart(self, good):
        drawn = made("html", good).split('id="charts"')[1].split('id="gates"')[0]
        charts = len(good.all(Chart)) - 2  # Best and finalised blocks of a chain share one.
        assert len(re.findall(r'<rect class="fault"', drawn)) == 2 * (charts + 1)
        assert len(re.findall(r'<rect class="upgrade"', drawn)) == 2 * (charts + 1)

    def test_marks_what_failed(self, bad):
        assert 'class="mark trouble"' in made("html", bad)

    def test_of_a_thousand_nodes_stays_small(self, good):
        rows = tuple(
            Series(
                labels={"node": f"validator-{n}", "group": "validator", "chain": "relay"},
                samples=tuple((synthetic.START + t, float(t + n % 7)) for t in range(0, 250, 5)),
            )
            for n in range(1000)
        )
        big = Chart(
            at=1.0,
            signal="best-height",
            chain="relay",
            title="Best block, relay",
            unit="blocks",
            query="q",
            series=rows,
        )
        kept = tuple(entry for entry in good.entries if not isinstance(entry, Chart))
        text = made("html", Journal.of((*kept, big)))
        assert "validator, 1000 nodes: median" in text
        assert len(text) < 130_000

    def test_breaks_a_line_where_samples_are_missing(self, good):
        paused = made("html", good).split('aria-label="Finality lag, relay"')[1].split("</svg>")[0]
        (line,) = re.findall(r'd="([^"]*)"><title>validator-2:', paused)
        assert line.count("M") == 2

    def test_tells_of_a_chart_that_could_not_be_had(self, good):
        lost = Chart(
            at=1.0, signal="peers", chain="relay", title="Peers, relay", unit="", query="q", error="Prometheus was away"
        )
        assert "Prometheus was away" in made("html", Journal.of((*good.entries, lost)))


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_what_the_library_could_not_judge_is_said(form, good):
    stages = [
        stage.model_copy(update={"left_out": {"beefy-advances": "no *BEEFY*"}})
        for stage in good.started.rehearsal.spec.stages
    ]
    spec = good.started.rehearsal.spec.model_copy(update={"stages": tuple(stages)})
    started = good.started.model_copy(update={"rehearsal": good.started.rehearsal.model_copy(update={"spec": spec})})
    text = made(form, Journal.of(started if entry is good.started else entry for entry in good.entries))
    assert text.count("beefy-advances") == len(stages)
    assert "cannot answer" in text
    assert "cannot answer" not in made(form, good)


class TestJunit:
    def test_counts_what_did_not_pass(self, bad):
        root = ET.fromstring(made("junit", bad))
        assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("21", "1", "2")
        (failure,) = root.findall(".//failure")
        assert failure.get("message").startswith("the upgrade of relay failed in phase Applied at block 143")

    def test_has_a_suite_for_each_stage(self, good):
        root = ET.fromstring(made("junit", good))
        assert [suite.get("name") for suite in root] == [s.name for s in good.started.rehearsal.spec.stages]

    def test_of_a_run_cut_short_is_not_green(self, good):
        cut = Journal.of(entry for entry in good.entries if not isinstance(entry, RunFinished))
        root = ET.fromstring(made("junit", cut))
        assert (root.get("failures"), root.get("errors")) == ("0", "1")


class TestMarkdown:
    def test_shows_at_most_twenty_gates_and_the_bad_ones_first(self, bad):
        table = made("markdown", bad).split("What the disturbances cost")[0]
        rows = [line for line in table.splitlines() if line.startswith("| ") and "stage" not in line[:12]]
        assert len(rows) == 20
        assert rows[0].startswith("| ❌ | relay-upgrade | upgrade-enacted |")

    def test_is_cut_below_the_limit(self, bad):
        text = made("markdown", with_cause(bad, "é" * 2_000_000))
        assert len(text.encode()) <= 900_000
        assert "cut here" in text

    def test_keeps_a_cause_from_breaking_the_table(self, bad):
        text = made("markdown", with_cause(bad, "a | b\nc"))
        assert "a \\| b c" in text


class TestJson:
    def test_has_stable_keys(self, good):
        result = json.loads(made("json", good))
        assert set(result) == {
            "schemaVersion", "run", "coalmine", "testnet", "rehearsal", "context", "simulated", "verdict", "exitCode",
            "reason", "outcome", "started", "ended", "genesis", "images", "nodes", "gates",
        }  # fmt: skip
        assert set(result["gates"][0]) == {
            "stage", "gate", "verdict", "reason", "threshold", "query", "value", "unit", "node", "when", "block",
            "spared", "why", "nodes",
        }  # fmt: skip
        assert (result["schemaVersion"], result["verdict"], result["exitCode"]) == (1, "PASSED", 0)


def test_a_terminal_gets_a_row_for_each_gate(bad):
    verdict = judge(bad)
    rows = report.rows(verdict)
    assert {len(row) for row in rows} == {len(report.HEADER)}
    assert len(rows) == len(verdict.gates)


def test_all_formats_are_written_to_the_runs_folder(good, tmp_path):
    written = report.write(good, judge(good), tmp_path)
    assert {path.name for path in written} == {"report.html", "junit.xml", "summary.md", "result.json"}
    assert all(path.stat().st_size for path in written)
