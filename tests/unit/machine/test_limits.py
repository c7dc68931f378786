"""Which windows and limits a machine is too slow for. What was measured on real nodes must come out again."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.genesis.timing import Timing
from orchestrator.machine.figures import Figures
from orchestrator.machine.limits import Compilation, too_short
from orchestrator.spec import Rehearsal

SIX = Timing(slot=6.0, session_slots=10)
QUIET = Figures(cores=2, speed=1.0, share=1.0, late=0.001, sync=0.002, load=0.5, pressure=0.0)
RELAY_CODE, PARACHAIN_CODE = Compilation(12.7, 7), Compilation(17.0, 6)
"""What the nodes of the real quickstart compile: all of them the relay chain's, validators and collators the other."""


def gate(**words):
    return {"name": "a", **words}


def stage(name, *gates, upgrade=None, **more):
    document = {"name": name, "hold": "1m", "gates": list(gates) or [gate(signal="finality-lag", atMost=5)], **more}
    return {**document, "upgrade": {"code": {"file": "x.wasm"}, **upgrade}} if upgrade else document


def rehearsal(*stages):
    document = {"kind": "Rehearsal", "metadata": {"name": "r"}, "spec": {"testnet": "t", "stages": list(stages)}}
    return Rehearsal.model_validate(document)


def beside(others):
    """A machine of two cores on which so many other processes want a CPU."""
    return dataclasses.replace(QUIET, share=min(1.0, 2 / (others + 1)))


UPGRADES = rehearsal(
    stage("relay-upgrade", upgrade={"chain": "relay"}), stage("parachain-upgrade", upgrade={"chain": "nest"})
)
CODES = {"relay-upgrade": RELAY_CODE, "parachain-upgrade": PARACHAIN_CODE}


class TestWhatWasMeasured:
    def test_left_alone_two_cores_enact_both_upgrades_in_time(self):
        assert too_short(UPGRADES, SIX, QUIET, CODES) == ()

    @pytest.mark.parametrize("load", [12, 20, 27])
    def test_beside_compilers_the_parachains_upgrade_needs_longer_and_the_relays_does_not(self, load):
        (found,) = too_short(UPGRADES, SIX, beside(load), CODES)
        assert (found.what, found.given) == ("enactTimeout of parachain-upgrade", 300.0)
        assert found.needed > 400

    def test_on_the_quiet_machine_it_needs_about_what_it_took(self):
        hasty = rehearsal(stage("parachain-upgrade", upgrade={"chain": "nest", "enactTimeout": "200s"}))
        (found,) = too_short(hasty, SIX, QUIET, CODES)
        assert 211 < found.needed < 300

    def test_the_recovery_after_a_partition_needs_no_longer_on_a_busy_machine(self):
        recovers = gate(signal="finalized-height", recoversWithin="18.5s")
        assert too_short(rehearsal(stage("s", recovers)), SIX, beside(27), {}) == ()


GATES = {
    "recoversWithin": gate(name="a", signal="finalized-height", recoversWithin="10s"),
    "progresses": gate(name="a", signal="finalized-height", progresses="10s"),
    "window": gate(name="a", signal="finalized-height", increasesBy=1, window={"for": "20s", "settle": "9s"}),
}


class TestALimit:
    @pytest.mark.parametrize("kind", GATES)
    @pytest.mark.parametrize(("slot", "short"), [(1.0, False), (12.0, True)])
    def test_in_seconds_is_too_short_when_the_chain_is_too_slow_for_it(self, kind, slot, short):
        found = too_short(rehearsal(stage("s", GATES[kind])), Timing(slot, 10), QUIET, {})
        assert [each.what for each in found] == ([f"{kind} of s/a"] if short else [])

    @pytest.mark.parametrize("kind", GATES)
    def test_is_too_short_when_the_machine_wakes_too_late_for_it(self, kind):
        late = dataclasses.replace(QUIET, late=9.0)
        found = too_short(rehearsal(stage("s", GATES[kind])), Timing(2.0, 10), late, {})
        assert f"{kind} of s/a" in {each.what for each in found}

    def test_on_a_window_is_on_what_settling_leaves_of_it(self):
        (found,) = too_short(rehearsal(stage("s", GATES["window"])), SIX, QUIET, {})
        assert found.given == 11.0

    def test_in_sessions_grows_with_the_chain(self):
        patient = gate(signal="finalized-height", recoversWithin="1 session")
        assert too_short(rehearsal(stage("s", patient)), Timing(0.5, 1), QUIET, {}) == ()

    def test_of_what_does_not_grow_needs_no_block(self):
        counted = gate(logs={"pattern": "x"}, atMost=0, window={"for": "1s"})
        assert too_short(rehearsal(stage("s", counted)), SIX, QUIET, {}) == ()

    def test_on_progress_must_cover_the_time_in_which_all_nodes_compile_the_relay_chains_code(self):
        steady = gate(name="a", signal="best-height", progresses="30s")
        upgrade = rehearsal(stage("s", steady, upgrade={"chain": "relay"}))
        (found,) = too_short(upgrade, SIX, QUIET, {"s": RELAY_CODE})
        assert found.what == "progresses of s/a"
        assert found.needed == pytest.approx(6.003 + 12.7 * 0.95 * 7 / 2)
        assert too_short(rehearsal(stage("s", steady, upgrade={"chain": "nest"})), SIX, QUIET, {"s": RELAY_CODE}) == ()


@pytest.mark.parametrize("what", ["late", "sync"])
def test_slots_are_too_short_when_a_third_of_them_is_over_before_the_author_has_begun(what):
    found = too_short(rehearsal(stage("s")), Timing(0.6, 10), dataclasses.replace(QUIET, **{what: 0.25}), {})
    assert [each.what for each in found] == ["slots of"]
    assert too_short(rehearsal(stage("s")), Timing(0.6, 10), dataclasses.replace(QUIET, **{what: 0.15}), {}) == ()


def test_is_said_with_what_the_machine_needs():
    (found,) = too_short(rehearsal(stage("s", GATES["progresses"])), Timing(12.0, 10), QUIET, {})
    assert str(found) == "progresses of s/a 10s (needs about 12s)"


_figures = st.builds(
    Figures,
    cores=st.integers(1, 64),
    speed=st.floats(0.1, 4.0),
    share=st.floats(0.01, 1.0),
    late=st.floats(0.0, 5.0),
    sync=st.floats(0.0, 5.0),
    load=st.just(0.0),
    pressure=st.none(),
)
MANY = rehearsal(
    stage(
        "relay-upgrade",
        *({**words, "name": f"gate-{number}"} for number, words in enumerate(GATES.values())),
        upgrade={"chain": "relay"},
    ),
    stage("parachain-upgrade", upgrade={"chain": "nest"}),
)


@given(_figures, st.sampled_from(["speed", "share", "late", "sync"]), st.floats(1.0, 20.0), st.floats(0.2, 12.0))
def test_a_machine_that_is_worse_in_one_respect_is_never_enough_for_more(figures, respect, times, slot):
    worse_by = 1 / times if respect in {"speed", "share"} else times
    worse = dataclasses.replace(figures, **{respect: getattr(figures, respect) * worse_by})
    before, after = (
        {each.what: each.needed for each in too_short(MANY, Timing(slot, 10), one, CODES)} for one in (figures, worse)
    )
    assert before.keys() <= after.keys()
    assert all(after[what] >= needed - 1e-6 for what, needed in before.items())


def test_half_the_speed_compiles_in_twice_the_time():
    slow = dataclasses.replace(QUIET, speed=0.5)
    assert slow.compiling(10.0, 4) == pytest.approx(2 * QUIET.compiling(10.0, 4))


@given(_figures, st.integers(1, 500))
def test_busy_processes_get_at_most_all_cores_and_at_most_one_each(figures, busy):
    assert 0 < figures.cores_for(busy) <= min(busy, figures.cores) + 1e-9
