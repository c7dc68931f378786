"""What coalmine asks of a chain, whichever client serves it. Implemented by `reader`, `substrate` and `simnode`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """A block by number and hash (`0x…`)."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """What `state_getRuntimeVersion` says, as far as anybody asks."""

    spec_name: str
    spec_version: int
    transaction_version: int


class ChainReader(Protocol):
    """One node's view of one chain. Every method raises ChainError when the node says no or nothing."""

    def best(self) -> Head: ...

    def finalized(self) -> Head: ...

    def hash_at(self, number: int) -> str | None: ...

    def genesis_hash(self) -> str: ...

    def runtime_version(self, at: str | None = None) -> RuntimeVersion: ...

    def session(self, at: str | None = None) -> int: ...

    def peer_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Event:
    """What a block's execution deposited, under the names of the pallet.

    `data` holds the fields by name (by place, `"0"`, `"1"`, where neither pallet nor coalmine gives names), decoded:
    numbers, texts, `0x…` for hashes and bytes, an enum as its variant's name or `{name: content}`, a pallet's error as
    `Pallet.Error`. `extrinsic` is the place in the block of the transaction that it came of, None for the block's own.
    """

    pallet: str
    name: str
    data: Mapping[str, Any]
    extrinsic: int | None = None

    @property
    def title(self) -> str:
        return f"{self.pallet}.{self.name}"

    @property
    def para_id(self) -> int | None:
        """The parachain that an event of the relay chain is about, where it says."""
        found = self.data.get("para_id")
        if found is None and isinstance(receipt := self.data.get("receipt"), dict):
            found = receipt.get("descriptor", {}).get("para_id")
        return int(found) if found is not None else None


class RuntimeReader(Protocol):
    """Reads that need to know the runtime's types. Every method raises ChainError."""

    def events(self, at: str) -> tuple[Event, ...]:
        """The events of a block, where silent failures show."""
        ...

    def value(self, pallet: str, item: str, *keys: Any, at: str) -> Any:
        """A storage value in a block's state, decoded; what is not stored is the item's default, or None."""
        ...

    def values(self, pallet: str, item: str, *keys: Any, at: str) -> tuple[Any, ...]:
        """The values of all entries of a map, or of those under its first keys."""
        ...


class Upgrader(Protocol):
    """Sends what an upgrade needs. What comes of it is read from the chain, never from the answer."""

    def authorize(self, code_hash: bytes) -> str:
        """Root authorises the code by its hash; the transaction's hash."""
        ...

    def apply(self, code: bytes) -> str:
        """Anybody applies the authorised code; the transaction's hash."""
        ...

    def events(self, at: str) -> tuple[Event, ...]:
        """The events of a block, where silent failures show."""
        ...


POOL = 0
"""In `Cores.held`, where parachains stand by their ids: cores whose blocks are sold on demand."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The relay chain's cores: how many it has, how many each parachain holds, and which nobody does."""

    number: int
    held: Mapping[int, int]
    free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction, and the first block that may hold it."""

    hash: str
    since: int
