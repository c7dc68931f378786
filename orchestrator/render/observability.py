"""Renders what scrapes the network: its own Prometheus, or PodMonitors for an existing one. Called by `network`.

`prometheus_endpoint` tells all other modules where the Prometheus is.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from orchestrator import tcp_ports, units
from orchestrator.render.common import Images, labels
from orchestrator.render.groups import PlacedGroup
from orchestrator.render.manifest import Manifest, from_template
from orchestrator.spec import Testnet
from orchestrator.spec.testnet import RELAY

SMALL = 100
"""Up to this many simulated nodes are scraped every second, more nodes every five seconds.

Real nodes are also scraped every five seconds: they update the metrics that most gates read at that interval
(`substrate/client/service/src/metrics.rs`), and a busy node may take a second to answer.
"""


@dataclass(frozen=True, slots=True)
class PrometheusEndpoint:
    """The Service of a network's Prometheus. `scrape_interval` is in seconds."""

    namespace: str
    service: str
    port: int
    scrape_interval: float


@dataclass(frozen=True, slots=True)
class _Job:
    """One scrape job of a group: its nodes, or the relay nodes inside its collators."""

    name: str
    group: str
    role: str
    chain: str
    port: str
    record: str


def prometheus_endpoint(testnet: Testnet) -> PrometheusEndpoint:
    """The Prometheus that has this network's metrics."""
    existing, own = testnet.spec.observability.existing, testnet.spec.observability.own
    if existing is not None:
        return PrometheusEndpoint(existing.namespace, existing.service, existing.port, existing.scrape_interval)
    nodes = sum(group.count for _, group in testnet.spec.groups())
    usual = 1.0 if nodes <= SMALL and testnet.spec.relaychain.simulated else 5.0
    said = own.scrape_interval if own is not None else None
    return PrometheusEndpoint(testnet.namespace, "prometheus", tcp_ports.PROMETHEUS, said or usual)


def objects(testnet: Testnet, groups: Iterable[PlacedGroup], images: Images) -> Iterator[Manifest]:
    """The objects that let Prometheus scrape the network's nodes, and the agents beside them."""
    jobs = tuple(job for group in groups for job in _jobs(testnet, group))
    existing = testnet.spec.observability.existing
    if existing is None:
        yield from _prometheus(testnet, jobs, images)
    elif existing.pod_monitor:
        for job in jobs:
            yield from from_template(
                "pod-monitor.yaml.j2",
                testnet.namespace,
                network=testnet.name,
                labels={**labels(testnet, "pod-monitor"), **existing.labels},
                interval=units.format_duration(existing.scrape_interval),
                job=job,
            )
        yield from from_template(
            "agent-monitor.yaml.j2",
            testnet.namespace,
            network=testnet.name,
            labels={**labels(testnet, "pod-monitor"), **existing.labels},
            interval=units.format_duration(existing.scrape_interval),
        )


def _prometheus(testnet: Testnet, jobs: tuple[_Job, ...], images: Images) -> Iterator[Manifest]:
    scrape = prometheus_endpoint(testnet).scrape_interval
    interval = units.format_duration(scrape)
    own = testnet.spec.observability.own
    assert own is not None
    agents = f"coalmine-agent.{testnet.namespace}.svc.cluster.local"
    yield from from_template(
        "prometheus.yaml.j2",
        testnet.namespace,
        network=testnet.name,
        labels=labels(testnet, "prometheus"),
        interval=interval,
        lookback=f"{round(2500 * scrape)}ms",  # Prometheus accepts only whole numbers.
        storage=own.storage,
        jobs=jobs,
        agents=agents,
        config_hash=hashlib.sha256(repr((interval, agents, jobs)).encode()).hexdigest()[:16],
        images=asdict(images),
    )


def _jobs(testnet: Testnet, placed: PlacedGroup) -> Iterator[_Job]:
    name, place = placed.group.name, placed.place
    service = f"{name}.{testnet.namespace}.svc.cluster.local"
    yield _Job(name, name, place.role, place.chain, "prometheus", f"_prometheus._tcp.{service}")
    if place.embedded_relay:
        yield _Job(f"{name}-relay", name, place.role, RELAY, "prom-relay", f"_prom-relay._tcp.{service}")
