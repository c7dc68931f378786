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
_ALL = ("cpu-delay",)
"""What is drawn of all nodes together, whatever their chains: whether they got their share of the machine."""


def collect(sources: Sources, start: float, end: float) -> tuple[Chart, ...]:
    """The charts from `start` to `end` (unix seconds). If a query fails, its chart has the error and no series."""
    chains = list(dict.fromkeys(node.chain for node in sources.nodes if node.chain != RELAY))
    wanted = [(name, RELAY) for name in _RELAY] + [(name, chain) for chain in chains for name in _PARA]
    return tuple(_chart(_blank(name, chain), sources, start, end) for name, chain in wanted) + tuple(
        _chart(_together(name), sources, start, end) for name in _ALL
    )


def _blank(name: str, chain: str) -> Chart:
    signal = CATALOGUE[name]
    query = signal.query(Selector(chain=chain))
    return Chart(signal=name, chain=chain, title=f"{signal.title}, {chain}", unit=signal.unit, query=query)


def _together(name: str) -> Chart:
    """One line for each node. A node with two chains has the same figure on both."""
    signal = CATALOGUE[name]
    query = f"max by (node, group, role) ({signal.query(Selector())})"
    return Chart(signal=name, chain="", title=f"{signal.title}, all nodes", unit=signal.unit, query=query)


def _chart(blank: Chart, sources: Sources, start: float, end: float) -> Chart:
    points = min(_POINTS, max(60, _SAMPLES // max(1, len(sources.nodes))))
    step = sources.scrape * max(1, math.ceil((end - start) / sources.scrape / points))
    try:
        result = sources.prometheus.query_range(blank.query, start, end, step, lookback=HOLD * sources.scrape)
    except CoalmineError as error:
        return blank.model_copy(update={"error": error.message})
    return blank.model_copy(update={"series": result.series})
