"""When windows begin and end: in seconds, blocks and sessions, closed, open and impossible."""

import pytest

from orchestrator.gates.evidence import Known, Unknown
from orchestrator.gates.timeline import Pace, Timeline
from orchestrator.gates.window import moments, resolve, spared
from orchestrator.journal import Clock, Event
from orchestrator.spec import Stage
from tests.unit.gates.building import gate

MOMENTS = {"stage.start": 100.0, "inject.confirmed": 110.0, "recover.confirmed": 130.0, "stage.end": 200.0}
PACE = Pace(slot=2.0, session_slots=6)
# A block every two seconds, a session every twelve, the first of both at 100.
CLOCK = Timeline.of(
    Clock(at=100.0 + i, best=50 + i // 2, finalized=48 + i // 2, session=7 + i // 12) for i in range(-12, 110)
)


def resolved(one, moments=MOMENTS, clock=CLOCK, now=500.0):
    known = {name: Known(at, at, at) for name, at in moments.items()}
    return resolve(one, known, clock, PACE, now=now)


def window(*, now=500.0, moments=MOMENTS, clock=CLOCK, recovers=None, **words):
    """The window if it is known, and otherwise why it is not."""
    threshold = {"signal": "finalized-height", "recoversWithin": recovers} if recovers else {"atMost": 3}
    found = resolved(gate(**threshold, window=words), moments, clock, now)
    assert isinstance(found, Unknown) or found.complete is not found.value.open
    return found if isinstance(found, Unknown) else found.value


class TestAWindow:
    def test_is_the_stage_by_default(self):
        found = window()
        assert (found.start, found.end, found.open) == (100.0, 200.0, False)

    def test_lies_between_two_moments(self):
        found = window(**{"from": "inject.confirmed", "to": "recover.confirmed", "settle": "4s"})
        assert (found.start, found.end, found.since) == (114.0, 130.0, 114.0)

    @pytest.mark.parametrize(
        ("length", "end"), [("30s", 140.0), ("10 blocks", 130.0), ("1 session", 122.0), ("2 sessions", 134.0)]
    )
    def test_may_be_given_in_seconds_blocks_and_sessions(self, length, end):
        found = window(**{"from": "inject.confirmed", "for": length})
        assert (found.start, found.end, found.open) == (110.0, end, False)

    def test_in_sessions_of_which_nobody_saw_the_first_begin_is_not_too_short(self):
        late = Timeline.of(clock for clock in CLOCK.clocks if clock.at >= 105)
        found = window(clock=late, **{"from": "inject.confirmed", "for": "1 session"})
        assert (found.start, found.end, found.open) == (110.0, 124.0, False)

    def test_may_begin_and_end_with_a_later_session(self):
        assert window(**{"from": "session(+1)"}).start == 112.0
        assert window(**{"from": "inject.confirmed session(+2)", "for": "4s"}).start == 124.0
        found = window(**{"from": "inject.confirmed", "to": "inject.confirmed session(+2)"})
        assert (found.start, found.end, found.start_session, found.end_session) == (110.0, 124.0, 7, 9)

    def test_leaves_out_what_settles_and_what_announces_itself(self):
        held = {"from": "inject.confirmed", "to": "recover.confirmed", "settle": "4s", "settleEnd": "3s"}
        assert (window(**held).start, window(**held).end) == (114.0, 127.0)
        found = window(**{"for": "30s", "settle": "5s", "settleEnd": "1s"})
        assert (found.start, found.end) == (105.0, 134.0)

    def test_that_still_runs_does_not_look_at_what_may_be_left_out_at_its_end(self):
        known = {"stage.start": 100.0, "inject.confirmed": 110.0}
        found = window(
            moments=known, now=126.0, **{"from": "inject.confirmed", "to": "recover.start", "settleEnd": "5s"}
        )
        assert (found.end, found.open) == (121.0, True)

    def test_knows_its_blocks_and_what_was_final(self):
        found = window(**{"from": "inject.confirmed", "for": "10 blocks"})
        assert (found.start_block, found.end_block, found.start_finalized, found.end_finalized) == (55, 65, 53, 63)

    def test_of_a_recovery_ends_with_its_span_and_looks_back_to_the_stage(self):
        found = window(recovers="2 sessions", **{"from": "inject.confirmed"})
        assert (found.start, found.end, found.since) == (110.0, 134.0, 100.0)


class TestAWindowIsOpen:
    @pytest.mark.parametrize("length", ["1000s", "100 blocks", "9 sessions"])
    def test_while_its_length_has_not_passed(self, length):
        found = window(now=150.0, **{"for": length})
        assert (found.end, found.open) == (150.0, True)

    def test_when_its_last_moment_never_came(self):
        found = window(**{"from": "inject.confirmed", "to": "recover.start"})
        assert (found.end, found.open) == (200.0, True)

    def test_when_the_stage_has_not_ended(self):
        assert window(now=150.0, moments={"stage.start": 100.0}).open


class TestTheEndIsNotKnown:
    STANDING = Timeline.of(Clock(at=100.0 + i, best=50, finalized=48, session=7) for i in range(110))

    @pytest.mark.parametrize("length", ["1 block", "2 sessions"])
    def test_when_the_chain_stood_still(self, length):
        found = window(clock=self.STANDING, **{"for": length})
        assert "the chain stood, or was too slow" in found.doubt
        usual = {"1 block": 2.0, "2 sessions": 24.0}[length]
        assert (found.open, found.end) == (True, 100.0 + usual)  # What fails in that time has failed.
        assert window(clock=self.STANDING, now=109.0, **{"for": length}).doubt == ""

    @pytest.mark.parametrize("span", ["for", "to"])
    def test_when_a_halt_stretches_it(self, span):
        """Two sessions that took 624 s measure no time: whatever grew in them had ten minutes more than was meant."""
        halted = Timeline.of(
            clock.model_copy(update={"at": clock.at + (600.0 if clock.at > 118 else 0.0)}) for clock in CLOCK.clocks
        )
        standing = [Clock(at=118.0 + i, best=59, finalized=57, session=8) for i in range(601)]
        silent = Timeline.of([*halted.clocks, *standing])
        words = {"for": "2 sessions"} if span == "for" else {"to": "stage.start session(+2)"}
        found = window(clock=silent, now=900.0, moments=MOMENTS | {"stage.end": 850.0}, **words)
        assert found.doubt.startswith("2 sessions took 624 s, and 24 s are usual")
        assert (found.open, found.end) == (True, 124.0)

    def test_when_nobody_read_the_chain(self):
        found = window(clock=Timeline(()), **{"for": "1 block"})
        assert (found.open, "nobody had noted the chains' heights" in found.doubt) == (True, True)

    @pytest.mark.parametrize("quiet", [(101.0, 113.0), (108.0, 116.0)], ids=["before it", "at its end"])
    def test_in_blocks_where_nobody_read_the_chain_for_a_while(self, quiet):
        """After a silence the next note is many blocks higher, so twenty blocks would last ten seconds."""
        heard = Timeline.of(clock for clock in CLOCK.clocks if not quiet[0] <= clock.at < quiet[1])
        found = window(clock=heard, **{"from": "inject.confirmed", "for": "2 blocks"})
        assert "nobody" in found.doubt
        assert "heights for" in found.doubt
        assert (found.open, found.end) == (True, 114.0)


class TestThereIsNoWindow:
    def test_when_its_first_moment_never_came(self):
        assert window(moments={"stage.start": 100.0}, **{"from": "inject.confirmed"}) == Unknown(
            "inject.confirmed did not happen"
        )

    def test_when_settling_takes_all_of_it(self):
        found = window(**{"from": "inject.confirmed", "to": "recover.confirmed", "settle": "20s"})
        assert found == Unknown("the window is empty")

    def test_when_its_session_never_came(self):
        assert window(**{"from": "session(+19)"}) == Unknown("stage.start session(+19) did not happen")

    def test_before_it_begins(self):
        assert isinstance(window(now=101.0, settle="5s"), Unknown)


class TestMoments:
    def test_are_the_stages_own_and_the_runs_start(self):
        events = [
            Event(at=1, name="run.start"),
            Event(at=2, name="stage.start", stage="one"),
            Event(at=3, name="stage.start", stage="two"),
        ]
        assert moments("two", events) == {"run.start": Known(1, 1, 1), "stage.start": Known(3, 3, 3)}

    def test_that_came_twice_count_once(self):
        events = [Event(at=at, name="inject.confirmed", stage="one") for at in (5.0, 9.0)]
        assert moments("one", events) == {"inject.confirmed": Known(5.0, 5.0, 5.0)}

    def told(self, at, noticed, **words):
        begun = Event(at=at - 9, name="stage.start", stage="one")
        event = Event(at=at, noticed=noticed, name="inject.confirmed", stage="one")
        one = gate(atMost=3, window={"from": "inject.confirmed", "for": "9s"}, **words)
        return resolve(one, moments("one", [begun, event]), CLOCK, PACE, now=500.0)

    @pytest.mark.parametrize(("at", "noticed"), [(110.0, 110.4), (110.0, 119.9), (110.0, 105.1), (110.0, None)])
    def test_of_another_clock_are_believed_when_the_run_saw_them_soon(self, at, noticed):
        assert self.told(at, noticed).value.start == 110.0

    @pytest.mark.parametrize(
        ("noticed", "why"), [(170.0, "dated 60 s before the run saw it"), (104.9, "dated 5 s after the run saw it")]
    )
    def test_of_a_clock_that_is_wrong_are_not_known(self, noticed, why):
        """The controller's clock was a minute behind, and the gate judged what was before the fault."""
        assert why in self.told(110.0, noticed).reason
        assert self.told(110.0, noticed, clocks="ignore").value.start == 110.0
        assert self.told(110.0, noticed, clockSkew="60s").value.start == 110.0


class TestNodesAreSpared:
    EVENTS = (
        Event(at=100, name="stage.start", stage="a"),
        Event(at=110, name="inject.confirmed", stage="a", detail={"nodes": ["validator-2", "validator-1"]}),
        Event(at=130, name="recover.confirmed", stage="a"),
    )

    def stage(self, fault="pause"):
        target = (
            {"sides": [{"group": "a"}, {"group": "b"}]} if fault == "partition" else {"target": {"authorities": "one"}}
        )
        experiment = {fault: target, "duration": "20s"}
        return Stage.model_validate({"name": "a", "experiment": experiment, "gates": [gate(atMost=1)]})

    def spare(self, fault="pause", words=(), **window_words):
        one = gate(atMost=1, window=window_words, **dict(words))
        return spared(one, self.stage(fault), self.EVENTS, resolved(one))

    @pytest.mark.parametrize("fault", ["pause", "kill"])
    def test_while_a_fault_stops_them(self, fault):
        assert self.spare(fault) == ("validator-1", "validator-2")

    def test_not_by_a_partition_for_they_still_answer(self):
        assert self.spare("partition") == ()

    def test_not_after_they_were_brought_back(self):
        assert self.spare(**{"from": "recover.confirmed", "for": "9s"}) == ()

    def test_not_when_the_gate_judges_them(self):
        assert self.spare(words={"faulted": "judge"}) == ()
