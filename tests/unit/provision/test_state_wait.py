"""Waiting: all conditions at once, with progress, and at the end of the time with what is missing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.errors import ReadinessError, UsageError
from orchestrator.provision import state_wait


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds


class After:
    """Holds from a moment on."""

    def __init__(self, clock, name, seconds):
        self.clock, self.name, self.moment, self.looks = clock, name, clock.now + seconds, 0

    def missing(self):
        self.looks += 1
        return {} if self.clock.now >= self.moment else {"validator-0": "best 3"}


def test_each_condition_is_told_when_it_holds_and_not_looked_at_again():
    clock, said = Clock(), []
    first, second = After(clock, "first", 1), After(clock, "second", 12)
    state_wait.wait([first, second], 60, said.append, clock)
    assert said == [
        "first (1.0 s)",
        "second: waiting for validator-0 (best 3)",
        "second: waiting for validator-0 (best 3)",
        "second (12.0 s)",
    ]
    assert first.looks == 3


def test_when_the_time_is_over_it_says_what_is_missing():
    clock = Clock()
    with pytest.raises(ReadinessError, match=r"late: not within 7 s: validator-0 \(best 3\)"):
        state_wait.wait([After(clock, "late", 8)], 7, lambda _: None, clock)
    assert clock.now == 107.0


def test_no_time_at_all_is_one_look():
    clock = Clock()
    state_wait.wait([After(clock, "now", 0)], 0, lambda _: None, clock)
    with pytest.raises(ReadinessError):
        state_wait.wait([After(clock, "soon", 0.1)], 0, lambda _: None, clock)


@pytest.mark.parametrize("text", ["ready", "best=0", "finalized=12", "session=3", "parachain-included=2000,2001"])
def test_known_conditions_are_read(text):
    assert state_wait.parse(text).word == text.partition("=")[0]


@given(st.text())
def test_all_else_is_a_mistake_that_names_the_known_ones(text):
    assume(text != "ready" and "=" not in text)
    with pytest.raises(UsageError) as caught:
        state_wait.parse(text)
    assert "parachain-included=ID" in caught.value.hint


@pytest.mark.parametrize("text", ["ready=1", "best", "best=", "best=-1", "best=x", "parachain-included=2000,", ""])
def test_near_misses_are_mistakes(text):
    with pytest.raises(UsageError):
        state_wait.parse(text)
