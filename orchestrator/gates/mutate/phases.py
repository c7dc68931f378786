"""The stretches of a stage that a change begins with: a while into a hold, with a fault, after it, after an upgrade."""

import math
from collections.abc import Iterator, Mapping

from orchestrator.gates.judge import CLOSED
from orchestrator.gates.mutate.edit import Span
from orchestrator.gates.mutate.mutant import Phase
from orchestrator.gates.window import moments
from orchestrator.journal import Event, Journal
from orchestrator.spec import Stage

INTO = 0.25
"""The share of a hold that passes before a change begins."""

FAULTED, RECOVERED, UPGRADED = "while the fault lasts", "after the fault", "after the upgrade"


def phases(stage: Stage, journal: Journal) -> Iterator[Phase]:
    """The stage's phases. None of a stage that did not begin and end, or whose fault or upgrade did not happen."""
    known = {name: found.value for name, found in moments(stage.name, journal.all(Event)).items()}
    if not {"stage.start", "stage.end"} <= known.keys():
        return
    until = _until(stage.name, journal)
    if stage.experiment is not None:
        if {"inject.confirmed", "recover.start", "recover.confirmed"} <= known.keys():
            during = Span(known["inject.confirmed"], known["recover.start"])
            yield Phase(stage, FAULTED, during, until, disturbed=True)
            yield Phase(stage, RECOVERED, Span(known["recover.confirmed"], math.inf), until, disturbed=True)
    elif stage.upgrade is not None:
        if "upgrade.enacted" in known:
            yield Phase(stage, UPGRADED, Span(known["upgrade.enacted"], math.inf), until)
    else:
        yield Phase(stage, "", Span(_into(known), math.inf), until)


def _into(known: Mapping[str, float]) -> float:
    start, end = known["stage.start"], known["stage.end"]
    return start + INTO * (end - start)


def _until(stage: str, journal: Journal) -> int:
    """How many entries the journal had when the stage was judged; as `judge` finds it."""
    begun = False
    for index, entry in enumerate(journal.entries):
        if isinstance(entry, Event) and (entry.name, entry.stage) == (CLOSED, stage):
            return index + 1
        if isinstance(entry, Event) and entry.name == "stage.start":
            if begun and entry.stage != stage:
                return index
            begun = begun or entry.stage == stage
    return len(journal.entries)
