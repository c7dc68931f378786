"""The messages between nodes. On the wire a message is a JSON array of its name and its fields.

JSON is larger than SCALE but needs no decoder of its own. At the rates of a test network that is the better choice.
"""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from orchestrator.genesis.header import Header, blake2_256

Hash = str
"""A 32-byte hash as `0x…`. RPC and the wire use the same form, so nothing has to convert it."""

PREVOTE, PRECOMMIT = 0, 1


@dataclass(frozen=True)
class Block:
    """A header and its extrinsics, each as `0x…`."""

    header: Header
    body: tuple[str, ...]

    @cached_property
    def hash(self) -> Hash:
        return "0x" + self.header.hash.hex()

    @cached_property
    def parent(self) -> Hash:
        return "0x" + self.header.parent_hash.hex()

    @property
    def number(self) -> int:
        return self.header.number

    def to_wire(self) -> list[Any]:
        return [self.header.encode().hex(), list(self.body)]

    @classmethod
    def from_wire(cls, data: list[Any]) -> "Block":
        return cls(Header.decode(bytes.fromhex(data[0])), tuple(data[1]))


class Vote(NamedTuple):
    """A prevote or precommit. It has no signature (see the docstring of `simnode`), and the set id is always 0."""

    round: int
    phase: int
    authority: int
    hash: Hash
    number: int


@dataclass(frozen=True, slots=True)
class Message:
    """Anything that is sent to a peer."""

    name: ClassVar[str]

    def to_wire(self) -> list[Any]:
        return [self.name, *(getattr(self, field.name) for field in fields(self))]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "Message":
        return cls(*(tuple(value) if isinstance(value, list) else value for value in values))


@dataclass(frozen=True, slots=True)
class NewBlock(Message):
    """A whole block, from its author."""

    name = "block"
    block: Block

    def to_wire(self) -> list[Any]:
        return [self.name, self.block.to_wire()]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "NewBlock":
        return cls(Block.from_wire(values[0]))


@dataclass(frozen=True, slots=True)
class Announce(Message):
    """The sender has imported a block. Peers without it may ask for it."""

    name = "announce"
    hash: Hash
    number: int


@dataclass(frozen=True, slots=True)
class BlockRequest(Message):
    """Asks for the blocks up to `tip`, after the highest block of `locator` that is an ancestor of it."""

    name = "block-request"
    tip: Hash
    locator: tuple[Hash, ...]


@dataclass(frozen=True, slots=True)
class BlockResponse(Message):
    """Some of the blocks up to `tip`, oldest first."""

    name = "block-response"
    tip: Hash
    blocks: tuple[Block, ...]

    def to_wire(self) -> list[Any]:
        return [self.name, self.tip, [block.to_wire() for block in self.blocks]]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "BlockResponse":
        return cls(values[0], tuple(Block.from_wire(item) for item in values[1]))


@dataclass(frozen=True, slots=True)
class Status(Message):
    """Sent to every peer once a second: sync status and GRANDPA's neighbour packet in one, and a sign of life.

    `masks` are bit masks of the authorities whose votes the sender has: prevotes and precommits of its round, then
    those of the round before. The receiver sends the missing votes, so votes survive any loss of messages.
    """

    name = "status"
    best: Hash
    best_number: int
    finalized: Hash
    finalized_number: int
    round: int
    masks: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Votes(Message):
    name = "votes"
    votes: tuple[Vote, ...]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "Votes":
        return cls(tuple(Vote(*item) for item in values[0]))


@dataclass(frozen=True, slots=True)
class Commit(Message):
    """Proof that a block is final. `ancestry` are the (hash, parent) pairs between it and the precommits above it."""

    name = "commit"
    round: int
    hash: Hash
    number: int
    precommits: tuple[Vote, ...]
    ancestry: tuple[tuple[Hash, Hash], ...]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "Commit":
        round_, hash_, number, votes, ancestry = values
        return cls(
            round_, hash_, number, tuple(Vote(*item) for item in votes), tuple((child, up) for child, up in ancestry)
        )


@dataclass(frozen=True, slots=True)
class CatchUpRequest(Message):
    """The sender is rounds behind and asks for the votes of a completed round."""

    name = "catch-up-request"
    round: int


@dataclass(frozen=True, slots=True)
class CatchUp(Message):
    """All votes of a completed round. With them the receiver can continue with the next round."""

    name = "catch-up"
    round: int
    votes: tuple[Vote, ...]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "CatchUp":
        return cls(values[0], tuple(Vote(*item) for item in values[1]))


@dataclass(frozen=True, slots=True)
class Transactions(Message):
    name = "transactions"
    extrinsics: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """A parachain block as the relay chain sees it.

    `migrates` means that the block is the first one that its code executes. A real validator finds that out by
    executing the block with its proof. The model has no parachain state, so the message says it.
    """

    para_id: int
    relay_parent: Hash
    relay_parent_number: int
    parent_head: Hash
    head: str
    number: int
    code_hash: Hash
    new_code: str | None
    migrates: bool
    collator: int

    @cached_property
    def hash(self) -> Hash:
        text = json.dumps(self.to_wire(), separators=(",", ":")).encode()
        return blake2(text)

    @cached_property
    def head_hash(self) -> Hash:
        return blake2(bytes.fromhex(self.head[2:]))

    def to_wire(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "Candidate":
        return cls(*values)


@dataclass(frozen=True, slots=True)
class Collation(Message):
    """From a collator to the validators of its parachain's backing group."""

    name = "collation"
    candidate: Candidate

    def to_wire(self) -> list[Any]:
        return [self.name, self.candidate.to_wire()]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "Collation":
        return cls(Candidate.from_wire(values[0]))


@dataclass(frozen=True, slots=True)
class Statement(Message):
    """A validator backs a candidate. The candidate is included, in place of fetching its receipt and PoV."""

    name = "statement"
    validator: int
    candidate: Candidate

    def to_wire(self) -> list[Any]:
        return [self.name, self.validator, self.candidate.to_wire()]

    @classmethod
    def from_wire(cls, values: list[Any]) -> "Statement":
        return cls(values[0], Candidate.from_wire(values[1]))


@dataclass(frozen=True, slots=True)
class Bitfield(Message):
    """The pending candidates of which a validator has a chunk, in the state after `relay_block`."""

    name = "bitfield"
    relay_block: Hash
    validator: int
    candidates: tuple[Hash, ...]


@dataclass(frozen=True, slots=True)
class ChunkRequest(Message):
    """Asks for a candidate that the sender has seen only on chain."""

    name = "chunk-request"
    candidate: Hash


@dataclass(frozen=True, slots=True)
class Chunk(Message):
    name = "chunk"
    candidate: Hash


_KINDS: dict[str, type[Message]] = {
    kind.name: kind
    for kind in (
        NewBlock, Announce, BlockRequest, BlockResponse, Status, Votes, Commit, CatchUpRequest, CatchUp, Transactions,
        Collation, Statement, Bitfield, ChunkRequest, Chunk,
    )
}  # fmt: skip


def blake2(data: bytes) -> Hash:
    """The hash function for blocks, code, extrinsics and candidates."""
    return "0x" + blake2_256(data).hex()


def encode(message: Message) -> bytes:
    return json.dumps(message.to_wire(), separators=(",", ":")).encode()


def decode(data: bytes) -> Message:
    """Decodes a message.

    Raises:
        ValueError: the bytes are not a message.
    """
    try:
        name, *values = json.loads(data)
        return _KINDS[name].from_wire(values)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no message of this protocol: {data[:80]!r}") from error
