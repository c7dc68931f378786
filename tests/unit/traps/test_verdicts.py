"""Traps of other engines' verdicts, found in their source: what a naive engine says, and what ours says.

Each test holds the few lines of a naive engine beside ours, over the same evidence. The traps about injection,
readiness and manifests are in `test_beyond_gates`.
"""

import math
from dataclasses import replace

import pytest

from orchestrator.errors import MetricsError
from orchestrator.gates.judge import judge
from orchestrator.gates.library.catalogue import LIBRARY, Scaled
from orchestrator.gates.library.network import Network
from orchestrator.gates.verdict import merge
from orchestrator.journal import Verdict
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import RuntimeUpgradeSpec, Window
from tests.unit.gates import synthetic
from tests.unit.gates.asking import Chains, Logs, Prometheus, Stage1, said
from tests.unit.gates.building import START, event, gate, measured, node_of, series


def test_1_terminated_before_the_first_sample():
    """Argo Rollouts counts a metric that was ended before its first measurement as Successful."""

    def naive(samples):
        return "FAILED" if any(value > 3 for value in samples) else "PASSED"

    assert naive([]) == "PASSED"
    assert measured(gate(atMost=3), expected=("validator-0",), is_open=True).judged().verdict == "INCONCLUSIVE"


class Test2AnAbsentMetric:
    """zombienet turns a metric that is not there into 0, which `equals 0` likes; so do counts of log lines."""

    def test_that_should_be_zero(self):
        def naive(metrics):
            return "PASSED" if metrics.get("disputes", 0) == 0 else "FAILED"

        assert naive({}) == "PASSED"
        found = measured(gate(signal="disputes", equals=0), expected=("validator-0",)).judged()
        assert (found.verdict, found.reason) == ("INCONCLUSIVE", "no samples from validator-0")

    def test_of_a_name_that_nobody_has(self):
        found = Stage1(gate(promql="sum(polkadot_no_such_metric)", equals=0)).finish()[0]
        assert found.verdict == "INCONCLUSIVE"

    def test_of_log_lines_that_were_never_there_to_be_counted(self):
        def naive(log):
            return "PASSED" if log.count("panicked") == 0 else "FAILED"

        assert naive("") == "PASSED"  # The pod was replaced, and its log with it.
        panics = gate(logs={"pattern": "panicked"}, equals=0, on={"node": "validator-0"})
        found = Stage1(panics, logs=Logs(whole=START + 8)).finish()[0]
        assert found.verdict == "INCONCLUSIVE"


def test_3_an_error_after_a_failure():
    """In Argo an error that comes later overwrites the phase; people read Error and look for a broken Prometheus."""

    def naive(verdicts):
        return verdicts[-1]

    seen = [Verdict.PASSED, Verdict.FAILED, Verdict.ERROR]
    assert naive(seen) == "ERROR"
    assert merge(seen) is Verdict.FAILED
    one = Stage1(
        gate(atMost=3), prometheus=Prometheus(said("validator-0", 1, 9, 1, 1, 1, 1)), nodes=(node_of("validator-0"),)
    )
    one.ask(now=START + 5)
    one.prometheus.error = RuntimeError("down")
    assert one.finish()[0].verdict == "FAILED"


class Test4AnEmptyVectorAndNaN:
    """`len(result) == 0 || result[0] <= 3` is what people write around the crash, and it passes on nothing."""

    @staticmethod
    def naive(samples):
        return "PASSED" if not samples or not samples[0] > 3 else "FAILED"

    def test_nothing(self):
        assert self.naive([]) == "PASSED"
        assert measured(gate(promql="sum(x)", atMost=3), expected=("validator-0",)).judged().verdict == "INCONCLUSIVE"

    @pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
    def test_what_is_no_number(self, odd):
        assert self.naive([odd]) == ("PASSED" if not odd > 3 else "FAILED")
        found = measured(gate(atMost=3), series([odd, odd, odd, odd])).judged()
        assert found.verdict == "INCONCLUSIVE"
        assert "4 of them not a number" in found.reason


class Test5ACounterReset:
    """A pod restarts and its counters begin anew: the difference turns negative, or looks like a stall."""

    BLOCKS = (40, 41, 42, 0, 1, 2)

    @staticmethod
    def naive(samples):
        return "PASSED" if samples[-1] - samples[0] <= 0 else "FAILED"  # `stalls`.

    def test_is_not_taken_for_a_stall(self):
        assert self.naive(self.BLOCKS) == "PASSED"
        found = measured(gate(signal="authored-blocks", stalls=2), series(self.BLOCKS)).judged()
        assert found.verdict == "INCONCLUSIVE"
        assert "fell from 42 to 0, which is a reset" in found.reason

    @pytest.mark.parametrize(("policy", "verdict"), [("fail", "FAILED"), ("rebase", "PASSED"), ("ignore", "FAILED")])
    def test_means_what_the_gate_says(self, policy, verdict):
        one = gate(signal="authored-blocks", increasesBy=4, counterReset=policy)
        assert measured(one, series(self.BLOCKS)).judged().verdict == verdict

    def test_is_seen_though_other_nodes_hide_it_in_a_sum(self):
        busy = series((0, 60, 120, 180, 240, 300), "validator-1")

        def naive(*rows):
            totals = [sum(column) for column in zip(*rows, strict=True)]
            return "PASSED" if totals[-1] - totals[0] >= 150 else "FAILED"

        assert naive(self.BLOCKS, busy.values) == "PASSED"
        one = gate(signal="authored-blocks", increasesBy=150, view={"per": "all", "aggregate": "sum"})
        found = measured(one, series(self.BLOCKS), busy).judged()
        assert (found.verdict, found.node) == ("INCONCLUSIVE", "validator-0")


def test_10_relay_blocks_with_a_session_change_carry_no_candidates():
    """Ten blocks a session, one of them without candidates: a parachain in perfect health is included nine times."""
    included, blocks = 9, 10
    naive = included / blocks >= 1.0
    assert not naive
    asked = Network(slot=6.0, session_blocks=10).resolve(Scaled(candidates_per_block=1.0), {})
    assert asked == {"ratePerMinute": {"atLeast": 9.0}}
    heights = [i - i // 10 for i in range(61)]  # One step a second, to see six sessions pass.
    found = measured(gate(signal="finalized-height", ratePerMinute={"atLeast": 54}), series(heights)).judged()
    assert (found.verdict, found.value) == ("PASSED", 54.0)


def test_11_compilation_inside_the_measuring_window():
    """Validators compile a parachain's code for half a minute first; judging its pace meanwhile judges the compiler."""
    heights = [0] * 30 + list(range(31))

    def naive(samples):
        return "PASSED" if samples[-1] / (len(samples) - 1) >= 0.9 else "FAILED"

    assert naive(heights) == "FAILED"
    pace = {"signal": "finalized-height", "ratePerMinute": {"atLeast": 54}}
    assert measured(gate(**pace), series(heights)).judged().verdict == "FAILED"
    assert measured(gate(**pace, window={"settle": "30s"}), series(heights)).judged().verdict == "PASSED"
    # And the network is not called ready before: `readiness.rungs` has one for it; see test_15.


class Test12WhatComesTwoSessionsAfterAnUpgrade:
    """A changed configuration bites two sessions later (Kusama, 9 May 2025); a gate that ends at enactment is blind."""

    LAG = (2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 30, 30)  # Sessions are six seconds long here.

    def test_is_not_seen_at_enactment(self):
        naive = all(lag <= 5 for lag in self.LAG[:7])
        assert naive
        assert self.verdict_of({"from": "stage.start", "for": "6s"}) == "PASSED"

    def test_is_seen_by_a_window_from_the_second_session_on(self):
        assert self.verdict_of({"from": "upgrade.enacted session(+2)"}) == "FAILED"
        assert self.verdict_of({"from": "upgrade.enacted", "to": "upgrade.enacted session(+2)"}) == "PASSED"

    def test_is_waited_for_by_default(self):
        assert RuntimeUpgradeSpec.model_fields["settle_sessions"].default == 2

    def verdict_of(self, window):
        enacted = event("upgrade.enacted", START + 1)
        one = measured(gate(atMost=5), series(self.LAG), extra=(enacted,))
        changed = one.gate.model_copy(update={"window": Window.model_validate(window)})
        return replace(one, gate=changed).judged().verdict


def test_14_events_from_before_anybody_listened():
    """A subscription shows what comes after it. Blocks are counted by number, so the first is as good as the last."""
    chain = {9: ["System.CodeUpdated"], 10: [], 11: []}

    def naive(subscribed_at):
        return sum(events.count("System.CodeUpdated") for block, events in chain.items() if block > subscribed_at)

    assert naive(subscribed_at=10) == 0
    once = gate(chainEvents={"pallet": "System", "name": "CodeUpdated"}, equals=1)
    one = Stage1(once, chains=Chains(happened=[block for block, events in chain.items() if events]))
    assert one.finish()[0].verdict == "PASSED"
    assert one.chains.asked[0][0] == 9  # Final at the stage's start was block 8.


class Test26AllMeasurementsErrored:
    """argo-rollouts#4479 counts an analysis of which every measurement errored as Successful."""

    def test_is_an_error(self):
        def naive(measurements):
            return "FAILED" if any(one == "FAILED" for one in measurements) else "PASSED"

        assert naive(["ERROR"] * 5) == "PASSED"
        one = Stage1(gate(atMost=3), prometheus=Prometheus(error=MetricsError("down")))
        for now in range(1, 6):
            one.ask(now=START + now)
            assert one.verdicts(now=START + now)[0].verdict == "ERROR"
        assert one.finish()[0].verdict == "ERROR"


def test_27_no_samples_keep_no_threshold():
    """k6#4283 keeps a threshold on a metric that nothing was added to."""

    def naive(samples):
        return all(value <= 3 for value in samples)

    assert naive([])
    one = Stage1(gate(promql="sum(requests)", atMost=3), prometheus=Prometheus())
    assert one.finish()[0].verdict == "INCONCLUSIVE"


def test_28_a_later_stage_overwrites_no_earlier_failure():
    """krkn#1177 keeps the exit code of the last scenario, krkn-ai#121 that of the first."""
    journal = synthetic.run(network=synthetic.Network(stalls=[(synthetic.START + 22, synthetic.START + 40)]))
    found = judge(journal)
    of = lambda stage: merge(g.verdict for g in found.gates if g.stage == stage)  # noqa: E731
    assert of("baseline") == "FAILED"
    assert of("parachain-upgrade") == "PASSED"
    assert (found.verdict, found.exit_code) == ("FAILED", 1)


def test_29_traffic_that_ends_in_the_middle():
    """Flagger#1011 advances when the traffic that it judges by has ended."""
    finalized = [*range(10), *([9] * 50)]
    naive = finalized[-1] - finalized[0] >= 1
    assert naive
    library = LIBRARY.gates["transactions-finalized"]
    words = library.gate | Network(slot=1.0).resolve(library.scaled, library.gate)
    found = measured(gate(**words), series(finalized)).judged()
    assert found.verdict == "FAILED"


def test_30_better_than_expected_breaks_no_bound():
    """Twenty candidates are not within 10..16 (polkadot-sdk#12871): what may grow has a lower bound only."""
    candidates = 20
    naive = 10 <= candidates <= 16
    assert not naive
    for name, one in LIBRARY.gates.items():
        signal = CATALOGUE.get(one.gate.get("signal", ""))
        if signal is not None and signal.direction == "higher" and name != "finality-stalls":
            bounded = {"atMost", "between", "stalls"} & {*one.gate, *(one.scaled.slots or {} if one.scaled else {})}
            assert not bounded, name


def test_31_no_gate_waits_for_a_counter_that_grows_each_session_to_stop():
    """polkadot-sdk's dispute storm test says why: a session's end alone makes such a counter grow."""
    per_session = {"session", "grandpa-round", "pvf-precheck-votes", "beefy-lagging-sessions"}
    waiting = {one.gate.get("signal") for one in LIBRARY.gates.values() if "stalls" in one.gate}
    assert waiting
    assert not waiting & per_session
