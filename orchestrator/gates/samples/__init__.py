"""Samples over time, of a signal, a query, a chain read, a storage item or a pod: asked, collected and judged.

Every node that should answer needs a series, and every series that came is judged. A user's own query may sum over
nodes. Then further queries show which of them answered when, and which had the metrics that it reads, because a node
that has disappeared must not improve a sum or an average.
"""

from orchestrator.gates.samples.ask import ask, from_prometheus
from orchestrator.gates.samples.collect import collect, needed
from orchestrator.gates.samples.judge import figures, judge

__all__ = ["ask", "collect", "figures", "from_prometheus", "judge", "needed"]
