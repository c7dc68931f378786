"""Prints what the gates of a file notice of a changed run. Called by `gates mutate`."""

from collections.abc import Sequence
from typing import Any

from orchestrator.cli import console, stdout
from orchestrator.cli.format import Format
from orchestrator.gates.mutate import Found, Trial

_SHOWN = 3
"""How many nodes a cell names."""


def shown(name: str, trial: Trial, output: Format) -> None:
    """A row for each kind of degradation that no gate notices, and the sum; as JSON every change."""
    if output is Format.JSON:
        stdout.data(data(trial))
        return
    if trial.missed:
        console.table(f"What no gate of {name} notices", ["change", "of", "in", "a gate that would"], rows(trial))
    console.conclude(summary(trial))
    for gate in trial.opaque:
        console.conclude(f"{gate} has a query of its own; what that would have answered is not known")


def rows(trial: Trial) -> list[list[str]]:
    """One row for each kind of degradation that is missed and gate that would notice it."""
    together: dict[tuple[str, str], list[Found]] = {}
    for found in trial.missed:
        together.setdefault((found.mutant.name, _would(found)), []).append(found)
    return [[name, _some(alike), _stages(alike, trial), would] for (name, would), alike in together.items()]


def summary(trial: Trial) -> str:
    """One line: how many changes there were, what became of them."""
    harmless = [found for found in trial.found if not found.mutant.degradation and not found.noticed]
    return (
        f"{len(trial.found)} changes: {len(trial.noticed)} noticed, {len(trial.missed)} not, and {len(harmless)} that "
        f"are no degradation; {len(trial.unsure)} of all that are not noticed leave a gate inconclusive. "
        f"{int(100 * trial.share)}% of the degradations are noticed"
    )


def data(trial: Trial) -> dict[str, Any]:
    return {
        "changes": len(trial.found),
        "noticed": len(trial.noticed),
        "missed": len(trial.missed),
        "inconclusive": len(trial.unsure),
        "notKnownOf": list(trial.opaque),
        "found": [_one(found) for found in trial.found],
    }


def _one(found: Found) -> dict[str, Any]:
    mutant, would = found.mutant, found.would
    return {
        "stage": mutant.stage,
        "when": mutant.when,
        "of": mutant.where,
        "change": mutant.name,
        "degradation": mutant.degradation,
        "failed": list(found.failed),
        "inconclusive": list(found.inconclusive),
        "would": {"gate": would.gate, "tried": would.tried} if would is not None else None,
    }


def _would(found: Found) -> str:
    return str(found.would) if found.would is not None else "none of the library"


def _some(alike: Sequence[Found]) -> str:
    names = list(dict.fromkeys(found.mutant.where for found in alike))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _stages(alike: Sequence[Found], trial: Trial) -> str:
    every = {found.mutant.stage for found in trial.found}
    names = dict.fromkeys(found.mutant.stage for found in alike)
    return "every stage" if len(names) == len(every) > 1 else ", ".join(names)
