"""A list that is empty is often not stored at all: what that means is said by the gate, and never guessed."""

import pytest

from orchestrator.errors import ChainError
from orchestrator.gates.samples import ask
from orchestrator.run.node_reads import _decoded
from orchestrator.spec.source import Storage
from tests.unit.gates.building import gate

WORDS = {"pallet": "XcmpQueue", "item": "OutboundXcmpStatus", "as": "compact"}


def test_nothing_stored_is_unknown_unless_the_gate_says_what_it_means():
    with pytest.raises(ChainError, match=r"nothing is stored under XcmpQueue\.OutboundXcmpStatus"):
        _decoded("a", Storage.model_validate(WORDS), None)
    assert _decoded("a", Storage.model_validate({**WORDS, "absent": 0}), None) == 0.0


def test_what_is_stored_is_read_all_the_same():
    assert _decoded("a", Storage.model_validate({**WORDS, "absent": 0}), bytes([3 << 2])) == 3.0


def test_gates_that_differ_in_it_do_not_share_an_answer():
    asked = [ask(gate(storage=words, atMost=1), (), 1.0).key for words in (WORDS, {**WORDS, "absent": 0})]
    assert asked[0] != asked[1]
