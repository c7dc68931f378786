"""Whose a network is, since when, and until when: annotations of its namespace. Pure; called by `network`, `sweep`.

They stand there, and not in a user's file, so that anybody can see what may go. The time to live counts from the last
`up`, so whoever still works with a network keeps it by bringing it up again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

CREATED = "coalmine.dev/created-at"
EXPIRES = "coalmine.dev/expires-at"
OWNER = "coalmine.dev/owner"
KEPT = "coalmine.dev/data-kept-at"
"""Set by `down --keep-data`: nothing runs, and volumes, seed and chain specs wait for the next `up`."""


def at_creation(owner: str, now: datetime) -> dict[str, str]:
    return {CREATED: text(now), OWNER: owner}


def at_up(ttl: float | None, now: datetime) -> dict[str, str | None]:
    """What each `up` sets, and with None takes away; `ttl` in seconds."""
    return {EXPIRES: text(now + timedelta(seconds=ttl)) if ttl is not None else None, KEPT: None}


def expires(annotations: Mapping[str, str]) -> datetime | None:
    """When the network may go; None for never, and for what is no time."""
    return _time(annotations.get(EXPIRES))


def created(annotations: Mapping[str, str]) -> datetime | None:
    return _time(annotations.get(CREATED))


def text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(written: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(written) if written else None
    except ValueError:
        return None
