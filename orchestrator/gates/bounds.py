"""How far a figure is beyond what a gate asks for, and which node is to blame for it. Pure."""

from orchestrator.spec import Gate


def breach(gate: Gate, value: float) -> float:
    """How far the value is beyond the threshold; 0 or less is within."""
    low, high = bounds(gate)
    return max(low - value if low is not None else float("-inf"), value - high if high is not None else float("-inf"))


def bounds(gate: Gate) -> tuple[float | None, float | None]:
    """The least and the most that the gate's figure may be; None where it does not say."""
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
    """Whether a figure of several nodes is worst through its highest node, and not through its lowest."""
    low, high = bounds(gate)
    if low is None or high is None:
        return high is not None
    return value - high > low - value
