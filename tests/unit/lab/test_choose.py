"""The choice of a cluster, as a table over all that a machine can offer."""

import itertools

import pytest

from orchestrator.errors import LabError
from orchestrator.lab.choose import Kind, Offer, decide

CASES = [
    # context engine image linux root
    ((True, True, True, True, True), Kind.CONTEXT),
    ((True, False, False, False, False), Kind.CONTEXT),
    ((False, True, True, True, True), Kind.K3S),
    ((False, True, True, True, False), Kind.K3S),
    ((False, True, True, False, False), Kind.K3S),
    ((False, True, False, True, True), Kind.NATIVE),
    ((False, False, False, True, True), Kind.NATIVE),
]
IMPOSSIBLE = [
    ((False, True, False, True, False), "cannot pull", "run as root"),
    ((False, False, False, True, False), "no Docker engine answers", "run as root"),
    ((False, True, False, False, True), "cannot pull", "start Docker"),
    ((False, False, False, False, True), "no Docker engine answers", "start Docker"),
]


def offer(values):
    return Offer(**dict(zip(("context", "engine", "image", "linux", "root"), values, strict=True)))


@pytest.mark.parametrize(("values", "kind"), CASES)
def test_the_first_that_can_be_had_is_chosen(values, kind):
    assert decide(offer(values)) is kind


@pytest.mark.parametrize(("values", "words", "remedy"), IMPOSSIBLE)
def test_where_there_is_none_the_remedy_is_named(values, words, remedy):
    with pytest.raises(LabError, match=words) as caught:
        decide(offer(values))
    assert remedy in caught.value.hint


def test_every_offer_leads_to_a_cluster_that_it_has_or_to_an_error():
    for values in itertools.product([True, False], repeat=5):
        given = offer(values)
        try:
            kind = decide(given)
        except LabError:
            assert not given.context
            assert not (given.engine and given.image)
            assert not (given.linux and given.root)
            continue
        needs = {Kind.CONTEXT: given.context, Kind.K3S: given.engine and given.image, Kind.NATIVE: given.root}
        assert needs[kind]
