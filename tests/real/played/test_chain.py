"""The door to real chains, by what was seen of two real validators and a real parachain; see `conftest`."""

import pytest

from orchestrator.chain import Backlog, Origin, ParachainReader, absent, runtime
from orchestrator.genesis import keys
from tests.real.native import PARA, SUDO

pytestmark = pytest.mark.timeout(3600)

BOB = "5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E"
"""bob's GRANDPA key."""


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
