"""Which storage items and events a runtime has, so that a name that nobody has is not read as zero or as agreement.

Called by `run.names` before a run. The readers in `simnode` and `substrate` make it. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Kind = Literal["storage", "event"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of one runtime, as `Pallet.Item` and `Pallet.Event`. `runtime` is what to call it in a sentence."""

    storage: frozenset[str]
    events: frozenset[str]
    runtime: str = "the runtime"

    def lack(self, kind: Kind, name: str) -> str | None:
        """Says that the runtime lacks a name, with the nearest ones. None if it has it."""
        names = self.storage if kind == "storage" else self.events
        if name in names:
            return None
        pallet = name.partition(".")[0]
        own = sorted(one for one in names if one.partition(".")[0] == pallet)
        near = _near(name, own) or _near(name, sorted(names))
        lacks = f"{self.runtime} has no {kind} {name}"
        return f"{lacks}; near are {', '.join(near)}" if near else lacks


def _near(name: str, names: Iterable[str]) -> list[str]:
    """The three most similar names. A name in the wrong case is a common slip, so case does not count."""
    by_lower = {one.lower(): one for one in names}
    return [by_lower[found] for found in get_close_matches(name.lower(), by_lower, n=3, cutoff=0.7)]
