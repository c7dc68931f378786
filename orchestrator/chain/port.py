"""What coalmine asks of a chain, whichever client serves it. Implemented by `reader` and `simnode`."""

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
    """What a block's execution deposited."""

    pallet: str
    name: str
    data: dict[str, Any]


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
