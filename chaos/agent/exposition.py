"""The agent's metrics page: what each node of this machine did not get, with the labels of the node's own metrics.

A node with two chains has each figure once for each, because both of its pages are of the same process. Nothing here is
secret, so the page needs no token. Served by `metrics_server`.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chaos.agent.clock_offset import ClockComparison
from chaos.agent.node_pods import NodePod
from chaos.agent.sampler import Sampler
from chaos.agent.shares import Scarce

_LABELS = ("node", "chain", "group", "role")
"""The label `network` comes with the scrape, as for nodes."""

_RATIOS: dict[Scarce, tuple[str, str]] = {
    "cpu_wait": (
        "coalmine_node_cpu_wait_ratio",
        "Share of the time in which the node's threads wanted a CPU that they waited for one.",
    ),
    "cpu_delay": (
        "coalmine_node_cpu_delay_ratio",
        "Share of the time for which threads of the node waited for a CPU, all together and at most 1.",
    ),
    "memory_stall": (
        "coalmine_node_memory_stall_ratio",
        "Share of the time in which some process of the pod (else of the machine) stood still for memory.",
    ),
    "io_stall": (
        "coalmine_node_io_stall_ratio",
        "Share of the time in which some process of the pod (else of the machine) stood still for a disk.",
    ),
    "cpu_throttled": (
        "coalmine_node_cpu_throttled_ratio",
        "Share of the periods of its CPU limit in which the pod used it up.",
    ),
    "cpu_steal": (
        "coalmine_machine_cpu_steal_ratio",
        "Share of the machine's CPU time that the hypervisor gave to others.",
    ),
}
_CLOCK = (
    ("coalmine_machine_clock_offset_seconds", "How far the machine's clock is ahead of the controller's."),
    ("coalmine_machine_clock_offset_error_seconds", "By how much that may be wrong, either way."),
)


class Page(Collector):
    """Collects at every scrape, so that a node that has left is not shown any more."""

    def __init__(self, sampler: Sampler, clock: ClockComparison) -> None:
        self._sampler = sampler
        self._clock = clock

    def registry(self) -> CollectorRegistry:
        """A registry with this page and nothing about the agent's own process."""
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    def collect(self) -> Iterator[GaugeMetricFamily]:
        # A pod that is killed may outlive its successor's start for a moment. Two series of one name would be an error.
        found = {pod.name: (pod, shares) for pod, shares in self._sampler.shares()}.values()
        for scarce, (name, sentence) in _RATIOS.items():
            family = GaugeMetricFamily(name, sentence, labels=_LABELS)
            for pod, shares in found:
                if scarce in shares:
                    _add(family, pod, shares[scarce])
            yield family
        best = self._clock.best()
        for (name, sentence), value in zip(_CLOCK, (best.seconds, best.error) if best else (), strict=False):
            family = GaugeMetricFamily(name, sentence, labels=_LABELS)
            for pod, _ in found:
                _add(family, pod, value)
            yield family


def _add(family: GaugeMetricFamily, pod: NodePod, value: float) -> None:
    for chain in pod.identity.chains:
        family.add_metric((pod.name, chain, pod.identity.group, pod.identity.role), value)
