"""Sets Kubernetes conditions and keeps the time of their last change. Pure. Used by both plans."""

from datetime import datetime
from typing import Literal, cast

from orchestrator.spec.status import Condition


def with_condition(
    conditions: tuple[Condition, ...],
    name: str,
    value: str,
    *,
    reason: str,
    message: str,
    now: datetime,
    generation: int,
) -> tuple[Condition, ...]:
    """The conditions with this one set. Its time changes only if its value changes."""
    known = next((c for c in conditions if c.type == name), None)
    since = known.last_transition_time if known is not None and known.status == value else now
    condition = Condition(
        type=name,
        status=cast("Literal['True', 'False', 'Unknown']", value),
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=generation,
    )
    if known is None:
        return (*conditions, condition)
    return tuple(condition if c.type == name else c for c in conditions)


def changed_at(conditions: tuple[Condition, ...], name: str) -> datetime | None:
    return next((c.last_transition_time for c in conditions if c.type == name), None)
