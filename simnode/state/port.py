"""The port between consensus and state transition. Its adapter is `model`; one that executes real wasm can replace it.

Its shape is that of a Substrate runtime: a block begins, extrinsics are applied one by one, it is finished; a panic
while it begins means that nobody can build or import it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.runtime.blob import RuntimeVersion
from simnode.core.messages import Hash

Event = Mapping[str, Any]
"""`{"pallet": …, "event": …, "data": {…}}`, under the names of the real pallets."""


@dataclass(frozen=True, slots=True)
class State:
    """The storage after a block, under real keys and values, and its root. Nobody changes `values` once it is here."""

    values: Mapping[bytes, bytes]
    root: bytes

    def get(self, key: bytes) -> bytes | None:
        return self.values.get(key)


@dataclass(frozen=True, slots=True)
class Context:
    """What a block says of itself before its first extrinsic."""

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
    """What the pool may do with a valid extrinsic: include it now, or keep it until its nonce comes."""

    ready: bool
    priority: int = 0


class InvalidTransaction(Exception):  # noqa: N818  Substrate's own word; RPC shows the text as error 1010's data.
    """An extrinsic that may not be included."""


class RuntimePanic(Exception):  # noqa: N818  As above.
    """The runtime trapped: the block cannot be."""


class Execution(Protocol):
    """A block under way."""

    def apply(self, extrinsic: str) -> None:
        """Applies one extrinsic, `0x…`. A dispatch that fails is included and says so in an event.

        Raises:
            InvalidTransaction: when it may not be included; the state is as before.
            RuntimePanic: when it brings the runtime down, which an inherent can.
        """
        ...

    def finish(self) -> BlockOutcome: ...


class StateTransition(Protocol):
    """A chain's rules."""

    def genesis(self) -> State: ...

    def begin(self, parent: State, context: Context) -> Execution:
        """Starts a block, running migrations when its code is new.

        Raises:
            RuntimePanic: when that fails.
        """
        ...

    def validate(self, state: State, extrinsic: str) -> Validity:
        """Judges an extrinsic for the pool.

        Raises:
            InvalidTransaction: with the words that a real node's RPC gives.
        """
        ...

    def version(self, state: State) -> RuntimeVersion: ...

    def nonce(self, state: State, account: bytes) -> int: ...
