"""The door to real chains: two real validators and a real parachain on loopback, upgraded, refused, and made to fail.

What happens is played once (`story`), since real time is dear, and each test states one thing of what was seen. Relay
chain first: the parachain has its first block only in the second session, two minutes after genesis.
"""

import signal
import time
from types import SimpleNamespace

import pytest

from orchestrator.chain import Backlog, Origin, ParachainReader, absent, events_between, runtime, upgrader
from orchestrator.genesis import keys
from orchestrator.genesis.header import blake2_256

from .native import PARA, SUDO, NativeNetwork, Programs, specs_of

pytestmark = pytest.mark.timeout(3600)

BOB = "5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E"
"""bob's GRANDPA key."""


@pytest.fixture(scope="module")
def story(real, polkadot, omni_node, tmp_path_factory):
    programs = Programs(real, polkadot, omni_node)
    specs, folder = specs_of(programs, tmp_path_factory), tmp_path_factory.mktemp("chain")
    with NativeNetwork(programs, specs, folder) as network:
        seen = SimpleNamespace(programs=programs, network=network, seconds={})
        for chapter in (_starts, _refusals, _stop_bob, _relay_upgrade, _inclusion, _parachain_upgrade):
            began = time.monotonic()
            chapter(network, seen)
            seen.seconds[chapter.__name__.strip("_")] = round(time.monotonic() - began, 1)
        print(f"\nseconds: {seen.seconds}")  # noqa: T201  What it costs is worth knowing.
        yield seen


def _starts(network, seen):
    seen.relay, seen.para = network.nodes["alice"].reader(), network.nodes["collator"].reader()
    network.until(lambda: seen.relay.finalized().number > 0, 400, "a finalised relay block")
    seen.first = seen.relay.finalized()
    seen.lifecycle = ParachainReader(seen.relay).lifecycle(PARA)
    seen.included_at_first = ParachainReader(seen.relay).included(PARA, seen.relay.genesis_hash())


def _refusals(network, seen):
    """A call that fails as root, and an upgrade whose version does not rise."""
    one, code = upgrader(seen.relay.rpc, SUDO), seen.programs.code("westend-fast-1025002.wasm")
    seen.same_hash = blake2_256(code)
    since = seen.relay.best().number + 1
    one.as_root("System", "set_code", code="0x00")
    one.authorize(seen.same_hash)
    network.until(lambda: seen.relay.authorized_upgrade() == seen.same_hash, 180, "the authorisation")
    one.apply(code)
    network.until(lambda: seen.relay.authorized_upgrade() is None, 180, "the rejection")
    last = seen.relay.best().number
    network.until(lambda: seen.relay.finalized().number >= last, 180, "its finality")
    seen.refusals = list(events_between(seen.relay, runtime(seen.relay.rpc), since, last))
    seen.version_after_rejection = seen.relay.runtime_version().spec_version


def _stop_bob(network, seen):
    network.nodes["bob"].send_signal(signal.SIGSTOP)
    time.sleep(8)  # What he has said before must be over.
    seen.looks = []
    for _ in range(4):
        seen.looks.append(seen.relay.round_state())
        time.sleep(2)
    network.nodes["bob"].send_signal(signal.SIGCONT)
    stood = seen.relay.finalized().number
    network.until(lambda: seen.relay.finalized().number > stood, 180, "finality with bob back")
    seen.looks_after = []
    for _ in range(8):
        seen.looks_after.append(seen.relay.round_state())
        time.sleep(1)


def _relay_upgrade(network, seen):
    code = seen.programs.code("westend-fast-1025003.wasm")
    seen.relay_hash = blake2_256(code)
    since = seen.relay.best().number + 1
    one = upgrader(seen.relay.rpc, SUDO)
    one.authorize(seen.relay_hash)
    network.until(lambda: seen.relay.authorized_upgrade() == seen.relay_hash, 180, "the authorisation")
    one.apply(code)

    def enacted():
        return seen.relay.last_runtime_upgrade(seen.relay.finalized().hash).spec_version == 1025003

    network.until(enacted, 600, "a finalised block built by the new relay runtime")
    seen.relay_events = list(events_between(seen.relay, runtime(seen.relay.rpc), since, seen.relay.finalized().number))


def _inclusion(network, seen):
    network.until(lambda: (ParachainReader(seen.relay).included(PARA) or 0) > 0, 600, "the first included candidate")


def _parachain_upgrade(network, seen):
    code = seen.programs.code("penpal-2.wasm")
    seen.para_hash = blake2_256(code)
    relay_since, since = seen.relay.best().number + 1, seen.para.best().number + 1
    one, parachains = upgrader(seen.para.rpc, SUDO), ParachainReader(seen.relay)
    one.authorize(seen.para_hash)
    network.until(lambda: seen.para.authorized_upgrade() == seen.para_hash, 180, "the authorisation")
    one.apply(code)
    seen.steps = []

    def note(name, holds):
        if holds and name not in seen.steps:
            seen.steps.append(name)

    def enacted():
        relay, para = seen.relay, seen.para
        note("PendingValidationCode", para.pending_validation_code())
        note("FutureCodeHash", relay.future_code_hash(PARA) == seen.para_hash)
        note("PvfActiveVoteList", parachains.is_being_checked(seen.para_hash))
        note("UpgradeRestrictionSignal", relay.restricted(PARA))
        note("no UpgradeRestrictionSignal", "UpgradeRestrictionSignal" in seen.steps and not relay.restricted(PARA))
        note("GoAhead", relay.go_ahead(PARA) == "GoAhead")
        note("CurrentCodeHash", relay.current_code_hash(PARA) == seen.para_hash)
        return para.last_runtime_upgrade(para.finalized().hash).spec_version == 2

    network.until(enacted, 900, "a finalised block built by the parachain's new runtime")
    seen.para_events = list(events_between(seen.para, runtime(seen.para.rpc), since, seen.para.finalized().number))
    last = seen.relay.finalized().number
    seen.relay_side = list(events_between(seen.relay, runtime(seen.relay.rpc), relay_since, last))


def titled(events, title):
    return [(block, event) for block, event in events if event.title == title]


# What a chain says of itself


def test_a_chain_is_read_by_plain_keys(story):
    reader = story.relay
    head = reader.finalized()
    assert reader.sudo() == SUDO.public
    assert len(reader.authors()) == len(reader.validators()) == 2
    assert len(story.para.authors()) == 1
    assert reader.session(head.hash) > reader.session(story.first.hash)
    assert reader.max_code_size() == 5 * 1024 * 1024
    assert not reader.migrating(head.hash)
    hashes = {node.reader().hash_at(story.first.number) for node in map(story.network.nodes.get, ("alice", "bob"))}
    assert hashes == {story.first.hash}


def test_values_are_decoded_by_name(story):
    reader = story.relay
    at = reader.finalized().hash
    one = runtime(reader.rpc)
    assert one.value("Session", "CurrentIndex", at=at) == reader.session(at)
    assert one.value("Sudo", "Key", at=at) == keys.ss58(SUDO.public)
    assert one.values("Paras", "ParaLifecycles", at=at) == ("Parachain",)
    assert one.value("Configuration", "ActiveConfig", at=at)["max_code_size"] == reader.max_code_size(at)
    account = one.value("System", "Account", "0x" + SUDO.public.hex(), at=at)
    assert account["nonce"] == 3, "a failing root call and two authorisations; who applies signs nothing"


def test_the_parachain_is_registered_before_and_included_later(story):
    parachains = ParachainReader(story.relay)
    assert story.lifecycle == "Parachain"
    assert story.included_at_first == 0
    assert parachains.included(PARA) > 0
    assert parachains.lifecycle(2001) is None
    at = story.relay.best().hash
    assert (parachains.channels(at), parachains.downward(PARA, at)) == ((), 0)
    assert parachains.waiting(Origin.upward(PARA), at) == Backlog(0, 0)


# What fails without an error


def test_a_call_that_fails_as_root_shows_in_its_event_alone(story):
    results = [event.data["sudo_result"] for _, event in titled(story.refusals, "Sudo.Sudid")]
    assert results == [{"Err": "System.FailedToExtractRuntimeVersion"}, {"Ok": []}]


def test_a_version_that_does_not_rise_is_rejected_in_an_event_alone(story):
    ((_, event),) = titled(story.refusals, "System.RejectedInvalidAuthorizedUpgrade")
    assert event.data == {
        "code_hash": "0x" + story.same_hash.hex(),
        "error": "System.SpecVersionNeedsToIncrease",
    }
    assert titled(story.refusals, "System.ExtrinsicFailed") == []
    assert story.version_after_rejection == 1025002


def test_grandpa_names_the_validator_that_is_stopped(story):
    assert absent(story.looks) == {BOB}
    assert absent(story.looks_after) == frozenset()


# Upgrades


def test_the_relay_chains_version_changes_a_block_before_the_new_code_builds_one(story):
    ((block, event),) = titled(story.relay_events, "System.CodeUpdated")
    assert event.data["hash"] == "0x" + story.relay_hash.hex()
    before, at, after = (story.relay.hash_at(number) for number in (block - 1, block, block + 1))
    versions = [story.relay.runtime_version(one).spec_version for one in (before, at, after)]
    assert versions == [1025002, 1025003, 1025003]
    built = [story.relay.last_runtime_upgrade(one).spec_version for one in (before, at, after)]
    assert built == [1025002, 1025002, 1025003]
    assert story.relay.code_hash(at) == "0x" + story.relay_hash.hex()


def test_a_parachains_upgrade_takes_its_steps_on_the_relay_chain(story):
    steps = story.steps
    for earlier, later in (
        ("PendingValidationCode", "FutureCodeHash"),
        ("FutureCodeHash", "GoAhead"),
        ("PvfActiveVoteList", "GoAhead"),
        ("no UpgradeRestrictionSignal", "GoAhead"),  # So its going is no sign of completion.
        ("GoAhead", "CurrentCodeHash"),
    ):
        assert steps.index(earlier) < steps.index(later), steps


def test_both_chains_tell_of_it_in_events(story):
    code = "0x" + story.para_hash.hex()
    ((stored, _),) = titled(story.para_events, "ParachainSystem.ValidationFunctionStored")
    ((applied, _),) = titled(story.para_events, "ParachainSystem.ValidationFunctionApplied")
    ((updated, event),) = titled(story.para_events, "System.CodeUpdated")
    assert stored < applied == updated
    assert event.data["hash"] == code
    started = titled(story.relay_side, "Paras.PvfCheckStarted")
    accepted = titled(story.relay_side, "Paras.PvfCheckAccepted")
    assert (
        [event.data for _, event in started]
        == [event.data for _, event in accepted]
        == [{"code_hash": code, "para_id": PARA}]
    )
    assert titled(story.relay_side, "Paras.PvfCheckRejected") == []
