"""Lines of many nodes in the order of their times: none is lost, none waits too long, none steers a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.inspection import log_lines
from orchestrator.inspection.log_lines import Line, Reorder

arrivals = st.lists(st.tuples(st.floats(0, 10), st.integers(0, 10_000), st.sampled_from("abc")), max_size=40)


@given(arrivals)
def test_nothing_is_lost_and_nothing_waits_longer_than_the_window(given_arrivals):
    order, out, put = Reorder(0.3), [], []
    for now, at, node in sorted(given_arrivals):
        out += [(now, line) for line in order.due(now)]
        order.put(Line(at, node, ""), now)
        put.append((now, Line(at, node, "")))
        for arrival, line in put:  # Whatever came more than a window ago has left by now.
            if arrival + 0.3 <= now:
                assert sum(seen == line for _, seen in out) >= 1
    out += [(99.0, line) for line in order.due(99.0)]
    assert sorted(line for _, line in out) == sorted(line for _, line in put)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from("abc")), max_size=40))
def test_lines_that_come_within_a_window_leave_in_the_order_of_their_times(lines):
    order = Reorder(0.3)
    for index, (at, node) in enumerate(lines):
        order.put(Line(at, node, ""), index / 1000)
    out = list(order.due(1.0))
    assert out == sorted(out)
    assert len(out) == len(lines)


@pytest.mark.parametrize(
    ("text", "at", "rest"),
    [
        ("1970-01-01T00:00:01.000000002Z hello you", 1_000_000_002, "hello you"),
        ("1970-01-01T00:00:01.5Z x", 1_500_000_000, "x"),
        ("1970-01-01T02:00:01+02:00 x", 1_000_000_000, "x"),
        ("1970-01-01T00:00:01Z", 1_000_000_000, ""),
        ("no time here", 0, "no time here"),
    ],
)
def test_the_time_in_front_is_read_in_any_zone(text, at, rest):
    assert log_lines.parse(text, "n") == Line(at, "n", rest)


def test_colours_pass_and_nothing_else_that_steers_a_terminal():
    text = "\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b[2Jgone\ttab"
    assert log_lines.coloured(text) == "\x1b[31mred\x1b[0m ]0;title[2Jgone\ttab"
    assert log_lines.plain(text) == "red ]0;title[2Jgone\ttab"


@given(st.text())
def test_plain_text_has_no_control_characters(text):
    assert not [c for c in log_lines.plain(text) if ord(c) < 32 and c not in "\t\n"]
