"""What root still has to do, against a relay chain that is played: it ends, it is done once, and it asks no more."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.chain.port import POOL
from orchestrator.readiness import onboarding
from orchestrator.readiness.onboarding import Assign, Grow, Register, Seen
from orchestrator.spec import Testnet
from tests.budget import schedules

PARACHAIN = st.fixed_dictionaries(
    {"onboarding": st.sampled_from(["genesis", "late", "none"]), "cores": st.integers(0, 4)}
)


def spec_of(parachains, **relay):
    chain = {"client": "polkadot", "runtime": {"file": "relay.wasm"}, "groups": [{"name": "v", "count": 20}], **relay}
    paras = [
        {
            "id": 2000 + index,
            "client": "polkadot-omni-node",
            "runtime": {"file": "para.wasm"},
            "groups": [{"name": f"c{index}"}],
            **one,
        }
        for index, one in enumerate(parachains)
    ]
    spec = {"relaychain": chain, "parachains": paras}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "n"}, "spec": spec}).spec


class Relay:
    """A relay chain by its rules: registration with a lease brings a core, the configuration waits for its session."""

    def __init__(self, spec, spare):
        self.lifecycles, self.assigned, self.number, self.pending = {}, {}, spare, None
        for each in spec.parachains:
            if each.onboarding == "genesis":
                self.register(each.id, lease=each.cores > 0)

    def register(self, para_id, *, lease):
        assert para_id not in self.lifecycles, "registered twice"
        self.lifecycles[para_id] = "Parachain" if lease else "Parathread"
        if lease:
            self.assigned[self.number] = para_id
            self.number += 1

    def take(self, call):
        if isinstance(call, Register):
            self.register(call.para_id, lease=call.lease)
        elif isinstance(call, Assign):
            assert call.core < self.number, "no such core"
            assert call.core not in self.assigned, "a core is taken from somebody"
            self.assigned[call.core] = call.holder
        else:
            assert self.pending is None, "asked again before its session"
            assert call.number > self.number
            self.pending = call.number

    def session(self):
        if self.pending is not None:
            self.number, self.pending = self.pending, None

    def seen(self):
        holders = list(self.assigned.values())
        held = {holder: holders.count(holder) for holder in holders}
        free = tuple(core for core in range(self.number) if core not in self.assigned)
        return Seen(dict(self.lifecycles), held, free, self.number, growing=self.pending is not None)


@settings(max_examples=schedules(50), deadline=None)
@given(st.lists(PARACHAIN, max_size=5), st.integers(0, 6), st.data())
def test_whatever_is_asked_for_is_reached_once_and_a_second_time_nothing_is_sent(parachains, spare, data):
    spec = spec_of(parachains)
    relay = Relay(spec, spare)
    for step in itertools.count():
        assert step < 60, "it does not end"
        call = onboarding.next_call(spec, relay.seen())
        if call is not None:
            relay.take(call)
        elif not onboarding.waiting(spec, relay.seen()):
            break
        if data.draw(st.booleans()) or call is None:
            relay.session()
    ours = [each for each in spec.parachains if each.onboarding != "none"]
    for each in ours:
        assert relay.lifecycles[each.id] == ("Parachain" if each.cores else "Parathread")
        assert list(relay.assigned.values()).count(each.id) == each.cores
    assert (POOL in relay.assigned.values()) == any(each.cores == 0 for each in ours)
    assert set(relay.lifecycles) == {each.id for each in ours}
    assert onboarding.next_call(spec, relay.seen()) is None
    if not onboarding.needed(spec):
        assert relay.seen() == Relay(spec, spare).seen()  # Nothing was sent at all.


def test_the_order_of_the_calls_for_one_of_each_kind():
    late = spec_of([{"onboarding": "late", "cores": 2}, {"cores": 0}])
    nothing = Seen({2001: "Parathread"}, {}, (0, 1), 2)
    assert onboarding.next_call(late, nothing) == Register(2000, lease=True)
    registered = Seen({2000: "Onboarding", 2001: "Parathread"}, {2000: 1}, (0, 1), 3)
    assert onboarding.next_call(late, registered) == Assign(0, 2000)
    assert onboarding.waiting(late, registered) == {
        "para-2000": "its lifecycle is Onboarding",
        "cores of 2000": "1 of 2 assigned",
        "cores of those on demand": "0 of 1 assigned",
    }
    full = Seen({2000: "Parachain", 2001: "Parathread"}, {2000: 2}, (), 3)
    assert onboarding.next_call(late, full) == Grow(4)


@pytest.mark.parametrize(
    "relay",
    [{"runtime": None, "specFile": "relay.json"}, {"runtime": None, "builtin": "westend-local"}],
    ids=["a user's spec", "a client's chain"],
)
def test_a_relay_chain_whose_root_is_not_ours_is_left_as_it_is(relay):
    assert not onboarding.needed(spec_of([{"cores": 3}, {"cores": 0}], **relay))
