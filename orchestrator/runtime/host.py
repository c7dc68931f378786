"""The environment of a runtime during a call: memory, heap, storage, log. The host functions are in `imports`.

One `Host` serves one call. `executor` creates it and reads its log.
"""

import ctypes
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.errors import RuntimeCallError
from orchestrator.runtime.allocator import Allocator
from orchestrator.runtime.storage import Storage

_LOW = 0xFFFFFFFF
_PAGE = 65536


class Memory(Protocol):
    """A runtime's linear memory. `executor` gets it from wasmtime."""

    def address(self) -> int:
        """Its address in our process. It may move when it grows."""

    def size(self) -> int:
        """Its size in bytes."""

    def grow(self, pages: int) -> None: ...


@dataclass(slots=True)
class Host:
    """The state of one call. `version_of` returns the encoded version of a blob, for runtimes that ask for it."""

    storage: Storage
    wasm: bytes
    log: list[str] = field(default_factory=list)
    panic: str | None = None
    _memory: Memory | None = None
    _heap: Allocator | None = None

    def attach(self, memory: Memory, heap_base: int) -> None:
        """Sets the instance's memory. Before that, no host function can be called."""
        self._memory = memory
        self._heap = Allocator(heap_base, self._reserve)

    @property
    def memory(self) -> Memory:
        assert self._memory is not None
        return self._memory

    @property
    def heap(self) -> Allocator:
        assert self._heap is not None
        return self._heap

    def read(self, at: int, length: int) -> bytes:
        """Reads bytes of the runtime's memory.

        Raises:
            RuntimeCallError: they are outside of it. As in `write`.
        """
        self._check(at, length)
        return ctypes.string_at(self.memory.address() + at, length)

    def write(self, at: int, data: bytes) -> None:
        self._check(at, len(data))
        ctypes.memmove(self.memory.address() + at, data, len(data))

    def place(self, data: bytes) -> int:
        """Copies bytes to the heap. Returns their address."""
        at = self.heap.allocate(len(data))
        self.write(at, data)
        return at

    def span(self, data: bytes) -> int:
        """Copies bytes to the heap. Returns their address (lower 32 bits) and their length (upper 32 bits)."""
        return self.place(data) | len(data) << 32

    def read_span(self, span: int) -> bytes:
        return self.read(span & _LOW, span >> 32 & _LOW)

    def _check(self, at: int, length: int) -> None:
        if at < 0 or at + length > self.memory.size():
            raise RuntimeCallError(f"the runtime points to {length} bytes at {at}, outside of its memory")

    def _reserve(self, end: int) -> None:
        missing = end - self.memory.size()
        if missing > 0:
            self.memory.grow(-(-missing // _PAGE))
