"""A network's owner, creation time and expiry, as annotations of its namespace. Pure. Called by `network` and `sweep`.

They are on the cluster, not in a user's file, so that anybody can see what may be swept. The time to live counts from
the last `up`: to keep a network, bring it up again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

CREATED = "coalmine.dev/created-at"
EXPIRES = "coalmine.dev/expires-at"
OWNER = "coalmine.dev/owner"
KEPT = "coalmine.dev/data-kept-at"
"""Set by `down --keep-data`: nothing runs, but volumes, seed and chain specs are kept for the next `up`."""


def at_creation(owner: str, now: datetime) -> dict[str, str]:
    return {CREATED: text(now), OWNER: owner}


def at_up(ttl: float | None, now: datetime) -> dict[str, str | None]:
    """The annotations that each `up` sets; None removes one. `ttl` is in seconds."""
    return {EXPIRES: text(now + timedelta(seconds=ttl)) if ttl is not None else None, KEPT: None}


def expires(annotations: Mapping[str, str]) -> datetime | None:
    """When the network may be swept. None if never, or if the annotation is not a time."""
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
