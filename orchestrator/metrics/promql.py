"""Parses PromQL before a run, to find typing errors when a file is validated and to know a query's metrics.

Called by `metrics.check` and `metrics.exposed`. It is separate from `prometheus`, because code in pods validates
queries but has no client for Prometheus.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser

from orchestrator.metrics.signal import select
from orchestrator.spec import Selector

TARGET_LABELS = frozenset({"chain", "role", "group", "node", "network", "instance", "job", "chain_id"})
"""Labels that Prometheus adds. They are not on a node's page in this form."""

_MEETS: dict[str, Callable[[str, str], bool]] = {
    "MatchOp.Equal": lambda wanted, found: found == wanted,
    "MatchOp.NotEqual": lambda wanted, found: found != wanted,
    "MatchOp.Re": lambda wanted, found: re.fullmatch(wanted, found) is not None,
    "MatchOp.NotRe": lambda wanted, found: re.fullmatch(wanted, found) is None,
}


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label: its name, PromQL's operator, and the value to compare with."""

    label: str
    operator: str
    value: str

    def meets(self, labels: Mapping[str, str]) -> bool:
        """Whether a sample with these labels meets the condition. As in PromQL, a missing label counts as empty."""
        try:
            return _MEETS[self.operator](self.value, labels.get(self.label, ""))
        except re.error:  # Prometheus' regular expressions have features that Python's do not.
            return True


@dataclass(frozen=True, slots=True)
class Read:
    """A metric that a query reads, and the conditions on the client's own labels."""

    name: str
    matchers: tuple[Matcher, ...] = ()


def parse_error(query: str) -> str | None:
    """What is wrong with a PromQL query, which may contain `$selector`. None if it can be used as a range query."""
    try:
        tree = promql_parser.parse(select(query, Selector()))
    except (ValueError, TypeError) as error:
        return str(error)
    if isinstance(tree, promql_parser.MatrixSelector | promql_parser.SubqueryExpr):
        return "the query gives a range of samples; wrap it in a function such as rate() or increase()"
    if isinstance(tree, promql_parser.StringLiteral):
        return "the query gives a text and no numbers"
    return None


def reads(query: str) -> tuple[Read, ...]:
    """The metrics that a query reads, each once, in its order. Empty if the query is not PromQL."""
    try:
        tree = promql_parser.parse(select(query, Selector()))
    except (ValueError, TypeError):
        return ()
    return tuple(dict.fromkeys(read for found in _selectors(tree) if (read := _read(found)) is not None))


def selectors(query: str) -> tuple[str, ...]:
    """The series that a query reads, each once, as PromQL without offset. The query has no `$selector` any more."""
    try:
        tree = promql_parser.parse(query)
    except (ValueError, TypeError):
        return ()
    return tuple(dict.fromkeys(f"{found.name or ''}{found.matchers}" for found in _selectors(tree)))


def _selectors(tree: Any) -> Iterator[Any]:
    """All vector selectors of a tree. The parser's nodes use several names for their children."""
    if isinstance(tree, promql_parser.VectorSelector):
        yield tree
        return
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        child = getattr(tree, name, None)
        if child is not None:
            yield from _selectors(child)
    for child in getattr(tree, "args", ()):
        yield from _selectors(child)


def _read(selector: Any) -> Read | None:
    """The metric of a selector. None if its name is a pattern, or that of a recording rule, which no node has."""
    found = [Matcher(one.name, str(one.op), one.value) for one in selector.matchers.matchers]
    named = [one.value for one in found if one.label == "__name__" and one.operator == "MatchOp.Equal"]
    name = selector.name or next(iter(named), "")
    if not name or ":" in name:
        return None
    own = (one for one in found if one.label not in TARGET_LABELS and one.label != "__name__")
    return Read(name, tuple(sorted(own, key=lambda one: (one.label, one.value))))
