"""The gates that a stage has without naming them: its fault was verified, its upgrade was enacted. Called by `judge`.

Their evidence is the events that `run` records from what the controller observed. If the fault did not happen as
specified, every other gate of the stage is worthless, so that is an ERROR. If an upgrade failed, that is what the
rehearsal should find, so it is FAILED.
"""

from collections.abc import Iterator, Sequence

from orchestrator.gates.window import Timeline
from orchestrator.journal import Event, GateVerdict, Verdict
from orchestrator.spec import Stage

FAULT = "fault-verified"
UPGRADE = "upgrade-enacted"


def verdicts(stage: Stage, events: Sequence[Event], timeline: Timeline) -> Iterator[GateVerdict]:
    """A verdict for the stage's experiment, and one for its upgrade. None if the stage has neither."""
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event.name, event)
    if stage.experiment is not None:
        yield _told(stage, FAULT, _fault(first), timeline)
    if stage.upgrade is not None:
        yield _told(stage, UPGRADE, _upgrade(first), timeline)


_Seen = tuple[Verdict, str, Event | None]
"""The verdict, its reason, and the event that shows it."""


def _fault(events: dict[str, Event]) -> _Seen:
    if failed := events.get("experiment.failed"):
        return Verdict.ERROR, f"the fault failed: {_text(failed, 'cause')}", failed
    injected, recovered = events.get("inject.confirmed"), events.get("recover.confirmed")
    if injected is None:
        return Verdict.INCONCLUSIVE, "the fault's injection was never confirmed", None
    if recovered is None:
        return Verdict.INCONCLUSIVE, "the fault's end was never confirmed", injected
    effect = f": {injected.detail['effect']}" if injected.detail.get("effect") else ""
    lasted = f"injection confirmed{effect}; lifted again after {recovered.at - injected.at:.0f} s"
    return Verdict.PASSED, lasted, injected


def _upgrade(events: dict[str, Event]) -> _Seen:
    if failed := events.get("upgrade.failed"):
        chain, phase, cause = (_text(failed, key) for key in ("chain", "phase", "cause"))
        block = failed.detail.get("block")
        where = f" at block {block}" if block is not None else ""
        return Verdict.FAILED, f"the upgrade of {chain} failed in phase {phase}{where}: {cause}", failed
    done = events.get("upgrade.completed") or events.get("upgrade.enacted")
    if done is None:
        return Verdict.INCONCLUSIVE, "the upgrade was neither enacted nor seen to fail", None
    block = events["upgrade.enacted"].detail.get("enactedBlock") if "upgrade.enacted" in events else None
    which = f"block {block}, built by the new code," if block is not None else "a block built by the new code"
    return Verdict.PASSED, f"{which} is included and finalised", done


def _text(event: Event, key: str) -> str:
    value = event.detail.get(key)
    return str(value) if value is not None else "unknown"


def _told(stage: Stage, name: str, seen: _Seen, timeline: Timeline) -> GateVerdict:
    verdict, reason, event = seen
    return GateVerdict(
        stage=stage.name,
        gate=name,
        verdict=verdict,
        reason=reason,
        threshold="no failure",
        when=event.at if event else None,
        block=timeline.block(event.at if event else None),
    )
