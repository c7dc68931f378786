import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.runtime.allocator import Allocator


@given(st.integers(0, 5000), st.lists(st.integers(0, 3000) | st.none(), max_size=60))
def test_pieces_are_aligned_inside_the_reserved_heap_and_never_overlap(base, steps):
    reserved = [base]
    heap = Allocator(base, reserved.append)
    pieces = []
    for size in steps:
        if size is None:
            if pieces:
                heap.free(pieces.pop(0)[0])
            continue
        at = heap.allocate(size)
        assert at % 8 == 0
        assert at >= base + 8
        assert at + size <= max(reserved)
        assert all(at + size <= other or at >= other + length for other, length in pieces)
        pieces.append((at, max(size, 1)))


def test_a_freed_piece_serves_the_next_of_its_size():
    heap = Allocator(0, lambda _: None)
    first = heap.allocate(100)
    heap.free(first)
    assert heap.allocate(128) == first
    assert heap.allocate(128) != first


def test_what_was_never_given_out_cannot_be_freed():
    heap = Allocator(0, lambda _: None)
    with pytest.raises(KeyError):
        heap.free(8)


def test_more_than_the_memory_has_room_for_is_an_error():
    with pytest.raises(MemoryError, match="asks for"):
        Allocator(0, lambda _: None).allocate((1 << 32) + 1)
