"""The heap of a running runtime: Substrate's freeing-bump allocator. The host manages it. Called by `host`.

It follows `substrate/client/allocator/src/freeing_bump.rs`: sizes are powers of two, each piece has an 8-byte header,
each size has a list of free pieces, and new pieces are placed upwards from `__heap_base`. Headers and lists are kept
here, not in the runtime's memory, because nothing reads them there.
"""

from collections.abc import Callable

_HEADER = 8
_SMALLEST = 8
_LARGEST = 1 << 32
"""The offchain limit in bytes, which also applies to calls for genesis or a dry run."""


class Allocator:
    """Places pieces. It calls `reserve` with the new end of the heap before it uses it, to grow the memory."""

    def __init__(self, heap_base: int, reserve: Callable[[int], None]) -> None:
        self._top = (heap_base + 7) // 8 * 8
        self._reserve = reserve
        self._free: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}

    def allocate(self, size: int) -> int:
        """The address of a new piece with at least that many bytes.

        Raises:
            MemoryError: the size is larger than a runtime may ask for.
        """
        rounded = max(_SMALLEST, 1 << (size - 1).bit_length())
        if rounded > _LARGEST:
            raise MemoryError(f"the runtime asks for {size} bytes at once")
        free = self._free.get(rounded)
        if free:
            at = free.pop()
        else:
            at = self._top + _HEADER
            self._reserve(at + rounded)
            self._top = at + rounded
        self._sizes[at] = rounded
        return at

    def free(self, at: int) -> None:
        """Frees a piece.

        Raises:
            KeyError: there is no piece at that address.
        """
        self._free.setdefault(self._sizes.pop(at), []).append(at)
