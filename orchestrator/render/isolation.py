"""Renders the NetworkPolicies that isolate a network. Called by `network`.

The cluster's network plugin must enforce them. Some plugins ignore them silently.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from orchestrator import tcp_ports
from orchestrator.render.common import labels
from orchestrator.render.groups import PlacedGroup
from orchestrator.render.manifest import Manifest, from_template
from orchestrator.spec import Testnet

READABLE = (
    tcp_ports.NODE.rpc,
    tcp_ports.EMBEDDED_RELAY.rpc,
    tcp_ports.NODE.metrics,
    tcp_ports.EMBEDDED_RELAY.metrics,
    tcp_ports.PROMETHEUS,
    tcp_ports.CONTROLLER,
)
"""Ports that are open from outside the namespace, for the API server's proxy and a shared Prometheus."""


def objects(testnet: Testnet, groups: Iterable[PlacedGroup]) -> Iterator[Manifest]:
    """Policies that keep all traffic inside the network, except to DNS and from the controller to the API server.

    Agents take orders from the controller only, and show their metrics to Prometheus only: to the network's own, or to
    the pods of the namespace in which the existing one is.
    """
    if not testnet.spec.isolation.network_policy:
        return
    fetching = {
        placed.group.name: _ports(placed.group.snapshot.archive.url)
        for placed in groups
        if placed.group.snapshot is not None and placed.group.snapshot.archive is not None
    }
    existing = testnet.spec.observability.existing
    yield from from_template(
        "isolation.yaml.j2",
        testnet.namespace,
        labels=labels(testnet, "isolation"),
        readable=READABLE,
        fetching=fetching,
        watcher=existing.namespace if existing is not None else None,
    )


def _ports(url: str) -> list[int]:
    """The port of a URL, and 80 and 443, to which it may redirect."""
    port = urlsplit(url).port
    return sorted({80, 443} | ({port} if port else set()))
