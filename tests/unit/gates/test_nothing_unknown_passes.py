"""Ways to a PASSED that nobody knows, each as it was once seen to pass, and its whole kind with it."""

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from orchestrator.gates import decide as decide_module
from orchestrator.gates import machine
from orchestrator.gates.grid import first_point, last_point, nearest_point, time_of
from orchestrator.gates.judge import CLOSED, baselines, judge
from orchestrator.gates.library.catalogue import LIBRARY
from orchestrator.journal import (
    Baseline,
    Chart,
    Clock,
    ClockCheck,
    Event,
    Journal,
    Judged,
    Measurement,
    RunFinished,
    RunStarted,
    Samples,
)
from orchestrator.spec import Stage
from tests.unit.gates import synthetic
from tests.unit.gates.asking import Chains, Prometheus, Stage1, said
from tests.unit.gates.building import NOTHING, PACE, START, Values, event, gate, measured, node_of, series

ROOT = Path(__file__).parents[3]
TWO = tuple(node_of(f"validator-{i}") for i in range(2))


def test_only_one_function_can_say_that_a_gate_passes():
    """`Verdict.PASSED` is compared with in many places; a finding or a verdict is made of it in one."""
    made = re.compile(r"(?:Finding|GateVerdict)\([^()]*Verdict\.PASSED|verdict=Verdict\.PASSED|verdict=.PASSED")
    found = {path.name: made.findall(path.read_text()) for path in (ROOT / "orchestrator").rglob("*.py")}
    assert {name for name, places in found.items() if places} == {"decide.py"}
    assert len(found["decide.py"]) == 1
    assert decide_module.decide.__doc__


class TestARecovery:
    """Two sessions are twelve seconds here. A chain that halts cannot be the clock of its own recovery."""

    WITHIN = gate(signal="finalized-height", recoversWithin="2 sessions")

    def test_in_sessions_has_the_seconds_that_they_usually_take(self):
        halted = [*([5] * 20), 6, 7]
        standing = [Clock(at=START + i, best=10, finalized=8, session=0, stamp=START) for i in range(22)]
        one = measured(self.WITHIN, series(halted))
        entries = (*(e for e in one.entries if not isinstance(e, Clock)), *standing)
        found = replace(one, entries=entries).judged()
        assert (found.verdict, found.value) == ("FAILED", float("inf"))
        assert (
            measured(gate(signal="finalized-height", recoversWithin="12s"), series(halted)).judged().verdict == "FAILED"
        )

    def test_of_a_node_that_was_wiped_begins_where_it_had_been(self):
        before, after = series([500] * 5, first=-10), series([0, 1, 2, *range(3, 13)])
        found = measured(self.WITHIN, before, after, since=START - 10).judged()
        assert found.verdict == "FAILED"
        assert "had not exceeded 500" in found.reason

    def test_of_one_block_is_none(self):
        found = measured(self.WITHIN, series([5, 6, 6, 6])).judged()
        assert found.verdict == "INCONCLUSIVE"
        assert "did not rise again" in found.reason

    def test_that_stands_again_has_failed(self):
        slots = round(10 * PACE.slot)
        stands = gate(signal="finalized-height", recoversWithin="40s")
        found = measured(stands, series([5, 6, 7, *[7] * (slots + 1), 8])).judged()
        assert found.verdict == "FAILED"
        assert "and then stood still for" in found.reason
        assert measured(stands, series([5, 6, 7, *[7] * (slots - 1), 8])).judged().verdict == "PASSED"


class TestAWindow:
    def silent(self, *, start, end, **words):
        one = measured(gate(atMost=3, **words), series([1] * 20))
        kept = tuple(e for e in one.entries if not (isinstance(e, Clock) and start <= e.at < end))
        return replace(one, entries=kept).judged()

    def test_in_which_nobody_noted_the_chain_is_not_known(self):
        found = self.silent(start=START + 3, end=START + 10)
        assert (found.verdict, found.reason) == (
            "INCONCLUSIVE",
            "nobody noted the chains' heights for 8 s in the window",
        )
        assert "at all" in self.silent(start=0, end=START + 99).reason
        assert self.silent(start=START + 3, end=START + 10, clocks="ignore").verdict == "PASSED"

    def test_in_sessions_over_a_halt_can_fail_and_not_pass(self):
        """A halt must not take away the failure that it caused, nor give a growth ten minutes more than was meant."""
        standing = [Clock(at=START + i, best=10, finalized=8, session=0, stamp=START) for i in range(50)]

        def halted(values, **words):
            one = measured(gate(**words, window={"for": "2 sessions"}), series(values))
            entries = (*(e for e in one.entries if not isinstance(e, Clock)), *standing)
            return replace(one, entries=entries).judged()

        assert halted([9] * 45, atMost=3).verdict == "FAILED"
        assert halted([5] * 45, signal="finalized-height", progresses="9s").verdict == "FAILED"
        found = halted([*([5] * 40), *range(5, 10)], signal="finalized-height", increasesBy=3)
        assert found.verdict == "INCONCLUSIVE"
        assert "the chain stood, or was too slow" in found.reason
        assert halted([1] * 45, atMost=3).verdict == "INCONCLUSIVE"

    def test_with_a_short_silence_is_known(self):
        assert self.silent(start=START + 3, end=START + 7).verdict == "PASSED"

    def test_whose_blocks_nobody_can_date_is_not_known(self):
        one = measured(gate(atMost=3), series([1] * 20))
        undated = tuple(e.model_copy(update={"stamp": None}) if isinstance(e, Clock) else e for e in one.entries)
        assert replace(one, entries=undated).judged().verdict == "INCONCLUSIVE"


@pytest.fixture(scope="module")
def failed():
    """A run whose upgrade failed."""
    return synthetic.run(until=4, upgrade_fails=True)


@pytest.fixture(scope="module")
def journal():
    """The quickstart's run, in which everything went well."""
    found = synthetic.run()
    assert judge(found).verdict == "PASSED"
    return found


class TestTheRunsOwnGates:
    def other(self, journal, change):
        rehearsal = journal.started.rehearsal
        stages = tuple(one for stage in rehearsal.spec.stages for one in change(stage))
        return rehearsal.model_copy(update={"spec": rehearsal.spec.model_copy(update={"stages": stages})})

    def test_count_although_other_gates_leave_out_the_one_that_failed(self):
        journal = synthetic.run(network=synthetic.Network(lag=8))
        (failing,) = {g.gate for g in judge(journal).gates if g.verdict == "FAILED" and g.stage == "baseline"}
        without = lambda s: [s.model_copy(update={"gates": tuple(g for g in s.gates if g.name != failing)})]  # noqa: E731
        found = judge(journal, self.other(journal, without))
        assert (found.verdict, found.exit_code) == ("FAILED", 1)
        assert failing in {gate.gate for gate in found.left_out}

    def test_count_although_another_rehearsal_leaves_out_their_stage(self, failed):
        found = judge(failed, self.other(failed, lambda s: [] if s.upgrade else [s]))
        assert (found.verdict, found.exit_code) == ("FAILED", 1)
        assert "a gate of the run, which these gates leave out" in found.reason

    def test_count_although_another_rehearsal_calls_the_upgrade_a_hold(self, failed):
        hold = lambda s: [s.model_copy(update={"upgrade": None, "hold": 9.0})]  # noqa: E731
        found = judge(failed, self.other(failed, hold))
        assert (found.verdict, found.exit_code) == ("FAILED", 1)
        assert "relay-upgrade / upgrade-enacted" in found.reason

    def test_that_ended_the_stage_have_failed_for_good(self):
        aborting = gate(atMost=3, abortOn="failed")
        ended = event("stage.aborted", START + 2, gate="a-gate", cause="it was 9")
        found = measured(aborting, series([1] * 5), extra=(ended,)).judged()
        assert (found.verdict, found.reason[:49]) == ("FAILED", "it had failed when it ended the stage: it was 9; ")


class TestAgreement:
    GATE = gate(chainRead="finalized-hash", agrees=True, on={"chain": "relay"})
    ITEM = gate(storage={"pallet": "System", "item": "LastRuntimeUpgrade"}, agrees=True, on={"chain": "relay"})

    def asked(self, one, clocks=None, chains=None, nodes=TWO):
        stage = Stage1(
            one, chains=chains or Chains(**{n.name.replace("-", "_"): (16, "a") for n in nodes}), nodes=nodes
        )
        if clocks is not None:
            kept = [e for e in stage.entries if not isinstance(e, Clock)]
            stage.record = stage.record.fed(nodes, 1.0, PACE, [*kept, *clocks])
            stage.entries = [*kept, *clocks]
        return stage.finish()[0]

    def test_about_what_became_final_in_the_window_passes(self):
        assert self.asked(self.GATE).verdict == "PASSED"

    def test_about_a_misspelt_item_is_about_nothing(self):
        class Nothing(Chains):
            def stored(self, *_):
                return "0x"

        found = self.asked(self.ITEM, chains=Nothing(validator_0=(16, "a"), validator_1=(16, "a")))
        assert found.verdict == "INCONCLUSIVE"
        assert "they agree about nothing" in found.reason

    def test_about_an_item_that_the_runtime_does_not_have_is_not_known(self):
        item = gate(storage={"pallet": "System", "item": "LastRuntimeUpgrades"}, agrees=True, on={"chain": "relay"})
        found = self.asked(item)
        assert found.verdict == "INCONCLUSIVE"
        assert "whether the runtime of relay has System.LastRuntimeUpgrades is not known" in found.reason

    def test_where_nothing_became_final_says_nothing_however_late_the_nodes_are_asked(self):
        stalled = [Clock(at=START + i, best=10 + i, finalized=8, session=0, stamp=START + i) for i in range(40)]
        found = self.asked(self.GATE, clocks=stalled)
        assert found.verdict == "INCONCLUSIVE"
        assert "nothing became final in the window" in found.reason

    def test_without_the_chains_clock_says_nothing(self):
        assert self.asked(self.GATE, clocks=[]).verdict == "INCONCLUSIVE"

    def test_of_a_parachain_that_stands_says_nothing(self):
        para = gate(chainRead="finalized-hash", agrees=True, on={"chain": "nest"})
        clocks = [
            Clock(at=START + i, best=10 + i, finalized=8 + i, session=0, stamp=START + i, parachains={"nest": 16})
            for i in range(40)
        ]
        nodes = tuple(node_of(f"collator-{i}") for i in range(2))
        found = self.asked(para, clocks=clocks, nodes=nodes)
        assert found.verdict == "INCONCLUSIVE"
        assert "nest: nothing became final in the window" in found.reason
        moving = [c.model_copy(update={"parachains": {"nest": 8 + i}}) for i, c in enumerate(clocks)]
        assert self.asked(para, clocks=moving, nodes=nodes).verdict == "PASSED"

    def test_is_asked_for_at_a_height_of_the_window(self):
        """Asked after the window, the nodes have finalised more than it held."""
        late = Chains(validator_0=(90, "a"), validator_1=(95, "a"))
        found = self.asked(self.GATE, chains=late)
        assert (found.verdict, "at height 18 " in found.reason) == ("PASSED", True)


class TestCounts:
    EVENTS = gate(chainEvents={"pallet": "System", "name": "CodeUpdated"}, atMost=0)

    def counted(self, one, *, finalized, names=True):
        stage = Stage1(one, chains=Chains(happened=()))
        clocks = [Clock(at=START + i, best=99, finalized=finalized(i), session=0, stamp=START + i) for i in range(40)]
        kept = [e for e in stage.entries if not isinstance(e, Clock)]
        stage.entries = [*(kept if names else [e for e in kept if not isinstance(e, Event) or e.stage]), *clocks]
        stage.record = stage.record.fed(TWO, 1.0, PACE, stage.entries)
        return stage.finish()[0]

    def test_of_events_in_no_block_are_not_none(self):
        found = self.counted(self.EVENTS, finalized=lambda _: 8)
        assert found.verdict == "INCONCLUSIVE"
        assert "no block became final in the window" in found.reason

    def test_of_an_event_that_nobody_has_are_not_none(self):
        other = gate(chainEvents={"pallet": "System", "name": "CodeUpdatet"}, atMost=0)
        assert self.counted(other, finalized=lambda i: 8 + i).verdict == "INCONCLUSIVE"
        assert self.counted(self.EVENTS, finalized=lambda i: 8 + i, names=False).verdict == "INCONCLUSIVE"
        assert self.counted(self.EVENTS, finalized=lambda i: 8 + i).verdict == "PASSED"


class TestSeries:
    """A user's own query may answer with series that belong to no node, or with several for one."""

    OWN = gate(promql='{__name__=~"a|b",$selector}', atMost=3)
    GOOD = series([1] * 5)

    @pytest.mark.parametrize(
        "labels",
        [
            {"node": "validator-0", "chain": "relay", "__name__": "b"},
            {"instance": "somewhere"},
            {"node": "stranger-0", "chain": "relay"},
            {},
        ],
        ids=["another name", "no node", "a node of nobody", "no label"],
    )
    def test_beside_the_expected_ones_are_judged_too(self, labels):
        assert measured(self.OWN, self.GOOD, expected=("validator-0",)).judged().verdict == "PASSED"
        bad = Values((9.0,) * 5, labels=labels)
        assert measured(self.OWN, self.GOOD, bad, expected=("validator-0",)).judged().verdict == "FAILED"

    def test_keep_the_name_of_their_metric(self):
        rows = (said("validator-0", *[1] * 11), said("validator-0", *[9] * 11))
        named = [
            row.model_copy(update={"labels": {**row.labels, "__name__": n}}) for row, n in zip(rows, "ab", strict=True)
        ]
        for order in (named, named[::-1]):
            stage = Stage1(self.OWN, prometheus=Prometheus(*order, by={"up{": (rows[0],)}), nodes=TWO[:1])
            assert stage.finish()[0].verdict == "FAILED"

    def test_summed_over_nodes_do_not_improve_where_a_node_lost_its_metric(self):
        """The node answers its scrapes, and shows its lag no more: the average of the others is a better one."""
        average = Values((2, 2, 1, 1, 1, 1), labels={})
        one = measured(gate(promql="avg(lag)", atMost=3), average, expected=("validator-0", "validator-1"))
        assert one.judged().verdict == "PASSED"
        lost = Values((1.0, 1.0, NOTHING, NOTHING, NOTHING, NOTHING), "validator-1")

        def without(samples):
            if "metric" not in samples.key:
                return samples
            rows = [row for row in samples.rows if row.labels["node"] == "validator-0"]
            values = (*lost.values, *[None] * (samples.count - len(lost.values)))
            row = samples.rows[0].model_copy(update={"labels": {"node": "validator-1"}, "values": values})
            return samples.model_copy(update={"rows": (*rows, row)})

        found = one.with_samples(without).judged()
        assert found.verdict == "INCONCLUSIVE"
        assert "without a value of every node" in found.reason


class TestWhatCameLater:
    """A later stage asks the same question for a stretch that covers the earlier stage, which had no answer then."""

    def journal(self):
        first, second = gate(name="first", atMost=3), gate(name="second", atMost=3, window={"from": "run.start"})
        one = Stage1(first, prometheus=Prometheus(said("validator-0", *[1] * 11)), nodes=TWO[:1])
        stages = [
            Stage.model_validate({"name": n, "hold": "1s", "gates": [g]}) for n, g in (("a", first), ("b", second))
        ]
        started = synthetic.run(until=1).started
        spec = started.rehearsal.spec.model_copy(update={"stages": tuple(stages)})
        rehearsal = started.rehearsal.model_copy(update={"spec": spec})
        started = started.model_copy(
            update={"rehearsal": rehearsal, "nodes": TWO[:1], "slot": PACE.slot, "session_slots": PACE.session_slots}
        )
        one.ask()
        found = [e for e in one.entries if isinstance(e, Samples | ClockCheck)]
        rest = [e for e in one.entries if not isinstance(e, Samples | ClockCheck)]
        closed = [event("stage.end", START + 10, "a"), event(CLOSED, START + 12, "a")]
        later = [event("stage.start", START + 13, "b"), *found, event("stage.end", START + 14, "b")]
        return Journal.of([started, *rest, *closed, *later, RunFinished(at=START + 20, outcome="completed")])

    def test_does_not_fill_what_the_stage_lacked(self):
        found = {gate.gate: gate for gate in judge(self.journal()).gates}
        assert found["first"].verdict == "INCONCLUSIVE"
        assert "run again" in found["first"].reason


class TestAFaultThatWasVerified:
    def held(self, seconds, *more):
        journal = synthetic.run()
        (stage,) = [s for s in journal.started.rehearsal.spec.stages if s.name == "one-validator-paused"]
        injected = next(e for e in journal.all(Event) if e.stage == stage.name and e.name == "inject.confirmed")

        def moved(entry):
            if isinstance(entry, Event) and entry.stage == stage.name and entry.name == "recover.start":
                return [*more, entry.model_copy(update={"at": injected.at + seconds})]
            return [entry]

        changed = Journal.of(one for entry in journal.entries for one in moved(entry))
        return next(g for g in judge(changed).gates if g.stage == stage.name and g.gate == "fault-verified")

    def test_was_held_as_long_as_asked(self):
        assert self.held(20.0).verdict == "PASSED"
        assert self.held(19.0).verdict == "PASSED"
        found = self.held(3.0)
        assert (found.verdict, found.reason) == ("ERROR", "the fault was held for 3 s where 20 s were asked")

    def test_and_that_a_gate_ended_is_not_known(self):
        aborted = event("stage.aborted", START, "one-validator-paused", gate="x", cause="y")
        assert self.held(3.0, aborted).verdict == "INCONCLUSIVE"


class TestAnEarlierRun:
    GATE = gate(name="n", signal="finality-lag", on={"chain": "relay"}, noWorseThan={"run": "b", "percent": "0%"})

    def figures(self, journal):
        rehearsal = journal.started.rehearsal
        (stage, *rest) = rehearsal.spec.stages
        stages = (stage.model_copy(update={"gates": (self.GATE,)}), *rest)
        other = rehearsal.model_copy(update={"spec": rehearsal.spec.model_copy(update={"stages": stages})})
        return next(iter(baselines(other, lambda _: journal)))

    def test_gives_figures_only_if_it_was_completed(self):
        assert self.figures(synthetic.run()).figures
        cut = self.figures(synthetic.run(finish=False))
        assert (cut.figures, cut.lacking) == ({}, {"": "the run was cut short"})

    def test_and_only_if_its_clocks_were_known(self):
        journal = synthetic.run()
        unclocked = Journal.of(e for e in journal.entries if not isinstance(e, ClockCheck))
        assert not self.figures(unclocked).figures

    @pytest.mark.parametrize(("signal", "worst"), [("finality-lag", "validator-1"), ("peers", "validator-0")])
    def test_blames_the_node_that_is_worse(self, signal, worst):
        one = gate(
            signal=signal, noWorseThan={"run": "b", "percent": "0%"}, view={"per": "all", "aggregate": "mean"}, name="n"
        )
        then = Baseline(run="b", stage="a-stage", gate=one, figures={"all nodes": 5.0})
        found = measured(one, series([3] * 5), series([9] * 5, "validator-1"), extra=(then,)).judged()
        assert found.node == worst


def test_a_tolerance_that_lets_most_of_it_through_says_so():
    found = measured(gate(atMost=3, tolerate="97%"), series([1, 1, 1, *[NOTHING] * 97]), end=START + 99).judged()
    assert found.verdict == "INCONCLUSIVE"  # The clocks of `building` reach sixty seconds.
    found = measured(gate(atMost=3, tolerate="95%"), series([1, 1, 1, *[NOTHING] * 47]), end=START + 49).judged()
    assert found.verdict == "PASSED"
    assert "47 of 50 samples are missing, and 95% are tolerated" in found.reason


class TestTheGrid:
    @pytest.mark.parametrize("step", [0.1, 0.2, 0.25, 0.7, 1.0, 5.0, 15.0])
    def test_has_every_point_of_a_window_whatever_its_step(self, step):
        millis = round(step * 1000)
        for start in range(1_790_000_000_000, 1_790_000_003_000, 37):
            end = start + 10_000
            wanted = [ms for ms in range(start, end + 1) if ms % millis == 0]
            low, high = first_point(start / 1000, step), last_point(end / 1000, step)
            assert (high - low + 1, time_of(low, step)) == (len(wanted), wanted[0] / 1000)
            assert nearest_point(time_of(low, step), step) == low


class TestPanics:
    """A gate's words promise no more than its signal sees: a runtime's panic is in the log, and counted nowhere."""

    def test_are_looked_for_in_the_log_by_every_gate_that_is_called_after_them(self):
        panics = {name: one.gate for name, one in LIBRARY.gates.items() if "panic" in name}
        assert panics
        for name, words in panics.items():
            assert ("logs" in words) is (name == "no-panics")
            assert ("signal" in words) is (name == "no-task-panics")

    @pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
    def test_are_looked_for_in_the_log_by_the_examples(self, path):
        for line in path.read_text().splitlines():
            assert "name: no-panics" not in line or "logs:" in line


NO_EVIDENCE = (Measurement, Chart, Judged, Baseline)
"""Entries that are written for readers, or for gates that the quickstart does not have."""


class TestTheQuickstartsJournal:
    """With less evidence it is never PASSED, unless the same is there otherwise."""

    SPARE = frozenset(
        {
            "run.start", "rung", "images.running", "names.checked", CLOSED, "upgrade.authorized",
            "recover.start",  # Of a fault whose end was confirmed, where no window of the stage begins with it.
            "upgrade.applied",  # Of an upgrade that was enacted, where no window begins with it.
        }
    )  # fmt: skip

    MACHINE = frozenset(question.key for question in machine.ask(1.0))
    """What only excuses a failure."""

    def test_without_any_one_entry(self, journal):
        for index, entry in enumerate(journal.entries):
            if isinstance(entry, (*NO_EVIDENCE, Clock, RunStarted)):
                continue
            rest = Journal.of((*journal.entries[:index], *journal.entries[index + 1 :]))
            spare = isinstance(entry, Event) and entry.name in self.SPARE
            spare |= isinstance(entry, Samples) and entry.key in self.MACHINE
            assert spare or judge(rest).verdict != "PASSED", entry

    def test_without_the_clock_of_any_few_seconds(self, journal):
        clocks = [entry for entry in journal.entries if isinstance(entry, Clock)]
        for start in range(20, len(clocks) - 12, 9):
            gone = clocks[start : start + 6]
            inside = any(low < gone[0].at and gone[-1].at < high for low, high in self.windows(journal))
            rest = Journal.of(entry for entry in journal.entries if not any(entry is one for one in gone))
            assert not inside or judge(rest).verdict != "PASSED"

    def windows(self, journal):
        return [(m.window.start, m.window.end) for m in journal.all(Measurement) if m.window is not None]

    def test_without_the_clock_from_its_fourth_stage_on(self, journal):
        start = next(e.at for e in journal.all(Event) if (e.name, e.stage) == ("stage.start", "relay-upgrade"))
        kept = [e for e in journal.entries if not isinstance(e, Clock) or e.at < start]
        assert judge(Journal.of(kept)).verdict == "INCONCLUSIVE"

    def test_without_any_pair_of_kinds(self, journal):
        kinds = sorted({type(entry) for entry in journal.entries} - {RunStarted}, key=lambda kind: kind.__name__)
        for pair in combinations(kinds, 2):
            found = judge(Journal.of(entry for entry in journal.entries if not isinstance(entry, pair)))
            assert (found.verdict == "PASSED") is all(kind in NO_EVIDENCE for kind in pair), pair
