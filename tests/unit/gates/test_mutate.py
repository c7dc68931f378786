"""A recorded run is changed as the world would change it, and its gates are asked what they notice."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.gates.judge import judge
from orchestrator.gates.library import LIBRARY
from orchestrator.gates.mutate import examined, mutants
from orchestrator.gates.mutate.subject import Subject, subject
from orchestrator.gates.mutate.trial import Bench
from orchestrator.journal import Clock, Event, Journal, Node, Occurrences, Readings, RunStarted, Samples, Verdict
from tests.unit.gates import synthetic, whole

ON_RELAY = {"on": {"chain": "relay"}}
HEIGHTS = (
    {"name": "best", "signal": "best-height", "increasesBy": 1},
    {"name": "final", "signal": "finalized-height", "increasesBy": 1},
    {"name": "lag", "signal": "finality-lag", "atMost": 8},
)


@pytest.fixture(scope="module")
def quickstart():
    return synthetic.run()


@pytest.fixture(scope="module")
def of_quickstart(quickstart):
    return tuple(mutants(quickstart, quickstart.started.rehearsal.spec.stages))


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The run of a file with these gates over a network that is left alone."""

    def ran(*gates, **words):
        file = tmp_path_factory.mktemp("calm") / "calm.yaml"
        file.write_text(whole.document(*gates, **words))
        return whole.run(file)

    return ran


@pytest.fixture(scope="module", params=["simulated", "real"])
def baseline(request, calm, tmp_path_factory):
    """The set's trial, on what simulated clients say of themselves, and on what real ones do."""
    if request.param == "simulated":
        return examined(calm({"use": "baseline"}))
    return examined(whole.run(whole.of_real_clients(tmp_path_factory.mktemp("real"), {"use": "baseline"})))


def of_journal(journal):
    return mutants(journal, journal.started.rehearsal.spec.stages)


def pick(found, name, where, when=""):
    (one,) = [m for m in found if (m.name, m.where, m.when) == (name, where, when)]
    return one


def rows(journal, name):
    """(node, chain) -> values by time, of all samples of a signal."""
    found = {}
    for entry in journal.all(Samples):
        for row in entry.rows if subject(entry.key) == Subject("signal", name) else ():
            here = found.setdefault((row.labels["node"], row.labels["chain"]), {})
            here.update({entry.first + i * entry.step: value for i, value in enumerate(row.values)})
    return found


class TestWhatTheSetsNotice:
    def test_the_baseline_notices_nearly_every_degradation(self, baseline):
        assert sum(found.mutant.degradation for found in baseline.found) > 100
        assert baseline.share >= 0.95

    def test_it_lets_an_author_be_silent_for_no_short_stage_can_tell_that_from_bad_luck(self, baseline):
        assert {found.mutant.name for found in baseline.missed} == {"builds no block"}
        assert {str(found.would) for found in baseline.missed} == {"every-author-authors (not recorded)"}
        assert not any(found.inconclusive for found in baseline.missed)

    def test_of_a_name_that_nobody_has_no_gate_that_reads_it_passes(self, baseline):
        misspelt = [found for found in baseline.found if found.mutant.name == "is the name of nothing"]
        assert len(misspelt) > 15
        assert [str(found.mutant) for found in misspelt if not (found.inconclusive or found.failed)] == []

    def test_what_only_the_machine_suffers_is_no_degradation(self, baseline):
        of_machine = [found for found in baseline.found if found.mutant.name.startswith("waits for a")]
        assert of_machine
        assert not any(found.mutant.degradation or found.noticed for found in of_machine)

    def test_every_gate_that_is_named_for_a_change_is_in_the_library(self, of_quickstart, baseline):
        every = (*of_quickstart, *(found.mutant for found in baseline.found))
        assert {gate for mutant in every for gate in mutant.by} <= set(LIBRARY.gates)


class TestTheQuickstart:
    def test_is_changed_in_hundreds_of_ways_in_every_stage(self, quickstart, of_quickstart):
        assert len(of_quickstart) >= 200
        assert {mutant.stage for mutant in of_quickstart} == {s.name for s in quickstart.started.rehearsal.spec.stages}

    def test_every_change_has_words_of_its_own(self, of_quickstart):
        named = [(mutant.stage, mutant.when, mutant.where, mutant.name) for mutant in of_quickstart]
        assert len(set(named)) == len(named)

    def test_judging_what_has_changed_says_the_same_as_judging_all(self, quickstart, of_quickstart):
        bench = Bench(quickstart, ())
        kinds = {(mutant.stage, mutant.when, mutant.name): mutant for mutant in of_quickstart}
        for mutant in list(kinds.values())[::3]:
            found, again = bench.found(mutant), judge(mutant.of(quickstart))
            for verdict, said in ((Verdict.FAILED, found.failed), (Verdict.INCONCLUSIVE, found.inconclusive)):
                here = [g.gate for g in again.gates if g.stage == mutant.stage and g.verdict is verdict]
                extra = [gate for gate in said if gate not in here]
                assert set(here) <= set(said), str(mutant)
                assert extra in ([], ["fault-verified"]), str(mutant)

    def test_a_chain_that_stands_leaves_windows_in_its_own_measure_open_for_every_gate(self, calm):
        journal = calm({"name": "peers", "signal": "peers", "atLeast": 1, "window": {"for": "2 sessions"}}, hold="1m")
        bench, every = Bench(journal, ()), tuple(of_journal(journal))
        assert bench.found(pick(every, "blocks stand", "relay")).inconclusive == ("peers",)
        assert bench.found(pick(every, "blocks stand", "validator-0")).inconclusive == ()

    @pytest.mark.parametrize(
        ("change", "where", "when", "failed"),
        [
            ("blocks stand", "relay", "", "blocks-on-pace"),
            ("finality stands", "validator-3", "", "finality-advances"),
            ("the chains go on as without it", "all chains", "while the fault lasts", "finality-stalls"),
            ("no node shows an effect of the fault", "all nodes", "while the fault lasts", "fault-verified"),
            ("finalises a fork", "collator-0/nest", "after the fault", "one-chain-after"),
            ("finality stands", "relay", "after the fault", "finality-recovers"),
            ("the version changes and no block comes", "relay", "after the upgrade", "upgrade-enacted"),
            ("runs a runtime that panics", "bootnode-0", "after the upgrade", "no-panics"),
            ("finality lags by a session", "relay", "after the upgrade", "finality-close"),
        ],
    )
    def test_notices(self, quickstart, of_quickstart, change, where, when, failed):
        bench = Bench(quickstart, ())
        alike = [m for m in of_quickstart if (m.name, m.where, m.when) == (change, where, when)]
        assert any(failed in bench.found(mutant).failed for mutant in alike)

    def test_what_it_does_not_notice_comes_with_the_gate_that_would(self, quickstart, of_quickstart):
        bench = Bench(quickstart, ())
        at = "one-validator-paused", "after the fault"
        paused = pick([m for m in of_quickstart if (m.stage, m.when) == at], "finality stands", "relay", at[1])
        assert str(bench.found(paused).would) == "finality-progresses"
        fork = next(m for m in of_quickstart if (m.stage, m.name) == ("baseline", "finalises a fork"))
        assert str(bench.found(fork).would) == "one-chain (not recorded)"

    def test_finality_that_the_fault_stops_cannot_stand_still_more(self, of_quickstart):
        here = [m.name for m in of_quickstart if (m.stage, m.when) == ("two-against-two", "while the fault lasts")]
        assert "finality stands" not in here
        assert "blocks stand" in here

    def test_the_paused_node_is_in_no_further_trouble(self, of_quickstart):
        where = {
            m.where for m in of_quickstart if (m.stage, m.when) == ("one-validator-paused", "while the fault lasts")
        }
        assert "validator-2" not in where
        assert "validator-3" in where


@pytest.fixture(scope="module")
def heights(calm):
    journal = calm(*HEIGHTS, hold="1m")
    return journal, tuple(of_journal(journal))


class TestChangesAreConsistent:
    def test_the_lag_is_always_between_the_two_heights(self, heights):
        journal, every = heights
        for mutant in every:
            changed = mutant.of(journal)
            best, final, lag = (rows(changed, name) for name in ("best-height", "finalized-height", "finality-lag"))
            for target, values in lag.items():
                wrong = [at for at, value in values.items() if value is not None
                         and value != best[target][at] - final[target][at]]  # fmt: skip
                assert not wrong, f"{mutant} on {target}"

    def test_what_one_node_sees_changes_no_other_node_and_not_the_chain(self, heights):
        journal, every = heights
        mine = [m for m in every if m.where.split("/")[0] in whole.ROLES and m.name != "builds no block"]
        assert len(mine) > 100
        for mutant in mine:
            changed = mutant.of(journal)
            assert changed.all(Clock) == journal.all(Clock)
            for name in ("best-height", "finalized-height", "finality-lag"):
                before, after = rows(journal, name), rows(changed, name)
                touched = {node for (node, chain), values in after.items() if values != before[node, chain]}
                assert touched <= {mutant.where.split("/")[0]}, str(mutant)

    @pytest.mark.parametrize("name", ["blocks stand", "finality stands", "finality goes at half the pace"])
    def test_what_all_nodes_see_is_noted_of_the_chain_too(self, heights, name):
        journal, every = heights
        changed = pick(every, name, "relay").of(journal)
        final = rows(changed, "finalized-height")
        for clock in changed.all(Clock):
            seen = [values[clock.at] for (_, chain), values in final.items() if chain == "relay" and clock.at in values]
            assert not seen or max(seen) == clock.finalized

    def test_what_stands_stands_and_what_is_slow_is_half_as_fast(self, heights):
        journal, every = heights

        def grown(mutant):
            values = rows(mutant.of(journal), "finalized-height")["validator-0", "relay"]
            end = max(values)
            return values[end] - values[end - 40]

        assert grown(pick(every, "finality stands", "validator-0")) == 0
        assert grown(pick(every, "finality goes at half the pace", "validator-0")) == 10
        assert grown(pick(every, "finality stands", "validator-2")) == 20

    def test_a_node_that_stops_answering_answers_nothing(self, heights):
        journal, every = heights
        mutant = pick(every, "stops answering", "validator-2")
        values = rows(mutant.of(journal), "best-height")["validator-2", "relay"]
        assert all((value is None) == (at >= mutant.phase.span.start) for at, value in values.items())

    def test_later_stages_are_left_as_they_were(self, quickstart, of_quickstart):
        until = next(i for i, e in enumerate(quickstart.entries) if isinstance(e, Event) and e.name == "stage.closed")
        for mutant in (m for m in of_quickstart if m.stage == "baseline"):
            changed = mutant.of(quickstart)
            assert all(
                a is b for a, b in zip(changed.entries[until + 1 :], quickstart.entries[until + 1 :], strict=True)
            )

    def test_nodes_of_a_chain_are_asked_at_the_lowest_height_that_is_left(self, quickstart, of_quickstart):
        (mutant,) = [
            m for m in of_quickstart if (m.stage, m.name, m.where) == ("relay-upgrade", "finality stands", "bootnode-0")
        ]
        last = [done for done in mutant.of(quickstart).all(Readings) if done.stage == "relay-upgrade"][-1]
        reads = {read.target.node: read for read in last.reads if read.target.chain == "relay"}
        assert reads["bootnode-0"].finalized < reads["validator-0"].finalized
        assert {read.height for read in reads.values()} == {reads["bootnode-0"].finalized}


def with_another_parachain(journal):
    """The same with a parachain that is as far as the first. Its candidates are in every block, the last one alone."""
    more = Node(name="weaver-0", chain="burrow", group="weaver", role="collator", ordinal=0)

    def changed(entry):
        if isinstance(entry, RunStarted):
            return entry.model_copy(update={"nodes": (*entry.nodes, more)})
        if isinstance(entry, Clock):
            return entry.model_copy(update={"parachains": {**entry.parachains, "burrow": entry.parachains["nest"]}})
        if isinstance(entry, Occurrences) and subject(entry.key).source == "chainEvents":
            return entry.model_copy(update={"hits": (*sorted(entry.hits[:-1] * 2), entry.hits[-1])})
        return entry

    return Journal.of(changed(entry) for entry in journal.entries)


def test_one_parachain_of_two_stands_alone(calm):
    journal = with_another_parachain(calm({"use": "candidates-included"}))
    changed = pick(of_journal(journal), "blocks stand", "nest").of(journal)
    closed = next(event.at for event in journal.all(Event) if event.name == "stage.end")
    before, after = ([c.parachains for c in one.all(Clock) if c.at <= closed][-1] for one in (journal, changed))
    assert after["burrow"] == before["burrow"]
    assert after["nest"] < before["nest"]
    (counted,) = (entry for entry in changed.all(Occurrences) if entry.target.chain == "relay")
    assert counted.hits.count(counted.first + 1) == 2
    assert counted.hits.count(counted.last - 1) == 1
    assert counted.hits.count(counted.last) == 1


def test_a_run_that_does_not_pass_says_nothing_of_changes():
    with pytest.raises(UsageError, match="does not pass these gates as it is"):
        examined(synthetic.run(until=1))


def test_gates_with_a_query_of_their_own_are_told(calm):
    own = {"name": "own", "promql": "max(substrate_block_height)", "atLeast": 0}
    a_signals = {"name": "same", "promql": "substrate_number_leaves{$selector}", **ON_RELAY, "atMost": 1e9}
    file = calm(own, a_signals, hold="20s")
    assert examined(file).opaque == ("calm / own",)


@pytest.mark.parametrize(
    ("key", "about"),
    [
        ('["signal","leaves",{"chain":"relay"}]', Subject("signal", "leaves")),
        ('["promql","substrate_number_leaves{$selector}"]', Subject("signal", "leaves")),
        ('["promql","sum(x)"]', Subject("promql", "sum(x)")),
        ('["chainEvents",{"name":"E","pallet":"P"},"relay"]', Subject("chainEvents", "P.E")),
        ('["storage",{"as":"u32","item":"I","key":"","pallet":"P"}]', Subject("storage", "P.I")),
        ('["agrees","finalized-hash"]', Subject("agrees", "finalized-hash")),
        ('["up"]', Subject("up", "")),
        ('["up",{"chain":"relay"}]', Subject("up", "")),
        ('["pods","restarts"]', Subject("pods", "restarts")),
        ('["logs","panicked at"]', Subject("logs", "panicked at")),
    ],
)
def test_a_key_says_what_it_is_about(key, about):
    assert subject(key) == about
