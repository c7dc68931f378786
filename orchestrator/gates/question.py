"""What a gate asks, and which nodes it asks. Pure; used to ask and to judge.

Each kind of evidence makes the questions of its gates. A question's key is made of the words of the gate's file, which
stay the same when the catalogue says a signal's query in other words. Gates with the same key share one answer, and
`coalmine judge` finds by it what was recorded for another gate or by an earlier version.
"""

import json
from dataclasses import dataclass

from orchestrator.journal import Node, Target
from orchestrator.metrics.signals import targets
from orchestrator.spec import Selector
from orchestrator.spec.base import Model


@dataclass(frozen=True, slots=True)
class Question:
    """A gate's key, its query in words for a reader, and the targets that should answer.

    `beside` are further questions, whose answers show which nodes answered when, if the answer itself may hide it.
    """

    key: str
    query: str
    targets: tuple[Target, ...] = ()
    beside: tuple["Question", ...] = ()


def key(source: str, *words: Model | str | None, on: Selector | None = None) -> str:
    """A key from the name of a gate's source, what it says about it, and the nodes that it selects."""
    said = [one.model_dump(mode="json", by_alias=True, exclude_none=True) if isinstance(one, Model) else one
            for one in words]  # fmt: skip
    chosen = on.model_dump(mode="json", exclude_none=True) if on is not None else {}
    return json.dumps([source, *said, *([chosen] if chosen else [])], separators=(",", ":"), sort_keys=True)


def pods(nodes: tuple[Node, ...], selector: Selector) -> tuple[Target, ...]:
    """The selected nodes as pods. A collator's two chains run in one pod."""
    return tuple(dict.fromkeys(Target(node=target.node) for target in targets(nodes, selector)))


def named(selector: Selector) -> str:
    """The selected nodes in words."""
    given = {name: getattr(selector, name) for name in ("chain", "role", "group", "node")}
    return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None) or "all nodes"
