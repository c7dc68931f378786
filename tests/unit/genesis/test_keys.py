from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.genesis import keys
from tests.budget import schedules

DEV = bytes.fromhex("fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e")
"""The mini secret of Substrate's well-known development phrase: its `//Alice` is printed in every tool."""

seeds = st.binary(min_size=32, max_size=32)


def test_derivation_is_substrates_where_substrate_derives_seeds():
    assert keys.derive(DEV, "//Alice", "ed25519").public.hex() == (
        "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee"
    )
    assert keys.derive(DEV, "//Alice", "ecdsa").public.hex() == (
        "020a1091341fe5664bfa1782d5e04779689068c916b04cb365ec3153755684d9a1"
    )


def test_derivation_stays_what_it_is():
    # Another result would change the authorities of every network that stands already.
    assert keys.derive(DEV, "//validator//0//babe", "sr25519").public.hex() == (
        "76734cffffa01cf2c58ae2e7367d839a8365b86e8b542a714cd5401e0e133524"
    )


@settings(max_examples=schedules(20), deadline=None)
@given(seeds)
def test_a_keystore_can_read_each_secret_and_none_is_the_seed(seed):
    pairs = keys.node_keys(seed, group="validator", ordinal=0, types=keys.RELAY_KEY_TYPES)
    public = {"sr25519": keys.sr25519_public, "ed25519": keys.ed25519_public, "ecdsa": keys.ecdsa_public}
    for pair in (*pairs.values(), keys.sudo(seed), keys.stash(seed, group="validator", ordinal=0)):
        assert len(pair.secret) == 32
        assert pair.secret != seed
        assert public[pair.scheme](pair.secret) == pair.public


def test_a_peer_id_is_libp2ps():
    # The key of 32 zero bytes, as `subkey inspect-node-key` prints it.
    assert keys.peer_id(keys.ed25519_public(bytes(32))) == "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@settings(max_examples=schedules(20), deadline=None)
@given(seeds, seeds)
def test_no_two_keys_of_one_network_or_of_two_are_equal(one, other):
    found = [
        pair.public
        for seed in {one, other}
        for group in ("validator", "full")
        for ordinal in range(2)
        for pair in (
            keys.network_key(seed, group=group, ordinal=ordinal),
            keys.stash(seed, group=group, ordinal=ordinal),
            *keys.node_keys(seed, group=group, ordinal=ordinal, types=keys.RELAY_KEY_TYPES).values(),
        )
    ]
    assert len(set(found)) == len(found)


@settings(max_examples=schedules(20), deadline=None)
@given(seeds, st.binary(max_size=64), st.binary(max_size=64))
def test_a_signature_is_good_for_its_message_and_key_only(seed, message, other):
    pair = keys.sudo(seed)
    signature = keys.sign(pair, message)
    assert keys.verify(pair.public, message, signature)
    assert keys.verify(pair.public, other, signature) == (other == message)
    assert not keys.verify(keys.stash(seed, group="a", ordinal=0).public, message, signature)
    assert not keys.verify(pair.public, message, b"short")


def test_a_key_pair_does_not_print_its_secret():
    pair = keys.sudo(DEV)
    assert pair.secret.hex() not in repr(pair)
