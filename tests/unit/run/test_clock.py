"""Whom the chain clock asks, what it notes of the answers, and that it does not fall silent unseen."""

import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InfrastructureError
from orchestrator.run import clock as clock_module
from orchestrator.run.clock import ChainClock, Stand, noted
from orchestrator.run.witnesses import Heights, witnesses


def node(name, chain="relay", *, authority=True):
    return SimpleNamespace(name=name, chain=chain, authority=authority)


@st.composite
def networks(draw):
    """Nodes of one chain, each with its heights or None while it is stopped or cut off."""
    chain = draw(st.sampled_from(["relay", "nest"]))
    heights = st.none() | st.builds(Heights, st.integers(0, 99), st.integers(0, 99))
    nodes = draw(st.lists(st.tuples(st.booleans(), heights), min_size=1, max_size=40))
    return chain, {f"n{i}": one for i, one in enumerate(nodes)}


def rounds(chain, state, count, panel=None):
    """The answers of each round, and the witnesses afterwards."""
    panel = panel or witnesses([node(name, chain, authority=a) for name, (a, _) in state.items()])[chain]
    seen = []
    for _ in range(count):
        seen.append({name: state[name][1] for name in panel.asked})
        panel = panel.after({name: heights for name, heights in seen[-1].items() if heights is not None})
    return seen, panel


class TestWitnesses:
    @given(networks())
    def test_are_few_and_each_node_has_its_turn(self, network):
        chain, state = network
        seen, _ = rounds(chain, state, 2 * len(state))
        assert all(len(asked) <= (5 if chain == "relay" else 2) for asked in seen)
        assert set().union(*seen) == set(state)

    @given(networks(), st.data())
    def test_are_replaced_so_that_the_furthest_that_lives_is_heard_after_one_turn(self, network, data):
        """Whatever was asked before, and whichever side of a divided network has which height."""
        chain, before = network
        _, panel = rounds(chain, before, data.draw(st.integers(0, 30)))
        state = {name: (a, data.draw(st.sampled_from([h, None, Heights(120, 3)]))) for name, (a, h) in before.items()}
        turn = -(-len(state) // (2 if chain == "relay" else 1))
        _, panel = rounds(chain, state, turn, panel)
        last, _ = rounds(chain, state, 4, panel)
        alive = [heights for _, heights in state.values() if heights is not None]
        for asked in last if alive else ():
            heard = [heights for heights in asked.values() if heights is not None]
            assert max(h.finalized for h in heard) == max(h.finalized for h in alive)
            assert max(h.best for h in heard) == max(h.best for h in alive) or chain != "relay"

    def test_are_authorities_first_and_the_next_ones_at_once_when_all_fall_silent(self):
        nodes = [node("rpc", authority=False), *(node(f"v{i}") for i in range(9))]
        panel = witnesses(nodes)["relay"]
        assert panel.asked == ("v0", "v1", "v2", "v3", "v4")
        assert panel.after({}).asked == ("v5", "v6", "v7", "v8", "rpc")
        panel = panel.after({f"v{i}": Heights(9, 9) for i in range(5)})
        assert panel.asked == ("v0", "v1", "v2", "v5", "v6")


def relay(at, best, finalized, session=0, stamp=None):
    return Stand("relay", at, Heights(best, finalized), session, stamp)


def nest(finalized):
    return Stand("nest", 60.0, Heights(finalized, finalized))


class TestAnEntry:
    def test_has_the_furthest_of_each_height(self):
        entry = noted([relay(41.0, 9, 7, 1, 50.0), relay(42.0, 8, 6, 2), nest(4), nest(5)], {})
        assert (entry.best, entry.finalized, entry.session, entry.stamp) == (9, 7, 2, 50.0)
        assert entry.parachains == {"nest": 5}

    def test_is_of_the_moment_of_the_relay_chains_last_answer(self):
        assert noted([relay(42.0, 8, 6), relay(41.0, 9, 7), nest(4)], {}).at == 42.0

    def test_is_not_made_without_the_relay_chain(self):
        assert noted([nest(4)], {"relay": 7}) is None

    def test_has_no_height_of_a_parachain_that_did_not_answer(self):
        assert noted([relay(1.0, 9, 7)], {"nest": 4}).parachains == {}

    def test_keeps_what_was_final(self):
        entry = noted([relay(1.0, 5, 4), nest(3)], {"relay": 7, "nest": 9})
        assert (entry.best, entry.finalized, entry.parachains) == (7, 7, {"nest": 9})


class Access:
    """Nodes at the same heights. Those in `paused` answer only when they are `held` no more."""

    def __init__(self, nodes, paused=(), error=None, heights=()):
        self.nodes, self.paused, self.error, self.held = nodes, paused, error, threading.Event()
        self.heights, self.asked = list(heights), []

    def reader(self, asked):
        self.asked.append(asked.name)
        if asked.name in self.paused and not self.held.is_set():
            self.held.wait()
        if self.error is not None:
            raise self.error
        head = SimpleNamespace(number=self.heights.pop(0) if self.heights else 7)
        return SimpleNamespace(
            best=lambda: head, finalized=lambda: head, session=lambda: 1, storage=lambda _: (5000).to_bytes(8, "little")
        )


class Kept:
    """Waits for entries; `error` is raised at the second."""

    def __init__(self, error=None):
        self.entries, self.error, self.second = [], error, threading.Event()

    def __call__(self, entry):
        self.entries.append(entry)
        if len(self.entries) == 2:
            self.second.set()
            if self.error is not None:
                raise self.error


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(clock_module, "PERIOD", 0.02)


FULL = InfrastructureError("the journal cannot be written: No space left on device")


class TestTheClock:
    def test_goes_on_while_its_first_witnesses_are_paused(self):
        nodes = [*(node(f"v{i}") for i in range(7)), node("c0", "nest"), node("c1", "nest")]
        access, kept = Access(nodes, paused={"v0", "v1", "v2", "v3", "v4", "c0"}), Kept()
        with ChainClock(access, kept):
            went_on, asked = kept.second.wait(10), list(access.asked)
            access.held.set()
        assert went_on
        assert [asked.count(name) for name in sorted(access.paused)] == [1] * len(access.paused)
        assert {(e.best, e.finalized, e.session, e.stamp) for e in kept.entries} == {(7, 7, 1, 5.0)}
        assert {"nest": 7} in [entry.parachains for entry in kept.entries]

    def test_hears_who_answers_late(self):
        access, kept = Access([node("v0")], paused={"v0"}), Kept()
        with ChainClock(access, kept) as clock:
            while not clock._owing:
                clock._thread.join(0.01)
            access.held.set()
            assert kept.second.wait(10)

    def test_takes_nothing_back_that_was_final(self):
        kept = Kept()
        with ChainClock(Access([node("v0")], heights=[9, 7]), kept):
            assert kept.second.wait(10)
        assert [entry.finalized for entry in kept.entries[:2]] == [9, 9]

    @pytest.mark.parametrize("error", [FULL, ZeroDivisionError("odd")])
    def test_raises_what_ended_it(self, error):
        kept, clock = Kept(error), None
        with pytest.raises(type(error)) as raised:  # noqa: SIM117  The end of the inner block raises.
            with ChainClock(Access([node("v0")]), kept) as clock:
                assert kept.second.wait(10)
        assert raised.value is error
        with pytest.raises(type(error)):
            clock.check()

    def test_raises_what_a_reader_did_not_expect(self):
        clock = ChainClock(Access([node("v0")], error=KeyError("number")), Kept())
        with pytest.raises(KeyError), clock:
            clock._thread.join(10)

    def test_hides_no_other_error(self):
        kept = Kept(FULL)
        with pytest.raises(KeyboardInterrupt), ChainClock(Access([node("v0")]), kept):  # noqa: PT012
            assert kept.second.wait(10)
            raise KeyboardInterrupt

    def test_has_nothing_to_raise_while_it_is_sound(self):
        kept = Kept()
        with ChainClock(Access([node("v0")]), kept) as clock:
            assert kept.second.wait(10)
            clock.check()
