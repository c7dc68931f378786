"""The heap of a running runtime, which its host manages: Substrate's freeing-bump allocator.

Called by `host`. After `substrate/client/allocator/src/freeing_bump.rs`: powers of two, an 8-byte header before each
piece, one list of free pieces a size, and otherwise upwards from `__heap_base`. Headers and lists are kept here and not
in the runtime's memory, where nobody reads them.
"""

from collections.abc import Callable

_HEADER = 8
_SMALLEST = 8
_LARGEST = 1 << 32
"""As offchain; a call for genesis or a dry run is one."""


class Allocator:
    """Places pieces. `reserve` is called with the end of the heap before it is used, to grow the memory to it."""

    def __init__(self, heap_base: int, reserve: Callable[[int], None]) -> None:
        self._top = (heap_base + 7) // 8 * 8
        self._reserve = reserve
        self._free: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}

    def allocate(self, size: int) -> int:
        """The address of a piece of that many bytes or more.

        Raises:
            MemoryError: when no runtime may ask for so much.
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
        """Gives a piece back.

        Raises:
            KeyError: when there is none at that address.
        """
        self._free.setdefault(self._sizes.pop(at), []).append(at)
