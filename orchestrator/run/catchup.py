"""Waits before a stage until all nodes have recovered from the stage before. Called by `lifecycle`.

A stage ends when the windows of its gates have closed. A node that was stopped may then still be fetching blocks. A
fault at that moment would be judged by the effects of the one before. We saw this with a real validator: ten seconds
after a pause of a minute it was cut off from the nodes it was fetching from, and then finalised, inside the partition,
blocks that were already final elsewhere.
"""

import time
from collections.abc import Callable, Iterable

from orchestrator.errors import ReadinessError
from orchestrator.gates import agreement
from orchestrator.gates.ports import Sources
from orchestrator.inspection.waiting import Clock
from orchestrator.journal import Event, Reading
from orchestrator.metrics.signals import targets
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.readiness.rungs import Rung
from orchestrator.spec.source import Selector

PATIENCE = 120.0
"""Seconds after which the next stage begins anyway: twenty slots of a real relay chain."""

UNDER_WAY = 1
"""How many finalised blocks a healthy node may be behind another one that is asked at the same time."""


def wait(stage: str, sources: Sources, access: Access, say: Callable[[str], None], clock: Clock = time) -> Event:
    """Waits until all nodes have caught up, for at most `PATIENCE` seconds. Returns an event for the journal.

    If the network does not recover, the run continues: the gates of the next stage judge it.
    """
    wanted = targets(sources.nodes, Selector())
    asked = frozenset(target.node for target in wanted)
    rung = Rung("all nodes have caught up", PATIENCE, lambda: behind(agreement.finalized(wanted, sources)), asked)
    try:
        (reached,) = ladder.climb_rungs([rung], access, say, clock)
    except ReadinessError as error:
        told = f"{error.message}; {error.hint}" if error.hint else error.message
        say(f"{told}; stage {stage} begins anyway")
        return Event(name="nodes.behind", stage=stage, detail={"cause": told})
    return Event(name="rung", stage=stage, detail={"rung": reached.name, "seconds": round(reached.seconds, 1)})


def behind(reads: Iterable[Reading]) -> dict[str, str]:
    """The nodes that do not answer or have finalised less than the furthest node of their chain, with the reason."""
    answers = list(reads)
    furthest: dict[str | None, int] = {}
    for read in answers:
        furthest[read.target.chain] = max(furthest.get(read.target.chain, 0), read.finalized or 0)
    missing = {}
    for read in answers:
        chain, goal = read.target.chain, furthest[read.target.chain]
        if read.finalized is None:
            missing[read.target.node] = read.error or "no answer"
        elif read.finalized < goal - UNDER_WAY:
            missing[read.target.node] = f"has finalised block {read.finalized} of {goal} of {chain}"
    return missing
