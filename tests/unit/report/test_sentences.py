"""Events as sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.journal import IMAGES, Event
from orchestrator.report.sentences import _SENTENCES, sentence

TOLD = [
    ("stage.start", {}, "Stage calm began: pause for 20 s."),
    ("rung", {"rung": "finalising", "seconds": 3.5}, "Readiness: finalising after 3.5 s."),
    ("rung", {"rung": "finalising"}, "Readiness: finalising."),
    (
        "inject.confirmed",
        {"nodes": ["a", "b"], "effect": "2 nodes stopped."},
        "The fault was in place on a, b: 2 nodes stopped.",
    ),
    ("inject.confirmed", {"sides": [["a", "b"], ["c"]]}, "The fault was in place on a, b against c."),
    ("inject.confirmed", {}, "The fault was in place on its nodes."),
    ("recover.confirmed", {"recovery": "all continued"}, "The fault was taken back everywhere: all continued."),
    ("upgrade.applied", {"appliedBlock": 12}, "The new code was applied in block 12."),
    (
        "upgrade.enacted",
        {"enactedBlock": 14, "specVersionFrom": 1, "specVersionTo": 2},
        "Block 14 was the first by the new code; the version went from 1 to 2.",
    ),
    ("upgrade.enacted", {}, "A block was the first by the new code."),
    (
        "upgrade.failed",
        {"chain": "relay", "phase": "Applied", "block": 143, "cause": "panicked"},
        "The upgrade of relay failed in phase Applied at block 143: panicked.",
    ),
    ("stage.aborted", {"gate": "lag", "cause": "too much"}, "Gate lag ended the stage early: too much."),
    ("run.aborted", {}, "The run ended early."),
    ("what.is.new", {"a": 1, "b": ["x", "y"]}, "what.is.new. (a: 1; b: x, y)"),
]


@pytest.mark.parametrize(("name", "detail", "told"), TOLD)
def test_an_event_is_told(name, detail, told):
    assert sentence(Event(at=1.0, name=name, stage="calm", detail=detail), "pause for 20 s") == told


@given(st.sampled_from(sorted(set(_SENTENCES) - {IMAGES})), st.dictionaries(st.sampled_from("xyz"), st.integers()))
def test_nothing_that_an_event_says_is_lost(name, more):
    said = sentence(Event(at=1.0, name=name, stage="calm", detail=more), "hold for 5 s")
    assert all(f"{key}: {value}" in said for key, value in more.items())
    assert "None" not in said
