"""What the numbers of a gate mean. For signals, the catalogue says it; for other sources, it is defined here. Pure."""

import math
from dataclasses import dataclass
from typing import Literal

from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Gate

GROWTH = ("increases_by", "rate_per_minute", "stalls", "progresses", "recovers_within")
"""Thresholds that compare a value with earlier ones, so that one sample is not enough."""

_GROWS = ("increases_by", "rate_per_minute", "stalls", "progresses")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a gate's samples mean, and how they are treated before a threshold is applied.

    `resets`: a fall means that counting started again. `counter`: it then starts at zero. `monotone`: it never falls
    in the life of what it counts. `figure`: the samples themselves, their growth, or seconds for each unit of growth.
    """

    title: str
    unit: str
    counter: bool = False
    monotone: bool = False
    resets: bool = False
    figure: Literal["samples", "growth", "seconds-per-growth"] = "samples"

    @classmethod
    def of(cls, gate: Gate) -> "Meaning":
        """What the gate's samples mean.

        Raises:
            KeyError: when the catalogue has no such signal.
        """
        if gate.signal is not None:
            return _of_signal(gate)
        if gate.promql is not None:
            return cls("The query's value", "", resets=gate.chosen() in GROWTH)
        return _of_read(gate)

    def said(self, value: float) -> str:
        """The value with its unit, for use in a sentence."""
        if not math.isfinite(value):
            return "infinite"
        number = f"{value:.4g}" if abs(value) < 1000 else f"{value:g}"
        return f"{number} {self.unit}".strip()


def _of_signal(gate: Gate) -> Meaning:
    signal = CATALOGUE[gate.signal or ""]
    counter = signal.kind != "gauge"
    return Meaning(
        title=signal.title,
        unit=signal.unit,
        counter=counter,
        monotone=signal.monotone,
        resets=counter or (signal.monotone and gate.chosen() in _GROWS),
        figure=signal.derive,
    )


def _counted(title: str) -> Meaning:
    """A count since the runner began to watch. A new runner starts at zero, which is a reset like any other."""
    return Meaning(title, "", counter=True, monotone=True, resets=True, figure="growth")


def _of_read(gate: Gate) -> Meaning:
    grows = gate.chosen() in _GROWS
    known = {
        "best-height": Meaning("Best block", "blocks"),
        "finalized-height": Meaning("Finalised block", "blocks", monotone=True, resets=grows),
        "session": Meaning("Session", "", monotone=True, resets=grows),
        "spec-version": Meaning("Runtime version", ""),
        "authorities": Meaning("Authorities", ""),
        "grandpa-round": Meaning("GRANDPA round", ""),
        "grandpa-absent": Meaning("Missing precommits", ""),
        "restarts": _counted("Restarts"),
        "oom-kills": _counted("Kills for lack of memory"),
        "ready": Meaning("Readiness", ""),
    }
    if (name := gate.chain_read or gate.pods) in known:
        return known[name]
    if gate.storage is not None:
        return Meaning(f"{gate.storage.pallet}.{gate.storage.item}", "")
    if gate.logs is not None:
        return Meaning(f"Lines with {gate.logs.pattern}", "")
    if gate.chain_events is not None:
        return Meaning(f"Events {gate.chain_events.pallet}.{gate.chain_events.name}", "")
    return Meaning("What was measured", "s" if gate.measured is not None and gate.measured.seconds else "")
