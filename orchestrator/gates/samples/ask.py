"""The questions of gates that are judged by samples. Pure."""

from orchestrator.gates.question import Question, key, pods
from orchestrator.journal import Node
from orchestrator.metrics.promql import selectors
from orchestrator.metrics.signals import CATALOGUE, select, targets
from orchestrator.spec import Gate, Selector

HOLD = 2.5
"""How long a value counts, in scrape intervals. One or two missed scrapes are tolerated; the third makes a hole."""


def from_prometheus(gate: Gate) -> bool:
    """Whether Prometheus has the samples. All others are polled, because nobody keeps their history."""
    return gate.signal is not None or gate.promql is not None


def ask(gate: Gate, nodes: tuple[Node, ...], step: float) -> Question:
    """The gate's question for a network whose nodes are scraped every `step` seconds.

    Raises:
        KeyError: when the catalogue has no such signal.
    """
    hold = HOLD * step
    if gate.signal is not None:
        signal = CATALOGUE[gate.signal]
        query = signal.query(gate.on, hold=hold)
        return Question(key("signal", gate.signal, on=gate.on), query, targets(nodes, gate.on, signal))
    selected = targets(nodes, gate.on)
    if gate.promql is not None:
        query = select(gate.promql, gate.on)
        beside = (_answered(gate.on, hold), *(_had(series, hold) for series in selectors(query)))
        return Question(key("promql", gate.promql, on=gate.on), query, selected, tuple(dict.fromkeys(beside)))
    if gate.storage is not None:
        words = f"storage {gate.storage.pallet}.{gate.storage.item}{gate.storage.key} as {gate.storage.as_}"
        words += f" or {gate.storage.absent:g}" if gate.storage.absent is not None else ""
        return Question(key("storage", gate.storage), words, selected)
    if gate.pods is not None:
        return Question(key("pods", gate.pods), f"pods {gate.pods}", pods(nodes, gate.on))
    return Question(key("chainRead", gate.chain_read), f"chain {gate.chain_read}", selected)


def _answered(on: Selector, hold: float) -> Question:
    """Which of the selected nodes answered a scrape when: 1 where one did."""
    query = select(f"max_over_time(up{{$selector}}[{round(hold * 1000)}ms])", on)
    return Question(key("up", on=on), query)


def _had(series: str, hold: float) -> Question:
    """Which nodes had a metric that the query reads, and when: a value where one did."""
    query = f"max by (node, chain) (last_over_time({series}[{round(hold * 1000)}ms]))"
    return Question(key("metric", series), query)
