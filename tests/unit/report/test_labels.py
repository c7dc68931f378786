"""Names over a chart: none covers another, and no line goes through a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.labels import Wanted, placed, width
from orchestrator.report.scale import LEFT, RIGHT, WIDTH

NAMES = st.lists(
    st.builds(
        Wanted,
        line=st.floats(LEFT, WIDTH - RIGHT),
        text=st.text("abc", min_size=1, max_size=24),
        style=st.just("upgrade"),
        needed=st.booleans(),
    ),
    max_size=30,
)


@given(NAMES)
def test_no_name_covers_another_and_no_line_goes_through_a_name(wanted):
    labels = [label for label in placed(wanted) if label is not None]
    for index, one in enumerate(labels):
        left, right = one.stretch
        assert LEFT <= left < right <= WIDTH - RIGHT
        for other in labels[index + 1 :]:
            if other.row == one.row:
                assert right < other.stretch[0] or other.stretch[1] < left
        for other in labels:
            if other.row < one.row:
                assert not left < other.line < right


@given(NAMES)
def test_a_label_is_that_of_its_name(wanted):
    for one, label in zip(wanted, placed(wanted), strict=True):
        if label is not None:
            assert (label.line, label.text) == (one.line, one.text)
            assert label.stretch[1] - label.stretch[0] >= width(one.text)


@given(NAMES, st.floats(LEFT, WIDTH - RIGHT))
def test_the_one_that_is_needed_always_finds_room(others, line):
    free = [Wanted(one.line, one.text, one.style) for one in others]
    assert placed([*free, Wanted(line, "upgrade failed", "trouble", needed=True)])[-1] is not None


def test_where_not_all_find_room_it_is_first():
    crowd = [Wanted(500.0, f"name {number}", "upgrade") for number in range(40)]
    labels = placed([*crowd, Wanted(500.0, "upgrade failed", "trouble", needed=True)])
    assert None in labels
    assert labels[-1].row == 0


@pytest.mark.parametrize("apart", [5.0, 11.0, 30.0, 90.0])
def test_the_marks_of_two_upgrades_that_follow_each_other_all_have_names(apart):
    first = ("authorised", "upgrade of relay", "applied", "enacted", "complete")
    names = [
        Wanted(600.0 + number * apart, text, "upgrade") for number, text in enumerate((*first[:3], "enacted", *first))
    ]
    names = [name for name in names if name.line <= WIDTH - RIGHT]
    assert None not in placed(names)
