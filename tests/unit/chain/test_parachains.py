"""What relay chain and parachain hold of each other, as the pallets encode it; the real types check the layouts."""

import pytest

from orchestrator.chain import Backlog, Channel, Origin, ParachainReader, RoundState, SubstrateReader, absent
from orchestrator.chain import storage_keys as keys
from orchestrator.chain.parachains import LIFECYCLES
from orchestrator.errors import ChainError
from orchestrator.genesis.header import Header
from orchestrator.scale import compact, vector

from .recordings import RecordedNode, block_hash, decoded, metadata


@pytest.fixture(scope="session")
def westend():
    return decoded(metadata("westend-1025002"))


@pytest.fixture(scope="session")
def penpal():
    return decoded(metadata("penpal-1"))


@pytest.fixture
def node():
    return RecordedNode(b"")


@pytest.fixture
def reader(node):
    return ParachainReader(SubstrateReader(node))


@pytest.mark.parametrize("number", range(len(LIFECYCLES)))
def test_a_lifecycle_has_its_real_name(node, reader, westend, number):
    assert reader.lifecycle(2000) is None
    node.storage[2][keys.of_para("Paras", "ParaLifecycles", 2000)] = bytes([number])
    assert reader.lifecycle(2000) == westend.storage_value("Paras", "ParaLifecycles", bytes([number]))


def test_the_first_included_candidate_has_a_height_above_zero(node, reader):
    assert reader.included(2000) is None
    for number in (0, 1, 70_000):
        header = Header(bytes(32), number, bytes(32), bytes(32)).encode()
        node.storage[2][keys.of_para("Paras", "Heads", 2000)] = vector(header)
        assert reader.included(2000) == number
    node.storage[2][keys.of_para("Paras", "Heads", 2000)] = vector(b"no header")
    with pytest.raises(ChainError, match="the head of parachain 2000 is not a Substrate header"):
        reader.included(2000)


def test_open_channels_tell_what_waits_in_them(node, reader, westend):
    value = {
        "max_capacity": 8, "max_total_size": 8192, "max_message_size": 1024, "msg_count": 3, "total_size": 300,
        "mqc_head": "0x" + "11" * 32, "sender_deposit": 5, "recipient_deposit": 6,
    }  # fmt: skip
    raw = westend.encode(westend._entry("Hrmp", "HrmpChannels").get_value_type_string(), value)
    node.storage[2][westend.storage_key("Hrmp", "HrmpChannels", {"sender": 2000, "recipient": 2001})] = raw
    expected = Channel(2000, 2001, max_messages=8, max_bytes=8192, messages=3, bytes=300)
    assert reader.channel(2000, 2001) == expected
    assert reader.channel(2001, 2000) is None
    assert reader.channels(block_hash(2)) == (expected,)
    assert reader.channels(block_hash(1)) == ()


def test_downward_messages_are_counted_in_both_layouts(node, reader, westend):
    assert reader.downward(2000) == 0
    old = compact(2) + b"".join((9).to_bytes(4, "little") + vector(b"xcm") for _ in range(2))
    node.storage[2][keys.of_para("Dmp", "DownwardMessageQueues", 2000)] = old
    assert reader.downward(2000) == 2
    kind = westend._entry("Dmp", "DownwardMessageQueueMeta").get_value_type_string()
    new = westend.encode(kind, {"first_full": 4, "first_free": 9})
    node.storage[2][westend.storage_key("Dmp", "DownwardMessageQueueMeta", 2000)] = new
    assert reader.downward(2000) == 5


@pytest.fixture(
    params=[
        ("westend", Origin.upward(2000), {"Ump": {"Para": 2000}}),
        ("penpal", Origin.parent(), "Parent"),
        ("penpal", Origin.sibling(2001), {"Sibling": 2001}),
    ],
    ids=["from a parachain", "from the relay chain", "from another parachain"],
)
def queue(request, westend, penpal):
    """A runtime, the origin of a queue there, and the same as the runtime's own types call it."""
    name, origin, key = request.param
    return {"westend": westend, "penpal": penpal}[name], origin, key


@pytest.mark.parametrize("neighbours", [False, True])
def test_a_backlog_is_counted_whether_or_not_its_queue_is_ready(node, reader, queue, neighbours):
    real, origin, key = queue
    assert reader.waiting(origin) == Backlog(0, 0)
    book = {
        "begin": 1, "end": 2, "count": 1, "message_count": 7, "size": 999,
        "ready_neighbours": {"prev": key, "next": key} if neighbours else None,
    }  # fmt: skip
    raw = real.encode(real._entry("MessageQueue", "BookStateFor").get_value_type_string(), book)
    node.storage[2][real.storage_key("MessageQueue", "BookStateFor", key)] = raw
    assert reader.waiting(origin) == Backlog(messages=7, bytes=999)


def test_a_vote_on_a_code_is_seen(node, reader):
    assert not reader.is_being_checked(b"c" * 32)
    node.storage[2][keys.PVF_ACTIVE_VOTES] = compact(2) + b"b" * 32 + b"c" * 32
    assert reader.is_being_checked(b"c" * 32)
    assert not reader.is_being_checked(b"d" * 32)


def test_authors_validators_and_root_are_read(node, westend):
    reader = SubstrateReader(node)
    assert (reader.authors(), reader.validators(), reader.sudo()) == ((), (), None)
    kind = westend._entry("Babe", "Authorities").get_value_type_string()
    babe = westend.encode(kind, [[("0x" + "0a" * 32, 1), ("0x" + "0b" * 32, 1)]])
    node.storage[2] = {keys.BABE_AUTHORITIES: babe, keys.VALIDATORS: compact(1) + b"v" * 32, keys.SUDO: b"s" * 32}
    assert reader.authors() == (b"\x0a" * 32, b"\x0b" * 32)
    assert (reader.validators(), reader.sudo()) == ((b"v" * 32,), b"s" * 32)
    node.storage[2] = {keys.AURA_AUTHORITIES: compact(1) + b"a" * 32}
    assert reader.authors() == (b"a" * 32,)


def test_keys_below_a_prefix_are_all_read_page_by_page(node):
    node.storage[2] = {b"map" + number.to_bytes(2, "big"): b"x" for number in range(1203)} | {b"mbp": b"", b"ma": b""}
    found = SubstrateReader(node).keys_below(b"map", block_hash(2))
    assert len(found) == len(set(found)) == 1203
    assert node.calls.count("state_getKeysPaged") == 3


# Rounds


def look(*rounds, set_id=0):
    def one(number, no_prevote, no_precommit):
        return {
            "round": number,
            "totalWeight": 4,
            "thresholdWeight": 3,
            "prevotes": {"currentWeight": 4 - len(no_prevote), "missing": list(no_prevote)},
            "precommits": {"currentWeight": 4 - len(no_precommit), "missing": list(no_precommit)},
        }

    best, *background = (one(*found) for found in rounds)
    return RoundState.of({"setId": set_id, "best": best, "background": background})


def test_who_misses_every_round_is_silent():
    assert look((9, "abcd", "abcd"), (8, "d", "cd")).silent == {"d"}
    assert look((9, "abcd", "abcd")).silent == set("abcd"), "a round just begun tells nothing yet"
    assert look((9, "", "abcd")).silent == set(), "they prevoted"


def test_a_few_looks_tell_the_absent_from_the_late():
    assert absent([look((9, "abcd", "abcd")), look((9, "cd", "abcd")), look((10, "bd", "bd"))]) == {"d"}
