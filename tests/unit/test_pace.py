"""A run that stalls says where; tested by its rule, for a real one takes a minute."""

from tests.pace import overdue


def test_a_test_is_named_once_it_has_run_for_a_minute_and_the_longest_first():
    assert overdue({"quick": 70.0, "slow": 40.0, "slowest": 10.0}, 100.0) == [
        "running for 90 s: slowest",
        "running for 60 s: slow",
    ]
