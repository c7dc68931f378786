import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import units


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_that_is_printed_is_read_back_to_the_millisecond(millis):
    seconds = millis / 1000
    assert units.parse_duration(units.format_duration(seconds)) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("2s", 2.0), ("1m30s", 90.0), ("1h", 3600.0), ("1.5s", 1.5), ("2d", 172800.0)]
)
def test_durations_are_read(text, seconds):
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "-5s", "5s5", "five", 5, 5.0, None, True, ["5s"]])
def test_what_is_no_duration_is_refused_with_a_hint(text):
    with pytest.raises(ValueError, match="is not a duration; write it with its unit"):
        units.parse_duration(text)


@given(st.integers(min_value=0, max_value=1000))
def test_a_percentage_that_is_printed_is_read_back(promille):
    assert units.parse_percent(units.format_percent(promille / 1000)) == pytest.approx(promille / 1000)


@pytest.mark.parametrize("text", ["101%", "5", "-1%", 5, 0.05, None])
def test_what_is_no_percentage_is_refused(text):
    with pytest.raises(ValueError, match="is not a percentage"):
        units.parse_percent(text)
