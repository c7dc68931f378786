"""Columns that line up, ages and sizes that are short."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli import listing
from orchestrator.cli.rpc import parameter
from orchestrator.errors import UsageError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_columns_line_up_and_empty_cells_are_dashes():
    assert listing.columns(("a", "bcd"), [("long one", ""), ("x", "y")]) == "A          BCD\nlong one   -\nx          y"


def test_facts_line_up_over_several_lines():
    assert listing.facts([("a", "1\n2"), ("long", "3")]) == "a:     1\n       2\nlong:  3"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (200, "3m20s"), (7260, "2h1m"), (86400 * 2 + 3600 * 4, "2d4h"), (-5, "0s")],
)
def test_an_age_has_two_units_at_most(seconds, text):
    assert listing.age(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(("count", "text"), [(12, "12"), (1024, "1Ki"), (3 * 2**29, "1.5Gi"), (23_998_464, "22.9Mi")])
def test_sizes_are_in_the_units_of_kubernetes(count, text):
    assert listing.size(count) == text


@pytest.mark.parametrize(("text", "value"), [("1", 1), ('"a"', "a"), ("0xab", "0xab"), ("[null]", [None])])
def test_parameters_are_json_and_bytes_need_no_quotes(text, value):
    assert parameter(text) == value


def test_a_parameter_that_is_neither_is_a_mistake():
    with pytest.raises(UsageError) as caught:
        parameter("Alice")
    assert caught.value.hint == "a string needs quotes of its own: '\"Alice\"'"
