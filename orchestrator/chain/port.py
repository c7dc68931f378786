"""Protocols of a chain, for every client. Implemented by `reader`, `substrate` and `simnode`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.chain.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Head:
    """A block by number and hash (`0x…`)."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """The part of `state_getRuntimeVersion` that coalmine uses."""

    spec_name: str
    spec_version: int
    transaction_version: int


class ChainReader(Protocol):
    """One node's view of one chain. Every method raises ChainError if the node refuses or does not answer."""

    def best(self) -> Head: ...

    def finalized(self) -> Head: ...

    def hash_at(self, number: int) -> str | None: ...

    def genesis_hash(self) -> str: ...

    def runtime_version(self, at: str | None = None) -> RuntimeVersion: ...

    def session(self, at: str | None = None) -> int: ...

    def peer_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a block, with the pallet's names.

    `data` holds the decoded fields by name, or by position (`"0"`, `"1"`) if they have no names. Values are numbers,
    texts, `0x…` for hashes and bytes, an enum as its variant's name or `{name: content}`, a pallet's error as
    `Pallet.Error`. `extrinsic` is the index of its transaction in the block; None for the block's own events.
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
        """The parachain of a relay chain's event. None if the event names none."""
        found = self.data.get("para_id")
        if found is None and isinstance(receipt := self.data.get("receipt"), dict):
            found = receipt.get("descriptor", {}).get("para_id")
        return int(found) if found is not None else None


class RuntimeReader(Protocol):
    """Reads that need the runtime's types. Every method raises ChainError."""

    def events(self, at: str) -> tuple[Event, ...]:
        """The events of a block, where silent failures show."""
        ...

    def value(self, pallet: str, item: str, *keys: Any, at: str) -> Any:
        """A decoded storage value in a block's state. If nothing is stored, the item's default or None."""
        ...

    def values(self, pallet: str, item: str, *keys: Any, at: str) -> tuple[Any, ...]:
        """The values of all entries of a map, or of the entries under its first keys."""
        ...

    def vocabulary(self) -> Vocabulary:
        """The names of the runtime in the best block's state."""
        ...


class Upgrader(Protocol):
    """Sends an upgrade's transactions. Their effect is read from the chain, never from the answer."""

    def authorize(self, code_hash: bytes) -> str:
        """Authorises the code by its hash, as root. Returns the transaction's hash."""
        ...

    def apply(self, code: bytes) -> str:
        """Applies the authorised code, unsigned. Returns the transaction's hash."""
        ...

    def events(self, at: str) -> tuple[Event, ...]:
        """The events of a block, where silent failures show."""
        ...


POOL = 0
"""The key in `Cores.held` for cores whose blocks are sold on demand. Parachains' keys are their ids."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The relay chain's cores: how many there are, how many each parachain holds, and which are free."""

    number: int
    held: Mapping[int, int]
    free: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that was sent, and the first block that may contain it."""

    hash: str
    since: int
