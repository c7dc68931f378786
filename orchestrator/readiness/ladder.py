"""The readiness ladder: a network is ready when it does what a network does, not when its pods run.

Each rung has its own time limit. A rung that is not reached names the node and the cause. The rungs are in `rungs`.
Called by `cli.up` and by `run`.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.cluster import Cluster
from orchestrator.inspection.waiting import Clock, Missing, wait
from orchestrator.progress import Progress
from orchestrator.provision.network import Network
from orchestrator.readiness import causes, rungs
from orchestrator.readiness.access import Access
from orchestrator.readiness.rungs import Rung


@dataclass(frozen=True, slots=True)
class RungReached:
    """A rung that was reached, and how many seconds it took."""

    name: str
    seconds: float


def climb(cluster: Cluster, network: Network, progress: Progress) -> tuple[RungReached, ...]:
    """Waits for all rungs in order.

    Raises:
        ReadinessError: a rung was not reached. Names the rung, the nodes, and a cause from their state or logs.
    """
    access = Access(cluster, network)
    return climb_rungs(rungs.rungs(cluster, network, access), access, progress)


def climb_rungs(
    climbed: Iterable[Rung], access: Access, progress: Progress, clock: Clock = time
) -> tuple[RungReached, ...]:
    """Waits for these rungs in order. Raises as `climb` does."""

    def cause(missing: Missing) -> str | None:
        return causes.first(access, [node for node in access.nodes if node.name in missing])

    return tuple(RungReached(rung.name, wait([rung], rung.timeout, progress, clock, hint=cause)) for rung in climbed)
