"""What shows a gate's verdict: its own samples with window and threshold, its findings by node, the log lines."""

import re
from dataclasses import replace

import pytest

from orchestrator import report
from orchestrator.journal import Event, Measurement, Samples, Target
from orchestrator.report import charts, proof, thresholds
from orchestrator.report.exhibits import samples
from orchestrator.report.marks import marks
from orchestrator.report.scale import Times
from orchestrator.report.story import tell
from tests.unit.gates.building import gate
from tests.unit.report import runs

WINDOW = next(entry.window for entry in runs.passed().all(Measurement) if entry.gate.name == "finality-close")
START = WINDOW.start


def story(journal):
    return tell(journal, runs.judged(journal))


def exhibit(told, stage, name):
    return next(one for one in told.exhibits if (one.gate.stage, one.gate.gate) == (stage, name))


def measured(journal, name, **more):
    found = next(entry for entry in journal.all(Measurement) if entry.gate.name == name)
    return found.model_copy(update=more)


class TestSamples:
    def test_are_those_of_the_query_and_of_the_nodes_that_are_judged(self):
        journal = runs.passed()
        asked = measured(journal, "finality-goes-on")
        found = samples(asked, journal)
        judged = {target.node for target in asked.expected} - set(asked.spared)
        assert asked.spared == ("validator-2",)
        assert {one.labels["node"] for one in found} == judged
        recorded = [entry for entry in journal.all(Samples) if entry.key == asked.key]
        assert sum(len(one.samples) for one in found) == sum(
            sum(value is not None for value in row.values)
            for entry in recorded for row in entry.rows if row.labels["node"] in judged
        )  # fmt: skip

    def test_leave_out_what_is_no_number(self):
        odd = (1.0, None, float("nan"), float("inf"), 2.0)
        journal = runs.changed(
            runs.passed(), Samples, lambda e: {"rows": tuple(r.model_copy(update={"values": odd}) for r in e.rows)}
        )
        found = samples(measured(journal, "finality-close"), journal)
        assert {value for one in found for _, value in one.samples} == {1.0, 2.0}

    def test_of_several_nodes_that_are_judged_as_one_begin_with_their_figure(self):
        journal = runs.passed()
        together = gate(signal="finality-lag", atMost=5, view={"per": "chain", "aggregate": "sum"})
        first, *others = samples(measured(journal, "finality-close", gate=together), journal)
        assert first.labels == {"group": "sum of chain relay"}
        assert {value for _, value in first.samples} == {3.0 * len(others)}


RULES = [
    ({"atMost": 5}, [(5, 5, "at most 5")]),
    ({"atLeast": 1}, [(1, 1, "at least 1")]),
    ({"equals": 3}, [(3, 3, "equals 3")]),
    ({"between": {"low": 1, "high": 4}}, [(1, 1, "at least 1"), (4, 4, "at most 4")]),
    ({"signal": "finalized-height", "increasesBy": 5}, [(17, 17, "at least 17")]),
    ({"signal": "finalized-height", "stalls": 1}, [(13, 13, "at most 13")]),
    ({"signal": "finalized-height", "recoversWithin": "10s"}, [(12, 12, "to exceed: 12")]),
    ({"signal": "finalized-height", "ratePerMinute": {"atLeast": 6}}, [(12, 14, "at least 6 a minute")]),
    ({"signal": "block-time", "atMost": 4}, [(12, 17, "at most 4 s each")]),
    ({"pods": "restarts", "atMost": 2}, [(14, 14, "at most 14")]),
    ({"signal": "finalized-height", "progresses": "30s"}, []),
    ({"signal": "no-such-signal", "atMost": 3}, []),
]


@pytest.mark.parametrize(("words", "expected"), RULES)
def test_a_threshold_is_a_line_from_the_windows_start_to_its_end(words, expected):
    """The window is 20 s long. The node had 12 at its start."""
    worst = next(iter(samples(measured(runs.passed(), "finality-close"), runs.passed())))
    at = tuple((START + t, v) for t, v in ((-1, 11.0), (0, 12.0), (1, 20.0)))
    asked = gate(**words)
    found = thresholds.rules(asked, WINDOW, worst.model_copy(update={"samples": at}))
    assert WINDOW.end - START == 20
    assert [(rule.start[1], rule.end[1], rule.label) for rule in found] == expected
    assert all((rule.start[0], rule.end[0]) == (START, WINDOW.end) for rule in found)


class TestAPanel:
    def test_shows_window_threshold_and_the_worst_sample_of_the_gate_that_decided(self):
        told = story(runs.too_slow())
        assert (told.deciding.gate.stage, told.deciding.gate.gate) == ("baseline", "finality-close")
        panel = proof.panel(told, told.deciding)
        (rule,) = panel.rules
        assert rule.label == "at most 2"
        assert panel.window.left <= panel.spot[0] <= panel.window.left + panel.window.width
        assert panel.spot[1] < rule.points[1]  # Above the line: 3 blocks where 2 are allowed.
        assert panel.frame.top <= panel.spot[1] <= panel.frame.bottom

    def test_has_the_worst_sample_at_its_own_time(self):
        told = story(runs.passed())
        one = exhibit(told, "baseline", "finality-advances")
        x, _, said = proof.panel(told, one).spot
        window = proof.panel(told, one).window
        assert x == pytest.approx(window.left + window.width)
        assert said == "bootnode-0 27 +0:40 14:14:00 #30"

    def test_of_a_gate_without_samples_shows_the_blocks_of_its_chain(self):
        told = story(runs.failed())
        for stage, title in (("relay-upgrade", "Blocks of relay"), ("parachain-upgrade", "Blocks of nest")):
            panel = proof.panel(told, exhibit(told, stage, "upgrade-enacted"))
            assert panel.title == title
            assert panel.paths

    def test_says_that_a_window_never_closed(self):
        told = story(runs.failed())
        assert proof.panel(told, exhibit(told, "relay-upgrade", "blocks-go-on")).window.label == "window, not closed"

    def test_is_not_drawn_of_a_stage_that_never_began(self):
        journal = runs.passed()
        told = story(type(journal).of([journal.started, *journal.entries[1:4]]))
        assert {proof.panel(told, one) for one in told.exhibits} == {None}


class TestThePage:
    def page(self, journal, form="html"):
        return report.render(journal, runs.judged(journal), form)

    def test_puts_what_did_not_pass_before_everything_else_worst_first(self):
        text = self.page(runs.failed())
        places = [text.index(f'id="{name}"') for name in ("unpassed", "cost", "charts", "gates", "network", "events")]
        assert places == sorted(places)
        cards = re.findall(r'<section class="card exhibit (\w+)" id="([^"]+)"', text)
        assert cards[0] == ("failed", "gate-relay-upgrade-upgrade-enacted")
        assert [verdict for verdict, _ in cards] == ["failed", "inconclusive", "inconclusive"]
        assert 'href="#gate-relay-upgrade-upgrade-enacted"' in text.split("</div>\n</div>")[0]

    def test_has_what_did_not_pass_first_in_the_table_of_each_stage(self):
        table = self.page(runs.too_slow()).split('id="gates"')[1]
        names = re.findall(r'<td class="name">([a-z-]+)', table)
        assert names[:4] == ["finality-close", "blocks-on-pace", "finality-advances", "parachain-advances"]

    def test_of_a_run_that_ended_in_an_error_blames_no_gate(self):
        (*others, last) = runs.inconclusive().entries
        journal = type(runs.inconclusive()).of([*others, last.model_copy(update={"outcome": "error"})])
        assert story(journal).verdict.verdict == "ERROR"
        assert story(journal).deciding is None
        assert "The gate that decided" not in self.page(journal)

    def test_of_a_run_that_passed_has_no_gate_that_decided(self):
        text = self.page(runs.passed())
        assert 'id="unpassed"' not in text
        assert "The gate that decided" not in text

    @pytest.mark.parametrize("form", ["html", "markdown", "junit", "json"])
    def test_has_why_it_matters_and_a_row_for_each_node(self, form):
        journal = runs.too_slow()
        text = self.page(journal, form).replace("\\", "")
        assert runs.WHY in text
        assert all(f"{node.name}: bootnode-0: Finality lag was 3 blocks" in text for node in journal.started.nodes)

    @pytest.mark.parametrize("form", ["html", "markdown", "junit"])
    def test_has_the_log_lines_at_the_gate_that_the_failure_is_about(self, form):
        text = self.page(runs.failed(), form).replace("&#39;", "'").replace("\\", "")
        assert text.count(runs.PANIC) == 8
        assert runs.PANIC not in self.page(runs.passed(), form)

    @pytest.mark.parametrize(("form", "rows"), [("html", 100), ("markdown", 50)])
    def test_has_rows_for_no_more_nodes_than_anybody_reads(self, form, rows):
        journal = runs.too_slow()
        verdict = runs.judged(journal)
        many = tuple(verdict.gates[2].nodes[0].model_copy(update={"node": f"n{number:03d}-"}) for number in range(999))
        gates = [gate.model_copy(update={"nodes": many if gate.nodes else ()}) for gate in verdict.gates[:3]]
        text = report.render(journal, type(verdict)(verdict.verdict, verdict.reason, tuple(gates)), form)
        assert len(re.findall(r"\bn\d{3}-", text)) == rows
        assert f"and {999 - rows} more" in text

    def test_counts_the_lines_that_nobody_kept(self):
        journal = runs.failed()
        at = max(entry.at for entry in journal.entries) - 60
        more = next(e for e in journal.entries if getattr(e, "lines", ())).model_copy(
            update={"target": Target(node="bootnode-0"), "hits": tuple(at + n / 100 for n in range(50))}
        )
        text = self.page(type(journal).of([*journal.entries, more]))
        assert "and 48 more such lines" in text

    def test_tells_all_three_times_on_every_axis(self):
        charts = re.findall(r"<svg.*?</svg>", self.page(runs.failed()), re.DOTALL)
        assert len(charts) > 10
        for chart in charts:
            assert [re.search(rf">{name}</text>", chart) is not None for name in ("since", "UTC", "block")] == [
                True
            ] * 3
            assert re.search(r">\+\d+:\d\d</text>", chart)
            assert re.search(r">14:1\d:\d\d</text>", chart)
            assert re.search(r">#\d+</text>", chart)

    def test_names_the_marks_of_an_upgrade_on_every_chart_of_the_run(self):
        drawn = self.page(runs.passed()).split('id="charts"')[1].split('id="gates"')[0]
        for chart in re.findall(r"<svg.*?</svg>", drawn, re.DOTALL):
            for name in ("authorised", "applied", "enacted", "complete"):
                assert chart.count(f">{name}</text>") == 2

    def test_links_only_what_prometheus_understands_and_only_if_asked(self):
        journal, links = runs.failed(), report.Links(prometheus="https://prometheus.example.org")
        text = report.render(journal, runs.judged(journal), "html", links)
        queries = re.findall(r'href="https://prometheus\.example\.org/graph\?g0\.expr=([^&"]+)', text)
        assert queries
        assert not any("panicked" in query or "finalized-hash" in query for query in queries)
        assert "prometheus.example.org" not in self.page(journal)


def test_of_a_run_so_long_that_its_stages_are_dots_nothing_is_written_over_something_else():
    journal = runs.passed()
    (*others, last) = journal.entries
    long = type(journal).of([*others, last.model_copy(update={"at": last.at + 50_000})])
    boxes = charts.strip(story(long))
    assert [box.label for box in boxes] == [""] * len(boxes)
    assert [box.title for box in boxes] == [f"{stage.name}: PASSED" for stage in story(long).stages]
    assert [box.label for box in charts.strip(story(journal))] == [stage.name for stage in story(journal).stages]


@pytest.mark.parametrize(
    ("stages", "names"),
    [
        (("relay-upgrade", "relay-upgrade"), [["complete, authorised"]]),
        (("relay-upgrade", "parachain-upgrade"), [["complete"], ["authorised"]]),
    ],
)
def test_marks_share_a_name_only_within_one_upgrade(stages, names):
    told = story(runs.passed())
    moments = zip(stages, ("upgrade.completed", "upgrade.authorized"), strict=True)
    events = tuple(
        Event(at=told.start + 30 + number / 100, name=name, stage=stage) for number, (stage, name) in enumerate(moments)
    )
    found = marks(replace(told, events=events, stages=()), Times(told.start, told.end))
    assert [[label.text] for label in found.labels] == names
