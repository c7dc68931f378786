"""The protocol between consensus and state transition. `model` implements it; code that executes real wasm could, too.

It has the shape of a Substrate runtime: a block begins, extrinsics are applied one by one, the block is finished. If
the runtime panics when the block begins, no node can build or import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.runtime.blob import RuntimeVersion
from simnode.core.messages import Hash

Event = Mapping[str, Any]
"""`{"pallet": …, "event": …, "data": {…}}`, with the names of the real pallets."""


@dataclass(frozen=True, slots=True)
class State:
    """The storage after a block, with real keys and values, and its root. `values` must not be changed."""

    values: Mapping[bytes, bytes]
    root: bytes

    def get(self, key: bytes) -> bytes | None:
        return self.values.get(key)


@dataclass(frozen=True, slots=True)
class Names:
    """What a runtime has: `Pallet.Item` of each storage item, and `Pallet.Event` of each event."""

    storage: frozenset[str]
    events: frozenset[str]

    def __or__(self, other: "Names") -> "Names":
        return Names(self.storage | other.storage, self.events | other.events)


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a block before its first extrinsic."""

    number: int
    parent: Hash
    slot: int


@dataclass(frozen=True, slots=True)
class BlockOutcome:
    """The result of a block. `logs` are digest items that the runtime adds to the header."""

    state: State
    events: tuple[Event, ...]
    logs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Validity:
    """What the pool may do with a valid extrinsic: include it now, or keep it until its nonce is next."""

    ready: bool
    priority: int = 0


class InvalidTransaction(Exception):  # noqa: N818  Substrate's own word; RPC shows the text as error 1010's data.
    """An extrinsic that may not be included."""


class RuntimePanic(Exception):  # noqa: N818  As above.
    """The runtime trapped, so the block is impossible."""


class Execution(Protocol):
    """The execution of a block."""

    def apply(self, extrinsic: str) -> None:
        """Applies one extrinsic, `0x…`. A failed dispatch is included, with an event that says so.

        Raises:
            InvalidTransaction: it may not be included. The state is unchanged.
            RuntimePanic: the runtime panics, which an inherent can cause.
        """
        ...

    def finish(self) -> BlockOutcome: ...


class StateTransition(Protocol):
    """A chain's rules."""

    names: Names

    def genesis(self) -> State: ...

    def begin(self, parent: State, context: Context) -> Execution:
        """Begins a block. Runs migrations if its code is new.

        Raises:
            RuntimePanic: a migration fails.
        """
        ...

    def validate(self, state: State, extrinsic: str) -> Validity:
        """Judges an extrinsic for the pool.

        Raises:
            InvalidTransaction: it is invalid. The text is that of a real node's RPC.
        """
        ...

    def version(self, state: State) -> RuntimeVersion: ...

    def nonce(self, state: State, account: bytes) -> int: ...
