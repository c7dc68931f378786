"""A running network's genesis stays: what a changed file may ask for, and what is refused with its causes."""

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.compare import declared_differences, differences
from orchestrator.errors import Refused
from orchestrator.genesis import chainspec
from orchestrator.provision import continuity
from orchestrator.provision.continuity import RunningChain
from orchestrator.spec import Testnet

SEED = bytes(range(32))


def network(*, relay=(), validators=2, parachains=(2000, 2001), channels=((2000, 2001),), version=1):
    groups = [{"name": "validator", "count": validators}, *relay]
    paras = [
        {
            "id": number,
            "runtime": {"model": {"specName": "nest", "specVersion": 1}},
            "groups": [{"name": f"collator-{number}", "count": 1}],
        }
        for number in parachains
    ]
    spec = {
        "relaychain": {"runtime": {"model": {"specName": "canary", "specVersion": version}}, "groups": groups},
        "parachains": paras,
        "hrmpChannels": [{"sender": sender, "recipient": recipient} for sender, recipient in channels],
    }
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "x"}, "spec": spec})


FOUNDED = network()
RUNNING = {chain.name: RunningChain(chain.spec, chain.genesis_hash) for chain in chainspec.build(FOUNDED, SEED).chains}


def asked(changed):
    continuity.require_same_genesis(chainspec.build(continuity.with_departed(changed, FOUNDED), SEED), RUNNING)


@pytest.mark.parametrize(
    "changed",
    [
        FOUNDED,
        network(relay=[{"name": "full", "role": "full", "count": 3}]),
        network(relay=[{"name": "boot", "role": "bootnode", "count": 1}]),
        network(parachains=(2000,), channels=()),
        network(parachains=(2001,), channels=()),
        network(parachains=(), channels=()),
    ],
    ids=["same", "full", "bootnode", "first-only", "second-only", "none"],
)
def test_what_genesis_does_not_hold_may_change(changed):
    asked(changed)


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        (network(validators=3), "the authorities"),
        (network(version=2), "the runtime code"),
        (network(parachains=(2000, 2001, 2002)), "the parachains that are registered in genesis"),
        (network(relay=[{"name": "more", "count": 1}]), "the authorities"),
    ],
)
def test_what_genesis_holds_is_refused_with_its_cause(changed, cause):
    with pytest.raises(Refused, match="another genesis") as caught:
        asked(changed)
    assert cause in caught.value.message
    assert caught.value.hint


def test_a_departed_parachain_takes_its_place_in_the_order_of_the_first_file():
    whole = continuity.with_departed(network(parachains=(2001,), channels=()), FOUNDED)
    assert [parachain.id for parachain in whole.spec.parachains] == [2000, 2001]
    assert [(c.sender, c.recipient) for c in whole.spec.hrmp_channels] == [(2000, 2001)]


def test_the_chains_that_stay_are_those_of_the_whole_genesis():
    planned = chainspec.build(network(parachains=(2001,), channels=()), SEED)
    whole = chainspec.build(FOUNDED, SEED)
    kept = continuity.with_genesis_of(planned, whole)
    assert [chain.name for chain in kept.chains] == ["relay", "para-2001"]
    assert kept.chain("relay") == whole.chain("relay") != planned.chain("relay")
    assert kept.nodes == planned.nodes


class Stored:
    """A cluster with chain specs, cut into pieces of so many bytes."""

    def __init__(self, specs, size, missing=()):
        self.items = []
        for name, spec in specs.items():
            packed = gzip.compress(spec)
            for index, start in enumerate(range(0, len(packed), size)):
                if (name, index) not in missing:
                    chunk = base64.b64encode(packed[start : start + size]).decode()
                    metadata = {"name": f"chain-{name}-{index:04d}", "labels": {"coalmine.dev/chain": name}}
                    data = {"data": {"genesis-hash": "0x01"}} if index == 0 else {}
                    self.items.insert(0, {"metadata": metadata, "binaryData": {f"{index:04d}": chunk}, **data})

    def list(self, *_):
        return self.items


@given(st.binary(min_size=1, max_size=300), st.integers(5, 50))
def test_running_specs_are_read_from_their_pieces(spec, size):
    assert continuity.running_chains(Stored({"relay": spec}, size), "n") == {"relay": RunningChain(spec, "0x01")}


def test_a_spec_whose_pieces_are_not_all_there_runs_nowhere():
    spec = bytes(range(256)) * 4
    cut = Stored({"relay": spec, "nest": spec}, 100, missing={("relay", 2), ("relay", 3), ("relay", 1)})
    assert list(continuity.running_chains(cut, "n")) == ["nest"]


# Differences

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


@given(documents)
def test_nothing_differs_from_itself(document):
    assert list(differences(document, document)) == []
    assert list(declared_differences(document, document)) == []


@given(st.dictionaries(st.sampled_from("abcd"), documents), st.dictionaries(st.sampled_from("abcd"), documents))
def test_what_differs_as_declared_differs(live, declared):
    whole = set(differences(live, declared))
    assert set(declared_differences(live, declared)) <= whole


def test_bookkeeping_and_status_are_no_differences():
    live = {"metadata": {"resourceVersion": "1", "generation": 3}, "status": {"a": 1}, "spec": {"status": 1}}
    assert list(differences(live, {"metadata": {}, "spec": {"status": 2}})) == ["spec.status"]
