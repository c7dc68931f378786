"""Fetches the charts of a report: some signals over the whole run, once at its end. Called by `run`."""

import math

from orchestrator.errors import CoalmineError
from orchestrator.gates.ports import Sources
from orchestrator.gates.samples.ask import HOLD
from orchestrator.journal import Chart
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Selector
from orchestrator.spec.testnet import RELAY

_POINTS = 600
"""The most points of one line. A page is not wide enough to show more."""

_SAMPLES = 100_000
"""The most samples of one chart. A large network gets fewer points, so that its journal stays small enough to send."""

_RELAY = ("best-height", "finalized-height", "finality-lag", "peers")
_PARA = ("best-height", "finalized-height")


def collect(sources: Sources, start: float, end: float) -> tuple[Chart, ...]:
    """The charts from `start` to `end` (unix seconds). If a query fails, its chart has the error and no series."""
    chains = list(dict.fromkeys(node.chain for node in sources.nodes if node.chain != RELAY))
    wanted = [(name, RELAY) for name in _RELAY] + [(name, chain) for chain in chains for name in _PARA]
    return tuple(_chart(name, chain, sources, start, end) for name, chain in wanted)


def _chart(name: str, chain: str, sources: Sources, start: float, end: float) -> Chart:
    signal = CATALOGUE[name]
    points = min(_POINTS, max(60, _SAMPLES // max(1, len(sources.nodes))))
    step = sources.scrape * max(1, math.ceil((end - start) / sources.scrape / points))
    query = signal.query(Selector(chain=chain))
    blank = Chart(signal=name, chain=chain, title=f"{signal.title}, {chain}", unit=signal.unit, query=query)
    try:
        result = sources.prometheus.query_range(query, start, end, step, lookback=HOLD * sources.scrape)
    except CoalmineError as error:
        return blank.model_copy(update={"error": error.message})
    return blank.model_copy(update={"series": result.series})
