"""Tells each event of a run as a sentence. Pure.

What a sentence does not use of an event is added to it, so that nothing is lost.
"""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.journal import IMAGES, Event

_Detail = Mapping[str, Any]


def sentence(event: Event, action: str) -> str:
    """The event as a sentence. `action` is what the event's stage does, such as `pause for 20 s`."""
    used, tell = _SENTENCES.get(event.name, ((), lambda _: f"{event.name}."))
    detail = {key: event.detail.get(key) for key in used}
    said = tell({**detail, "stage": event.stage or "", "action": action})
    rest = [f"{key}: {_value(value)}" for key, value in event.detail.items() if key not in used]
    return f"{said} ({'; '.join(rest)})" if rest and event.name != IMAGES else said


def _began(detail: _Detail) -> str:
    return f"Stage {detail['stage']} began: {detail['action']}."


def _reached(detail: _Detail) -> str:
    took = f" after {detail['seconds']:g} s" if isinstance(detail["seconds"], int | float) else ""
    return f"Readiness: {detail['rung'] or 'a rung was reached'}{took}."


def _injected(detail: _Detail) -> str:
    sides = detail["sides"]
    where = " against ".join(map(_value, sides)) if isinstance(sides, list) and sides else _value(detail["nodes"])
    return f"The fault was in place on {where or 'its nodes'}{_after_colon(detail['effect'])}."


def _recovered(detail: _Detail) -> str:
    return f"The fault was taken back everywhere{_after_colon(detail['recovery'])}."


def _authorised(detail: _Detail) -> str:
    code = f", code {detail['codeHash']}" if detail["codeHash"] else ""
    return f"The {detail['action'] or 'upgrade'} was authorised{_in(detail['authorizedBlock'])}{code}."


def _enacted(detail: _Detail) -> str:
    old, new = detail["specVersionFrom"], detail["specVersionTo"]
    version = f"; the version went from {old} to {new}" if old is not None and new is not None else ""
    block = detail["enactedBlock"]
    return f"{f'Block {block}' if block is not None else 'A block'} was the first by the new code{version}."


def _upgrade_failed(detail: _Detail) -> str:
    chain, phase = detail["chain"] or "the chain", detail["phase"] or "unknown"
    at = f" at block {detail['block']}" if detail["block"] is not None else ""
    return f"The upgrade of {chain} failed in phase {phase}{at}{_after_colon(detail['cause'])}."


def _caused(what: str) -> Callable[[_Detail], str]:
    return lambda detail: f"{what}{_after_colon(detail['cause'])}."


_SENTENCES: Mapping[str, tuple[tuple[str, ...], Callable[[_Detail], str]]] = {
    "run.start": ((), lambda _: "The run began."),
    "rung": (("rung", "seconds"), _reached),
    IMAGES: ((), lambda _: "All pods ran; their images are listed under Network."),
    "names.checked": ((), lambda _: "One node of each group was asked which metrics it has."),
    "stage.start": ((), _began),
    "stage.end": ((), lambda detail: f"Stage {detail['stage']} ended."),
    "stage.aborted": (
        ("gate", "cause"),
        lambda detail: f"Gate {detail['gate'] or 'of the stage'} ended the stage early{_after_colon(detail['cause'])}.",
    ),
    "run.aborted": (("cause",), _caused("The run ended early")),
    "inject.confirmed": (("nodes", "sides", "effect"), _injected),
    "recover.start": ((), lambda _: "The fault began to be taken back."),
    "recover.confirmed": (("recovery",), _recovered),
    "experiment.failed": (("cause",), _caused("The fault failed")),
    "nodes.behind": (("cause",), _caused("Some nodes had not caught up before the stage")),
    "upgrade.authorized": (("chain", "authorizedBlock", "codeHash"), _authorised),
    "upgrade.applied": (("appliedBlock",), lambda detail: f"The new code was applied{_in(detail['appliedBlock'])}."),
    "upgrade.enacted": (("enactedBlock", "specVersionFrom", "specVersionTo"), _enacted),
    "upgrade.completed": ((), lambda _: "The upgrade was complete."),
    "upgrade.failed": (("chain", "phase", "block", "cause"), _upgrade_failed),
}
"""Event -> the details that its sentence uses, and the sentence."""


def _in(block: object) -> str:
    return f" in block {block}" if block is not None else ""


def _after_colon(text: object) -> str:
    return f": {str(text).rstrip('.')}" if text else ""


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(one)}" for key, one in value.items())
    return "" if value is None else str(value)
