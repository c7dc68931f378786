"""What keeps a network to itself: NetworkPolicies. Called by `network`.

Whether they hold is the cluster's network plugin's affair; some ignore them without a word.
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
"""Ports that answer from outside the namespace: the API server's proxy and a shared Prometheus stand there."""


def objects(testnet: Testnet, groups: Iterable[PlacedGroup]) -> Iterator[Manifest]:
    """No pod of the network speaks to anything outside of it, except to DNS, and the controller to the API server."""
    if not testnet.spec.isolation.network_policy:
        return
    fetching = {
        placed.group.name: _ports(placed.group.snapshot.archive.url)
        for placed in groups
        if placed.group.snapshot is not None and placed.group.snapshot.archive is not None
    }
    yield from from_template(
        "isolation.yaml.j2",
        testnet.namespace,
        labels=labels(testnet, "isolation"),
        readable=READABLE,
        fetching=fetching,
    )


def _ports(url: str) -> list[int]:
    """The port of an address, and those of the web, to which it may be redirected."""
    port = urlsplit(url).port
    return sorted({80, 443} | ({port} if port else set()))
