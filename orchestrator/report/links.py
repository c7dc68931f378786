"""Addresses at which a query's samples can be looked at, in the user's own Prometheus or Grafana. Pure.

A run's own Prometheus goes with its network. So there are links only where the user names one that stays.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from orchestrator.errors import UsageError


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of Prometheus and Grafana, as the user's browser reaches them. None: there are no links to it."""

    prometheus: str | None = None
    grafana: str | None = None

    def __post_init__(self) -> None:
        """Refuses what a browser would not open as a page, for a link must not run code.

        Raises:
            UsageError: an address is not one of http or https.
        """
        for address in (self.prometheus, self.grafana):
            if address is None:
                continue
            if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).netloc:
                raise UsageError(
                    f"{address!r} is no address of a page", hint="it begins with http:// or https:// and names a host"
                )

    def to(self, query: str, start: float, end: float) -> tuple[tuple[str, str], ...]:
        """Name and address of each page that shows the query from `start` to `end` (unix seconds)."""
        found = []
        if self.prometheus is not None:
            found.append(("Prometheus", _prometheus(self.prometheus, query, start, end)))
        if self.grafana is not None:
            found.append(("Grafana", _grafana(self.grafana, query, start, end)))
        return tuple(found)


NOWHERE = Links()


def _prometheus(base: str, query: str, start: float, end: float) -> str:
    """Its graph page. A range ends at a whole second, and has a length."""
    last = datetime.fromtimestamp(int(end) + 1, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    asked = {"g0.expr": query, "g0.tab": "0", "g0.range_input": f"{int(end) + 1 - int(start)}s", "g0.end_input": last}
    return f"{base.rstrip('/')}/graph?{urlencode(asked, quote_via=quote)}"


def _grafana(base: str, query: str, start: float, end: float) -> str:
    """Its page Explore, with the default data source, for nobody told us which one has the samples."""
    pane = {
        "queries": [{"refId": "A", "expr": query, "range": True}],
        "range": {"from": str(int(start * 1000)), "to": str(int(end * 1000))},
    }
    asked = {"schemaVersion": "1", "panes": json.dumps({"run": pane}, separators=(",", ":"))}
    return f"{base.rstrip('/')}/explore?{urlencode(asked, quote_via=quote)}"
