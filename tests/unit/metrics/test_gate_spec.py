"""What may be written as a gate: what could never fail, or never mean anything, is refused."""

import pytest
from pydantic import ValidationError

from orchestrator.spec import Gate
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
        ({"promql": "x", "signal": "peers", "atMost": 1}, "exactly one of signal | promql"),
        ({"atMost": 1, "window": {"from": "inject.begun"}}, "is not a moment"),
        ({"atMost": 1, "window": {"from": "session(+0)"}}, "is not a moment"),
        ({"atMost": 1, "window": {"from": "session(2)"}}, "is not a moment"),
        ({"atMost": 1, "view": {"per": "group"}}, "`aggregate` goes with"),
        ({"atMost": 1, "view": {"aggregate": "mean"}}, "`aggregate` goes with"),
        ({"increasesBy": 1, "tolerate": "5%"}, "about single samples"),
        ({"atMost": 1, "consecutive": 2}, "give tolerate too"),
        ({"ratePerMinute": {}}, "atLeast or atMost is needed"),
        ({"ratePerMinute": {"atLeast": 2, "atMost": 1}}, "no value lies between"),
        ({"chainRead": "session", "agrees": True}, "agrees goes with"),
        ({"chainRead": "finalized-hash", "atMost": 1}, "agrees goes with"),
        ({"logs": {"pattern": "("}, "atMost": 0}, "not a regular expression"),
        ({"logs": {"pattern": "x"}, "stalls": 0}, "is one figure"),
        ({"chainEvents": {"pallet": "A", "name": "B"}, "atMost": 0, "on": {"role": "x"}}, "may have only chain"),
        ({"pods": "restarts", "stalls": 0}, "counted over the window"),
        ({"pods": "restarts", "atMost": 0, "tolerate": "5%"}, "about single samples"),
        (
            {
                "measured": {"seconds": {"from": "inject.confirmed", "to": "recover.start"}},
                "atMost": 1,
                "window": {"settle": "1s"},
            },
            "names its moments itself",
        ),
        ({"promql": "x", "noWorseThan": {"run": "r", "percent": "10%"}}, "noWorseThan needs `worse"),
        ({"recoversWithin": "9s", "window": {"settleEnd": "1s"}}, "recoversWithin ends the window itself"),
        ({"atMost": 1, "clockSkew": "0s"}, "greater than 0"),
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
        ({"ratePerMinute": {"atLeast": 2, "atMost": 4}}, "ratePerMinute ≥ 2 and ≤ 4"),
        ({"progresses": "90s"}, "progresses every 1m30s"),
        ({"noWorseThan": {"run": "r-1", "percent": "10%"}}, "noWorseThan 10% over the mean of run r-1"),
    ],
)
def test_a_threshold_can_be_said_in_words(words, text):
    assert gate(**words).threshold_text() == text


@pytest.mark.parametrize("written", ["stage.start", "upgrade.enacted session(+2)", "stage.start session(+1)"])
def test_an_anchor_is_written_as_it_is_read(written):
    one = gate(atMost=1, window={"from": written})
    assert str(one.window.from_) == written
    assert gate(atMost=1, window={"from": "session(+1)"}) == gate(atMost=1, window={"from": "stage.start session(+1)"})


@pytest.mark.parametrize(
    "words",
    [
        {"atMost": 1, "window": {"from": "upgrade.enacted session(+2)", "for": "2 sessions", "settleEnd": "3s"}},
        {"storage": {"pallet": "System", "item": "Number", "as": "u64"}, "atLeast": 1},
        {"chainEvents": {"pallet": "System", "name": "CodeUpdated"}, "equals": 1},
        {"measured": {"detail": {"event": "recover.confirmed", "field": "recoverySeconds"}}, "atMost": 60},
        {"promql": "x", "noWorseThan": {"run": "r", "percent": "10%", "worse": "higher"}, "gaps": "fail"},
    ],
)
def test_a_gate_survives_the_journal(words):
    one = gate(**words)
    assert Gate.model_validate_json(one.model_dump_json(by_alias=True, exclude_none=True)) == one
