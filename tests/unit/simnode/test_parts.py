"""The small parts: the wire, the tree, the database, addresses, slots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.genesis.header import Header
from simnode.arguments import address, parse
from simnode.core import babe, messages
from simnode.core.messages import Block, Candidate, Vote
from simnode.core.tree import Tree
from simnode.database import Database
from simnode.rpc import ss58

CANDIDATE = Candidate(2000, "0xaa", 3, "0xbb", "0x" + "00" * 98, 4, "0xcc", None, False, 1)
BLOCK = Block(Header(bytes(32), 7, bytes(32), bytes(32), (babe.aura_log(babe.Claim(9, 0, True)),)), ("0x00", "0x01"))
VOTE = Vote(1, 0, 2, "0xdd", 5)
MESSAGES = [
    messages.NewBlock(BLOCK),
    messages.Announce("0xaa", 1),
    messages.BlockRequest("0xaa", ("0xbb", "0xcc")),
    messages.BlockResponse("0xaa", (BLOCK, BLOCK)),
    messages.Status("0xaa", 1, "0xbb", 2, 3, (1, 2, 3, 4)),
    messages.Votes((VOTE, VOTE)),
    messages.Commit(1, "0xaa", 2, (VOTE,), (("0xaa", "0xbb"),)),
    messages.CatchUpRequest(3),
    messages.CatchUp(3, (VOTE,)),
    messages.Transactions(("0x00",)),
    messages.Collation(CANDIDATE),
    messages.Statement(1, CANDIDATE),
    messages.Bitfield("0xaa", 1, ("0xbb",)),
    messages.ChunkRequest("0xaa"),
    messages.Chunk("0xaa"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_every_message_reads_back(message):
    assert messages.decode(messages.encode(message)) == message


def test_hashes_survive_the_wire():
    again = messages.decode(messages.encode(messages.NewBlock(BLOCK))).block
    assert again.hash == BLOCK.hash
    assert messages.decode(messages.encode(messages.Collation(CANDIDATE))).candidate.hash == CANDIDATE.hash


@given(st.one_of(st.binary(max_size=50), st.sampled_from([b"[]", b"[1]", b'["votes",[[1]]]', b'["block",["zz",[]]]'])))
def test_what_is_no_message_is_refused_and_nothing_else_is_raised(data):
    with pytest.raises(ValueError):  # noqa: PT011  Whatever it says.
        messages.decode(data)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=120), st.data())
def test_the_tree_finds_ancestors_as_walking_down_does(backs, data):
    tree = Tree("r", 0, None)
    names, up = ["r"], {"r": None}
    for index, back in enumerate(backs):
        parent = names[max(0, len(names) - 1 - back)]
        name = f"b{index}"
        tree.insert(name, parent, None)
        names.append(name)
        up[name] = parent

    def chain(name):
        found = []
        while name is not None:
            found.append(name)
            name = up[name]
        return found[::-1]

    one, other = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    line, second = chain(one), chain(other)
    for number, name in enumerate(line):
        assert tree.ancestor(one, number) == name
    assert tree.ancestor(one, len(line)) is None
    assert tree.is_ancestor(other, one) == (other in line)
    common = [left for left, right in zip(line, second, strict=False) if left == right][-1]
    assert tree.common_ancestor(one, other) == common
    assert set(tree.leaves()) == set(names) - set(up.values())


def test_fork_choice_counts_primary_blocks_before_length():
    tree = Tree("r", 0, None)
    tree.insert("a1", "r", None, weight=1)
    tree.insert("b1", "r", None)
    tree.insert("b2", "b1", None)
    assert tree.best_containing("r") == "a1", "one primary block outweighs two secondary ones"
    tree.insert("c2", "a1", None)
    tree.insert("d2", "a1", None)
    assert tree.best_containing("r") == "c2", "between equals the first seen stays"


def test_finality_rules_out_forks_and_cannot_be_contradicted():
    tree = Tree("r", 0, None)
    for name, parent in (("a1", "r"), ("a2", "a1"), ("b1", "r")):
        tree.insert(name, parent, None)
    assert tree.finalize("a1") == ["a1"]
    assert tree.leaves() == ["a2"]
    with pytest.raises(AssertionError, match="safety broken"):
        tree.finalize("b1")
    tree.insert("b2", "b1", None)
    assert tree.leaves() == ["a2"]


def test_a_half_written_record_is_cut_off(tmp_path):
    database = Database(tmp_path)
    list(database.read())
    database.append({"a": 1})
    database.flush()
    database.close()
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"b":')
    database = Database(tmp_path)
    assert list(database.read()) == [{"a": 1}]
    database.append({"c": 2})
    database.close()
    again = Database(tmp_path)
    assert list(again.read()) == [{"a": 1}, {"c": 2}]
    again.close()


@pytest.mark.parametrize(
    "text",
    ["/dns4/v-0.v.ns.svc/tcp/30333/p2p/12D3KooWabc", "/ip4/127.0.0.1/tcp/1", "/dns4/v-0.v.ns.svc/tcp/30333"],
)
def test_addresses_read_back(text):
    assert str(address(text)) == text


def test_a_collators_command_line_has_two_sides():
    boot = "/dns4/v-0.v.ns.svc/tcp/30333/p2p/12D3KooWabc"
    own = ["--chain", "p.json", "--collator", "--base-path", "/d", "--node-key-file", "/k", "--name", "c"]
    found = parse([*own, "--", "--chain", "r.json", "--bootnodes", boot, boot])
    assert found.own.authority
    assert (found.own.port, found.own.rpc_port, found.own.prometheus_port) == (30333, 9944, 9615)
    assert found.relay.name == "c"
    assert (found.relay.port, found.relay.rpc_port, found.relay.prometheus_port) == (30334, 9945, 9616)
    assert found.relay.node_key_file == found.own.node_key_file
    assert len(found.relay.bootnodes) == 2
    assert not found.relay.authority


def test_every_slot_has_a_secondary_author_and_about_a_quarter_a_primary():
    randomness = bytes(32)
    claims = [[babe.babe_claim(randomness, slot, author, 4) for author in range(4)] for slot in range(2000)]
    primary = sum(any(claim is not None and claim.primary for claim in slot) for slot in claims)
    assert 420 < primary < 580
    assert all(any(claim is not None for claim in slot) for slot in claims)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**40), st.booleans())
def test_claims_read_back_from_headers(author, slot, primary):
    claim = babe.Claim(slot, author, primary)
    header = Header(bytes(32), 1, bytes(32), bytes(32), (babe.babe_log(claim, bytes(32)),))
    assert babe.read_babe(Header.decode(header.encode())) == claim


def test_addresses_are_those_of_substrate():
    """Alice's, which every Substrate tool knows."""
    alice = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
    assert ss58(alice) == "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
