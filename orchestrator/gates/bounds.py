"""Computes how far a figure is beyond a gate's threshold, and in which direction. Pure."""

from orchestrator.spec import Gate


def breach(gate: Gate, value: float) -> float:
    """How far the value is beyond the threshold, in the value's unit. 0 or less means within."""
    low, high = bounds(gate)
    return max(low - value if low is not None else float("-inf"), value - high if high is not None else float("-inf"))


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
    low, high = bounds(gate)
    if low is None or high is None:
        return high is not None
    return value - high > low - value
