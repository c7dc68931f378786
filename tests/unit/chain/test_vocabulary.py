"""What a runtime lacks, and what was probably meant."""

import pytest

from orchestrator.chain import Vocabulary

from .recordings import decoded, metadata

ONE = Vocabulary(frozenset({"Balances.Locks", "Balance.Lock", "System.Number"}), frozenset({"System.CodeUpdated"}))


@pytest.mark.parametrize(
    ("kind", "name", "lack"),
    [
        ("storage", "System.Number", None),
        ("event", "System.CodeUpdated", None),
        pytest.param("storage", "Balances.Lock", "; near are Balances.Locks", id="of its own pallet first"),
        pytest.param("storage", "Balanced.Lock", "; near are Balance.Lock, Balances.Locks", id="of any, nearest first"),
        pytest.param("storage", "SYSTEM.NUMBER", "; near are System.Number", id="in another case"),
        pytest.param("event", "System.Number", "", id="of the other kind is not near"),
    ],
)
def test_lack(kind, name, lack):
    assert ONE.lack(kind, name) == (None if lack is None else f"the runtime has no {kind} {name}{lack}")


def test_storage_goes_by_the_prefix_that_its_keys_are_made_of(monkeypatch):
    found = decoded(metadata("penpal-1"))
    pallet = next(one for one in found._metadata.pallets if one.name == "Timestamp")
    assert "Timestamp.Now" in found.vocabulary().storage
    monkeypatch.setitem(pallet.value["storage"], "prefix", "OldName")
    assert {"OldName.Now", "Timestamp.Now"} & found.vocabulary().storage == {"OldName.Now"}
