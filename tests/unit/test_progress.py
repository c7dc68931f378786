"""Long work is never silent for longer than thirty seconds, nor louder than a line in ten."""

import contextlib
import itertools
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.progress import LOOK, Far, Work, silent, size, taken, tell, under_way, written


class Past:
    """Work whose steps at each look are known, and the clock by which it is looked at."""

    def __init__(self, steps):
        self.now = 0.0
        self.steps = steps
        self.told = []

    def far(self):
        return Far(sum(self.steps[: int(self.now / LOOK)]), 100, "nodes")

    def ended(self, seconds):
        self.now += seconds
        return self.now > len(self.steps) * LOOK

    def run(self):
        tell(lambda line: self.told.append((self.now, line)), Work("work", self.far), self.ended, lambda: self.now)
        return [0.0, *(at for at, _ in self.told)]


@given(st.lists(st.sampled_from([0, 0, 0, 0, 1]), max_size=200))
def test_lines_are_ten_to_thirty_seconds_apart_whatever_the_work_does(steps):
    past = Past(steps)
    times = past.run()
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert all(10 <= gap <= 30 for gap in gaps)
    assert len(steps) * LOOK - times[-1] <= 30


@given(st.integers(0, 30))
def test_work_that_advances_is_told_of_sooner_than_work_that_stands(looks):
    advancing, standing = Past([1] * looks), Past([0] * looks)
    assert len(advancing.run()) == 1 + int(looks * LOOK / 10)
    assert len(standing.run()) == 1 + int(looks * LOOK / 26)


def test_a_line_says_how_far_the_work_is_and_how_long_it_has_taken():
    past = Past([1] * 5)
    past.run()
    assert past.told == [(10.0, "work: 5 of 100 nodes, 10 s so far")]


@pytest.mark.parametrize(
    ("far", "line"),
    [
        (Far(), "work: 8 s so far"),
        (Far(0, 3, "nodes"), "work: 0 of 3 nodes, 8 s so far"),
        (Far(1, 3, "nodes", "waiting for a"), "work: 1 of 3 nodes, 8 s so far; waiting for a"),
        (Far(remark="waiting for a"), "work: 8 s so far; waiting for a"),
        (Far(120, 1409, "packages"), "work: 120 of 1409 packages, 8 s so far"),
        (Far(9_940_000, 318_000_000), "work: 9.9 of 318 MB, 8 s so far"),
        (Far(31_200_000), "work: 31 MB, 8 s so far"),
    ],
)
def test_what_can_be_counted_is_said_and_nothing_else(far, line):
    assert Work("work", lambda: far).line(8.2) == line


def test_a_watcher_is_given_the_work_and_others_a_thread_that_ends_with_it():
    shown = []

    class Watching:
        def __call__(self, line):
            raise AssertionError(line)

        @contextlib.contextmanager
        def watch(self, work):
            shown.append(work)
            yield

    work, before = Work("work"), threading.active_count()
    with under_way(Watching(), work):
        assert threading.active_count() == before
    assert shown == [work]
    with under_way(silent, work):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_bytes_are_those_of_all_files_below_and_nothing_is_counted_before_there_are_some(tmp_path):
    place = tmp_path / "a"
    assert written(place, 9)() == Far()
    (place / "b").mkdir(parents=True)
    assert written(place, 9)() == Far()
    (place / "c").write_bytes(b"123")
    (place / "b" / "d").write_bytes(b"4567")
    (place / "b" / "link").symlink_to(tmp_path)
    assert written(place, 99)().done == size(place) == 7 + len(str(tmp_path))
    assert written(place / "c", 3)() == Far(3, 3, "bytes")


def test_what_another_program_has_read_of_a_file_is_counted(tmp_path):
    (tmp_path / "file").write_bytes(bytes(10))
    with (tmp_path / "file").open("rb") as stream:
        far = taken(stream)
        copy = os.dup(stream.fileno())  # As a child has it.
        os.read(copy, 4)
        os.close(copy)
        assert far() == Far(4, 10, "bytes")
