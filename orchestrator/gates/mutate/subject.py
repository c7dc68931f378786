"""What a recorded answer is about, by the key of its question."""

import functools
import json
from dataclasses import dataclass
from typing import Any

from orchestrator.metrics.signals import CATALOGUE


@dataclass(frozen=True, slots=True)
class Subject:
    """A source of gates, by its name in their files, and what is asked of it: a signal, a read, a pattern, an event.

    A user's own query that is a signal's, word by word, is about that signal. Of others nobody can say what they would
    have answered.
    """

    source: str
    name: str

    @property
    def known(self) -> bool:
        return self.source not in {"promql", "metric"}

    def __str__(self) -> str:
        return self.name if self.source == "signal" else f"{self.source} {self.name}"


@functools.cache
def subject(key: str) -> Subject:
    """The subject of a question."""
    source, *words = json.loads(key)
    first: Any = words[0] if words else ""
    if source == "promql":
        same = _by_query().get(first)
        return Subject("signal", same) if same is not None else Subject(source, first)
    if source == "chainEvents":
        return Subject(source, f"{first['pallet']}.{first['name']}")
    if isinstance(first, dict):
        return Subject(source, f"{first['pallet']}.{first['item']}" if "item" in first else "")
    return Subject(source, str(first))


@functools.cache
def _by_query() -> dict[str, str]:
    return {signal.promql: name for name, signal in reversed(CATALOGUE.items())}
