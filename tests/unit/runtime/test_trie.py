"""Roots: vectors from others' tests, and properties that no vector covers. Real states are in tests/real."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.runtime import trie
from orchestrator.runtime.hashing import blake2_256

ENTRIES = st.dictionaries(st.binary(max_size=4), st.binary(max_size=80), max_size=20)


@pytest.mark.parametrize(
    ("entries", "node"),
    [
        # The nodes of smoldot's and sp-trie's own tests: a leaf, and a branch of two leaves inside it.
        ({b"\xaa": b"\xbb"}, "42 aa 04 bb"),
        ({b"\x48\x19": b"\xfe", b"\x13\x14": b"\xff"}, "80 1200 14 43 0314 04 ff 14 43 0819 04 fe"),
        # By hand, after the specification: values at a branch, a partial key of odd length, a shared one.
        ({b"": b"\x01", b"\x12": b"\x02"}, "c0 0200 04 01 10 41 02 04 02"),
        ({b"\x12\x34": b"\x01", b"\x12\x35": b"\x02"}, "83 0123 3000 0c 40 04 01 0c 40 04 02"),
    ],
)
@pytest.mark.parametrize("version", [0, 1])
def test_the_root_is_the_hash_of_the_known_node(entries, node, version):
    assert trie.root(entries, version) == blake2_256(bytes.fromhex(node))


def test_a_long_value_is_hashed_from_version_1_on():
    value = bytes(33)
    assert trie.root({b"\xaa": value}, 0) == blake2_256(b"\x42\xaa" + bytes([33 << 2]) + value)
    assert trie.root({b"\xaa": value}, 1) == blake2_256(b"\x22\xaa" + blake2_256(value))
    assert trie.root({b"\xaa": bytes(32)}, 0) == trie.root({b"\xaa": bytes(32)}, 1)


@pytest.mark.parametrize(
    ("nibbles", "header"),
    [(62, "7e"), (64, "7f01"), (63 + 254 + 1, "7fff00"), (63 + 255 + 256, "7fffff01")],
)
def test_the_length_of_a_long_partial_key_takes_more_bytes(nibbles, header):
    key = bytes(nibbles // 2)
    assert trie.root({key: b""}, 0) == blake2_256(bytes.fromhex(header) + key + b"\0")


def test_no_entries_have_the_known_root():
    assert trie.root({}, 0) == trie.root({}, 1) == trie.EMPTY_ROOT == blake2_256(b"\0")
    assert trie.ordered_root([], 0) == trie.EMPTY_ROOT


@given(ENTRIES, st.integers(0, 1), st.randoms(use_true_random=False))
def test_the_root_does_not_depend_on_the_order_of_entries(entries, version, random):
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    assert trie.root(dict(shuffled), version) == trie.root(entries, version)


@given(ENTRIES, ENTRIES, st.integers(0, 1))
def test_two_states_have_one_root_only_when_they_are_one(one, other, version):
    assert (trie.root(one, version) == trie.root(other, version)) == (one == other)


def test_a_list_is_rooted_by_compact_indices():
    values = [bytes([number]) for number in range(100)]
    by_hand = {bytes([n << 2]) if n < 64 else bytes([(n << 2 | 1) & 255, n >> 6]): values[n] for n in range(100)}
    assert trie.ordered_root(values, 0) == trie.root(by_hand, 0)
