"""What a user can wait for, as it is written."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.inspection import conditions


@pytest.mark.parametrize("text", ["ready", "best=0", "finalized=12", "session=3", "parachain-included=2000,2001"])
def test_known_conditions_are_read(text):
    assert conditions.parse(text).word == text.partition("=")[0]


@given(st.text())
def test_all_else_is_a_mistake_that_names_the_known_ones(text):
    assume(text != "ready" and "=" not in text)
    with pytest.raises(UsageError) as caught:
        conditions.parse(text)
    assert "parachain-included=ID" in caught.value.hint


@pytest.mark.parametrize("text", ["ready=1", "best", "best=", "best=-1", "best=x", "parachain-included=2000,", ""])
def test_near_misses_are_mistakes(text):
    with pytest.raises(UsageError):
        conditions.parse(text)
