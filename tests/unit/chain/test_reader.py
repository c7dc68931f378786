"""The reader against a chain in memory, whose states are written as the pallets encode them."""

import pytest

from orchestrator.chain import Head, SubstrateReader, upgrader
from orchestrator.chain import storage_keys as keys
from orchestrator.chain.rpc import Refusal
from orchestrator.errors import ChainError, Refused
from orchestrator.genesis import keys as secrets
from orchestrator.genesis.header import blake2_256
from orchestrator.runtime import blob
from orchestrator.spec import ModelRuntime
from tests.controller.fake_chain import FakeChain, FakeNode

SUDO = secrets.sudo(bytes(32))
CODE = blob.model_blob(ModelRuntime(spec_name="canary", spec_version=7, transaction_version=3))


@pytest.fixture
def chain():
    chain = FakeChain(CODE, SUDO)
    chain.author(5)
    return chain


@pytest.fixture
def reader(chain):
    return SubstrateReader(FakeNode("n", chain))


def test_heads_have_number_and_hash(reader, chain):
    assert reader.best() == Head(5, chain.hash(5))
    assert reader.finalized() == Head(3, chain.hash(3))
    assert reader.hash_at(9) is None
    assert reader.genesis_hash() == chain.hash(0)


def test_the_runtime_is_read_at_a_block(reader, chain):
    new = blob.model_blob(ModelRuntime(spec_name="canary", spec_version=8))
    chain.author(put={keys.CODE: new})
    assert reader.runtime_version().spec_version == 8
    old = reader.runtime_version(chain.hash(5))
    assert (old.spec_name, old.spec_version, old.transaction_version) == ("canary", 7, 3)
    assert reader.code_hash() == "0x" + blake2_256(new).hex()


def test_an_upgrade_is_noted_by_the_first_block_that_new_code_builds(reader, chain):
    chain.author(put={keys.CODE: blob.model_blob(ModelRuntime(spec_name="canary", spec_version=300))})
    assert reader.last_runtime_upgrade().spec_version == 7
    chain.author()
    assert reader.last_runtime_upgrade().spec_version == 300
    assert reader.last_runtime_upgrade().spec_name == "canary"


def test_what_is_not_there_is_none_or_zero(reader):
    assert reader.authorized_upgrade() is None
    assert reader.session() == 0
    assert reader.max_code_size() is None
    assert reader.go_ahead(2000) is None
    assert reader.current_code_hash(2000) is None
    assert not reader.pending_validation_code()
    assert not reader.restricted(2000)


def test_a_parachains_upgrade_on_the_relay_chain(reader, chain):
    def at(item):
        return keys.of_para("Paras", item, 2000)

    chain.author(put={keys.SESSION: b"\x09\0\0\0", keys.ACTIVE_CONFIGURATION: b"\0\0\x50\0" + b"rest"})
    chain.author(put={at("UpgradeGoAheadSignal"): b"\1", at("FutureCodeHash"): b"f" * 32})
    chain.author(put={at("UpgradeRestrictionSignal"): b"\0", at("Heads"): b"\x08hi"})
    assert (reader.session(), reader.max_code_size()) == (9, 5 * 1024 * 1024)
    assert (reader.go_ahead(2000), reader.future_code_hash(2000)) == ("GoAhead", b"f" * 32)
    assert (reader.restricted(2000), reader.para_head(2000)) == (True, b"\x08hi")
    chain.author(put={at("UpgradeGoAheadSignal"): b"\0"})
    assert reader.go_ahead(2000) == "Abort"
    assert reader.go_ahead(2000, chain.hash(7)) == "GoAhead"


def test_an_unknown_block_is_an_error_of_the_chain(reader):
    with pytest.raises(ChainError):
        reader.runtime_version("0x" + "00" * 32)


def test_authorise_is_signed_over_canonical_json_and_apply_is_not_signed(reader, chain):
    one = upgrader(reader.rpc, SUDO)
    code = blob.model_blob(ModelRuntime(spec_name="canary", spec_version=8))
    with pytest.raises(Refusal, match="Invalid Transaction"):
        one.apply(code)
    one.authorize(blake2_256(code))
    chain.author()
    assert reader.authorized_upgrade() == blake2_256(code)
    assert [event.name for event in one.events(chain.hash(6))] == ["Sudid"]
    one.apply(code)
    chain.author()
    assert reader.runtime_version().spec_version == 8
    assert chain.nonce == 1


def test_a_wrong_sudo_key_is_refused_by_the_pool(reader):
    with pytest.raises(Refusal) as caught:
        upgrader(reader.rpc, secrets.sudo(b"x" * 32)).authorize(b"h" * 32)
    assert caught.value.code == 1010


def test_another_client_is_refused_by_name(reader, chain):
    chain._rpc_methods = lambda: {"methods": ["chain_getHeader"]}
    with pytest.raises(Refused, match="n runs Fake"):
        upgrader(reader.rpc, SUDO)
