"""What the numbers of a gate mean, and how far one of them is beyond the gate's threshold. Pure.

For signals, the catalogue says what they mean. For all other sources it is said here.
"""

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
    in the life of what it counts. `height`: it is the height of a chain, which a healthy network never lets stand for
    long. `figure`: the samples themselves, their growth, or seconds for each unit of growth.
    """

    title: str
    unit: str
    counter: bool = False
    monotone: bool = False
    resets: bool = False
    height: bool = False
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
        height=not counter and signal.unit == "blocks" and (signal.monotone or signal.climbs),
        figure=signal.derive,
    )


def _counted(title: str) -> Meaning:
    """A count since the runner began to watch. A new runner starts at zero, which is a reset like any other."""
    return Meaning(title, "", counter=True, monotone=True, resets=True, figure="growth")


def _of_read(gate: Gate) -> Meaning:
    grows = gate.chosen() in _GROWS
    known = {
        "best-height": Meaning("Best block", "blocks", height=True),
        "finalized-height": Meaning("Finalised block", "blocks", monotone=True, resets=grows, height=True),
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


def unit(gate: Gate) -> str:
    """The unit of the gate's figure; empty for a signal that the catalogue does not have."""
    if gate.chosen() in {"recovers_within", "progresses"}:
        return "s"
    if gate.signal is not None and gate.signal not in CATALOGUE:
        return ""
    per_minute = gate.rate_per_minute is not None or (
        gate.no_worse_than is not None and gate.no_worse_than.figure == "growth-per-minute"
    )
    of_samples = Meaning.of(gate).unit
    return f"{of_samples}/min" if per_minute else of_samples


def breach(gate: Gate, value: float) -> float:
    """How far the value is beyond the threshold, in the value's unit. 0 or less means within."""
    low, high = bounds(gate)
    return max(low - value if low is not None else -math.inf, value - high if high is not None else -math.inf)


def bounds(gate: Gate) -> tuple[float | None, float | None]:
    """The lowest and the highest allowed figure; None where the gate sets no bound."""
    if gate.between is not None:
        return gate.between.low, gate.between.high
    if gate.equals is not None:
        return gate.equals, gate.equals
    if gate.rate_per_minute is not None:
        return gate.rate_per_minute.at_least, gate.rate_per_minute.at_most
    if gate.increases_by is not None:
        return gate.increases_by, None
    return gate.at_least, gate.at_most if gate.stalls is None else gate.stalls


def blames_highest(gate: Gate, value: float) -> bool:
    """Whether the highest node makes a figure of several nodes bad. If not, the lowest does."""
    if gate.no_worse_than is not None:
        return higher_is_worse(gate) is not False
    low, high = bounds(gate)
    if low is None or high is None:
        return high is not None
    return value - high > low - value


def higher_is_worse(gate: Gate) -> bool | None:
    """Which way is worse for a comparison with an earlier run; None if neither the gate nor the catalogue says it."""
    wanted = gate.no_worse_than
    assert wanted is not None
    direction = CATALOGUE[gate.signal].direction if gate.signal is not None else "neither"
    if wanted.worse is None and direction == "neither":
        return None
    return wanted.worse == "higher" if wanted.worse is not None else direction == "lower"
