"""What a stage leaves behind is over before the next one begins. Called by `lifecycle`.

A stage ends when the windows of its gates have closed, and a node that was stopped may then still fetch what it missed.
A fault that comes upon it would be judged by what the one before has done: a real validator, ten seconds after a pause
of a minute, was cut from those it was fetching from, and finalised in the partition what had long been final.
"""

import time
from collections.abc import Callable, Iterable

from orchestrator.errors import ReadinessError
from orchestrator.gates import measure
from orchestrator.gates.ports import Sources
from orchestrator.inspection.waiting import Clock
from orchestrator.journal import Event, Reading
from orchestrator.metrics.signals import targets
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.readiness.rungs import Rung
from orchestrator.spec.source import Selector

PATIENCE = 120.0
"""Seconds after which the next stage begins all the same: twenty slots of a real relay chain."""

UNDER_WAY = 1
"""Blocks that a healthy node may have finalised less than another one that is asked at the same moment."""


def wait(stage: str, sources: Sources, access: Access, say: Callable[[str], None], clock: Clock = time) -> Event:
    """Waits until all nodes have caught up, for `PATIENCE` at most; what came of it, for the journal.

    A network that does not come back is no reason to end the run: the gates of the stage say what that means for it.
    """
    wanted = targets(sources.nodes, Selector())
    asked = frozenset(target.node for target in wanted)
    rung = Rung("all nodes have caught up", PATIENCE, lambda: behind(measure.finalized(wanted, sources)), asked)
    try:
        (reached,) = ladder.climb_rungs([rung], access, say, clock)
    except ReadinessError as error:
        told = f"{error.message}; {error.hint}" if error.hint else error.message
        say(f"{told}; stage {stage} begins all the same")
        return Event(name="nodes.behind", stage=stage, detail={"cause": told})
    return Event(name="rung", stage=stage, detail={"rung": reached.name, "seconds": round(reached.seconds, 1)})


def behind(reads: Iterable[Reading]) -> dict[str, str]:
    """Who has not finalised as far as the furthest of its chain, or does not answer, each with the reason."""
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
