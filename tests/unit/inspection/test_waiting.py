"""Waiting: all conditions at once, with progress, and at the end of the time with what is missing and why."""

import contextlib

import pytest

from orchestrator.errors import ReadinessError
from orchestrator.inspection import waiting
from orchestrator.progress import Far


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds


class After:
    """Holds from a moment on, for all who are asked."""

    def __init__(self, clock, name, seconds, asked=frozenset()):
        self.asked = asked
        self.clock, self.name, self.moment, self.looks = clock, name, clock.now + seconds, 0

    def missing(self):
        self.looks += 1
        return {} if self.clock.now >= self.moment else {"validator-0": "best 3"}


def test_each_condition_is_told_when_it_holds_and_not_looked_at_again():
    clock, said = Clock(), []
    first, second = After(clock, "first", 1), After(clock, "second", 12)
    waiting.wait([first, second], 60, said.append, clock)
    assert said == [
        "first (1.0 s)",
        "second: waiting for validator-0 (best 3)",
        "second (12.0 s)",
    ]
    assert first.looks == 3


def test_when_the_time_is_over_it_says_what_is_missing():
    clock = Clock()
    with pytest.raises(ReadinessError, match=r"late: not within 7 s: validator-0 \(best 3\)"):
        waiting.wait([After(clock, "late", 8)], 7, lambda _: None, clock)
    assert clock.now == 107.0


def test_no_time_at_all_is_one_look():
    clock = Clock()
    waiting.wait([After(clock, "now", 0)], 0, lambda _: None, clock)
    with pytest.raises(ReadinessError):
        waiting.wait([After(clock, "soon", 0.1)], 0, lambda _: None, clock)


def test_what_changes_is_told_soon_and_what_does_not_seldom():
    clock, said, look = Clock(), [], {"n": 0}

    class Growing:
        name, asked = "grown", frozenset({"a", "b"})

        def missing(self):
            look["n"] += 1
            return {} if clock.now >= 190 else {"a": f"best {min(look['n'], 40)}"}

    waiting.wait([Growing()], 100, lambda line: said.append((clock.now - 100, line)), clock)
    assert [moment for moment, _ in said] == [5, 10, 15, 20, 50, 80, 90]


def test_the_hint_is_looked_for_in_what_is_missing_at_the_end():
    clock = Clock()
    with pytest.raises(ReadinessError) as caught:
        waiting.wait([After(clock, "late", 8)], 7, lambda _: None, clock, hint=lambda missing: f"see {list(missing)}")
    assert caught.value.hint == "see ['validator-0']"


def test_lines_say_how_many_nodes_of_all_have_come_so_far():
    clock, said = Clock(), []
    asked = frozenset({"validator-0", "validator-1", "full-0"})
    waiting.wait([After(clock, "late", 8, asked)], 10, said.append, clock)
    assert said == ["late: 2 of 3 nodes, waiting for validator-0 (best 3)", "late (8.0 s)"]


def test_who_watches_sees_each_condition_until_it_holds_and_is_told_that_it_did():
    clock, seen = Clock(), []

    class Watching:
        def __call__(self, line):
            seen.append(line)

        @contextlib.contextmanager
        def watch(self, work):
            before = work.far()
            seen.append(f"{work.what} begins")
            yield
            seen.append(f"{work.what} ends")
            assert before == work.far() == Far()

    waiting.wait([After(clock, "late", 80, {"validator-0"}), After(clock, "soon", 1)], 90, Watching(), clock)
    assert seen == [
        *("late begins", "soon begins"),
        *("soon ends", "soon (1.0 s)"),
        *("late ends", "late (80.0 s)"),
    ]


def test_of_many_that_are_missing_three_are_named():
    missing = {f"validator-{number}": "away" for number in range(5)}
    assert waiting.summary(missing) == "validator-0 (away), validator-1 (away), validator-2 (away) and 2 more"
