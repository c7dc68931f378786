"""What a gate asks, which nodes it asks, and the text of the query in the journal. Pure; used to ask and to judge.

The text is the key: gates with the same query share one answer. So `coalmine judge` finds what was recorded for
another gate.
"""

from dataclasses import dataclass
from typing import Literal

from orchestrator.journal import Node, Target
from orchestrator.metrics.signals import CATALOGUE, select, targets
from orchestrator.spec import Gate, Selector
from orchestrator.spec.testnet import RELAY

HOLD = 2.5
"""How long a value counts, in scrape intervals. One or two missed scrapes are tolerated; the third makes a hole."""

Way = Literal["prometheus", "polled", "agreed", "logs", "events", "measured"]


@dataclass(frozen=True, slots=True)
class Question:
    """A gate's query and the targets that should answer.

    `presence` is a second query that shows which nodes answered when, if the answer itself may not show it.
    """

    way: Way
    query: str
    targets: tuple[Target, ...]
    presence: str | None = None


def ask(gate: Gate, nodes: tuple[Node, ...], step: float) -> Question:
    """The gate's question for a network whose nodes are scraped every `step` seconds.

    Raises:
        KeyError: when the catalogue has no such signal.
    """
    hold = HOLD * step
    if gate.signal is not None:
        signal = CATALOGUE[gate.signal]
        return Question("prometheus", signal.query(gate.on, hold=hold), targets(nodes, gate.on, signal))
    selected = targets(nodes, gate.on)
    if gate.promql is not None:
        presence = f"max_over_time(up{{$selector}}[{round(hold * 1000)}ms])"
        return Question("prometheus", select(gate.promql, gate.on), selected, select(presence, gate.on))
    return _read(gate, nodes, selected)


def _read(gate: Gate, nodes: tuple[Node, ...], selected: tuple[Target, ...]) -> Question:
    way: Way = "polled"
    if gate.agrees:
        way, words = "agreed", f"{gate.chain_read or _storage(gate)} of {_named(gate.on)}"
    elif gate.storage is not None:
        words = f"{_storage(gate)} as {gate.storage.as_}"
        words += f" or {gate.storage.absent:g}" if gate.storage.absent is not None else ""
    elif gate.chain_read is not None:
        words = f"chain {gate.chain_read}"
    elif gate.pods is not None:
        words, selected = f"pods {gate.pods}", pods(nodes, gate.on)
    elif gate.logs is not None:
        way, words, selected = "logs", f"lines with {gate.logs.pattern}", pods(nodes, gate.on)
    elif gate.chain_events is not None:
        way, words = "events", f"events {gate.chain_events.pallet}.{gate.chain_events.name} on {gate.on.chain or RELAY}"
        selected = ()
    else:
        way, words, selected = "measured", "measured", ()
    return Question(way, words, selected)


def pods(nodes: tuple[Node, ...], selector: Selector) -> tuple[Target, ...]:
    """The selected nodes as pods. A collator's two chains run in one pod."""
    return tuple(dict.fromkeys(Target(node=target.node) for target in targets(nodes, selector)))


def _storage(gate: Gate) -> str:
    assert gate.storage is not None
    return f"storage {gate.storage.pallet}.{gate.storage.item}{gate.storage.key}"


def _named(selector: Selector) -> str:
    given = {name: getattr(selector, name) for name in ("chain", "role", "group", "node")}
    return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None) or "all nodes"
