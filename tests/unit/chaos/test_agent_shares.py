"""What part of what it wanted a pod did not get, from any two readings of its counters."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.agent.shares import Part, Reading, Thread, growth, shares

S = 10**9
NAMES = ("memory_stall", "io_stall", "cpu_throttled", "cpu_steal")


def reading(at, threads=None, **totals):
    threads = None if threads is None else {number: Thread(*times) for number, times in threads.items()}
    return Reading(at, threads, {name: Part(*pair) for name, pair in totals.items()})


def between(before, after):
    return shares([growth(before, after)])


def waited(before, after, seconds=1.0):
    return between(reading(0.0, before), reading(seconds, after))["cpu_wait"]


@pytest.mark.parametrize(
    ("before", "after", "ratio"),
    [
        pytest.param({1: (5 * S, 0)}, {1: (6 * S, 0)}, 0.0, id="ran all the time"),
        pytest.param({1: (5 * S, S)}, {1: (5 * S + S // 4, S + 3 * S // 4)}, 0.75, id="ran a quarter"),
        pytest.param({1: (5 * S, S)}, {1: (5 * S, S)}, 0.0, id="wanted nothing"),
        pytest.param({1: (0, 0), 2: (0, 0)}, {1: (S, 0), 2: (0, S)}, 0.5, id="one ran, one waited"),
        pytest.param({}, {7: (S // 2, S // 2)}, 0.5, id="a new thread brings its time"),
        pytest.param({}, {7: (900 * S, 900 * S)}, 0.0, id="an old thread that was overlooked brings none"),
        pytest.param({7: (900 * S, 100 * S)}, {}, 0.0, id="a thread that ended takes nothing back"),
        pytest.param({7: (9 * S, 9 * S)}, {7: (0, S // 2)}, 1.0, id="the number of an ended thread is used again"),
        pytest.param({7: (9 * S, 0)}, {7: (0, 9 * S)}, 0.0, id="again, by one that is too old to be new"),
    ],
)
def test_the_share_of_wanted_time_that_threads_waited(before, after, ratio):
    assert waited(before, after) == ratio


_threads = st.none() | st.dictionaries(
    st.integers(1, 5), st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)), max_size=5
)
_totals = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.floats(0, 1e9, width=32), st.floats(0, 1e9, width=32)), max_size=4
)


@given(_threads, _threads, _totals, _totals, st.floats(0.0, 100.0))
def test_any_two_readings_give_shares_of_one_and_only_of_what_both_could_read(before, after, old, new, seconds):
    found = between(reading(10.0, before, **old), reading(10.0 + seconds, after, **new))
    assert all(0.0 <= ratio <= 1.0 for ratio in found.values())
    of_threads = {"cpu_wait", "cpu_delay"}
    assert of_threads & found.keys() == (of_threads if before is not None and after is not None else set())
    assert found.keys() - of_threads <= old.keys() & new.keys()


@pytest.mark.parametrize(
    ("running", "waiting", "wait", "delay"),
    [(S // 100, S * 3 // 100, 0.75, 0.03), (S // 2, S // 2, 0.5, 0.5), (S, 3 * S, 0.75, 1.0), (0, 0, 0.0, 0.0)],
    ids=["nearly idle", "busy", "four threads", "asleep"],
)
def test_who_wants_little_loses_little_however_long_the_queue(running, waiting, wait, delay):
    found = between(reading(0.0, {1: (0, 0)}), reading(1.0, {1: (running, waiting)}))
    assert (found["cpu_wait"], found["cpu_delay"]) == (pytest.approx(wait), pytest.approx(delay))


_steps = st.lists(st.tuples(st.integers(0, S), st.integers(0, S)), min_size=2, max_size=6)


@given(_steps)
def test_seconds_together_say_what_one_long_second_says(steps):
    times, readings = (0, 0), [reading(0.0, {1: (0, 0)})]
    for at, (running, waiting) in enumerate(steps, start=1):
        times = (times[0] + running, times[1] + waiting)
        readings.append(reading(float(at), {1: times}))
    apart = shares([growth(one, two) for one, two in itertools.pairwise(readings)])
    assert apart["cpu_wait"] == pytest.approx(between(readings[0], readings[-1])["cpu_wait"])


def test_time_without_progress_is_taken_of_the_time_that_passed():
    before, after = reading(10.0, memory_stall=(3.0, 10.0)), reading(12.0, memory_stall=(3.5, 12.0))
    assert between(before, after) == {"memory_stall": 0.25}


def test_a_counter_that_fell_is_another_one_and_says_nothing():
    assert between(reading(0.0, io_stall=(9.0, 0.0)), reading(1.0, io_stall=(0.1, 1.0))) == {}


def test_a_pod_without_a_cpu_limit_is_not_throttled():
    assert between(reading(0.0, cpu_throttled=(0, 0)), reading(1.0, cpu_throttled=(0, 0))) == {"cpu_throttled": 0.0}
