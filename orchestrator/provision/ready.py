"""The readiness ladder: a network is ready when it does what a network does, not when its pods run.

Each rung has a time limit of its own and, when it is not reached, names the node and the cause. The rungs themselves
are in `ladder`. Called by `cli.up` and by `run`.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.cluster import Cluster
from orchestrator.errors import ReadinessError
from orchestrator.progress import Work, under_way
from orchestrator.provision import causes, ladder
from orchestrator.provision.access import Access
from orchestrator.provision.engine import Progress
from orchestrator.provision.ladder import Rung
from orchestrator.provision.network import Network

POLL = 0.5
"""Seconds between two looks at nodes. Their RPC offers no watch through the API server's proxy."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A rung that was reached, and after how many seconds of waiting on it."""

    name: str
    seconds: float


def climb(cluster: Cluster, network: Network, progress: Progress) -> tuple[Reached, ...]:
    """Climbs all rungs.

    Raises:
        ReadinessError: naming the rung that was not reached, the nodes, and a cause from their state or logs.
    """
    access = Access(cluster, network)
    return climb_rungs(ladder.rungs(cluster, network, access), access, progress)


def climb_rungs(rungs: Iterable[Rung], access: Access, progress: Progress) -> tuple[Reached, ...]:
    """Climbs the rungs in order; raises as `climb` does."""
    return tuple(_reach(rung, access, progress) for rung in rungs)


def _reach(rung: Rung, access: Access, progress: Progress) -> Reached:
    started = time.monotonic()
    missing: dict[str, str] | None = None
    with under_way(progress, Work(rung.name, lambda: rung.far(missing))):
        while missing := rung.missing():
            if time.monotonic() - started > rung.timeout:
                raise _failure(rung, missing, access)
            time.sleep(POLL)
    reached = Reached(rung.name, time.monotonic() - started)
    progress(f"{rung.name} ({reached.seconds:.1f} s)")
    return reached


def _failure(rung: Rung, missing: dict[str, str], access: Access) -> ReadinessError:
    cause = causes.first(access, [node for node in access.nodes if node.name in missing])
    return ReadinessError(f"{rung.name}: not within {rung.timeout:g} s: {causes.some(missing)}", hint=cause)
