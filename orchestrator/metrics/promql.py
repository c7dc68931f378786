"""PromQL read before a run, so that a typing error is found when a file is validated. Called by `metrics.check`.

Apart from `prometheus`, because what runs in pods has no client for Prometheus and validates all the same.
"""

import promql_parser

from orchestrator.metrics.signals import select
from orchestrator.spec import Selector


def parse_error(query: str) -> str | None:
    """What is wrong with a PromQL query that may hold `$selector`; None when it can be asked over a range."""
    try:
        tree = promql_parser.parse(select(query, Selector()))
    except (ValueError, TypeError) as error:
        return str(error)
    if isinstance(tree, promql_parser.MatrixSelector | promql_parser.SubqueryExpr):
        return "the query gives a range of samples; wrap it in a function such as rate() or increase()"
    if isinstance(tree, promql_parser.StringLiteral):
        return "the query gives a text and no numbers"
    return None
