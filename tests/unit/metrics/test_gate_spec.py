"""What may be written as a gate: what could never fail, or never mean anything, is refused."""

import pytest
from pydantic import ValidationError

from tests.unit.gates.building import gate


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"atMost": float("nan")}, "finite"),
        ({"atLeast": float("inf")}, "finite"),
        ({"increasesBy": 0}, "greater than 0"),
        ({"stalls": -1}, "greater than or equal to 0"),
        ({"atMost": 1, "tolerate": "100%"}, "less than 1"),
        ({"between": {"low": 3, "high": 1}}, "low is greater than high"),
        ({"recoversWithin": "0 blocks"}, "greater than 0"),
        ({"atMost": 1, "window": {"for": "0s"}}, "greater than 0"),
        ({"promql": "sum(x)", "atMost": 1, "on": {"chain": "relay"}}, "`on` has no effect"),
        ({"atMost": 1, "atLeast": 0}, "exactly one of"),
    ],
)
def test_a_gate_that_cannot_judge_is_refused(words, said):
    with pytest.raises(ValidationError, match=said):
        gate(**words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"atMost": 2.5}, "atMost 2.5"),
        ({"between": {"low": 1, "high": 3}}, "between 1 … 3"),
        ({"recoversWithin": "2 sessions"}, "recoversWithin 2 sessions"),
        ({"chainRead": "finalized-hash", "agrees": True}, "agrees"),
    ],
)
def test_a_threshold_can_be_said_in_words(words, text):
    assert gate(**words).threshold_text() == text
