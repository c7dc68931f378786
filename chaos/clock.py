"""The wall clock. Reconcilers get it as a parameter so that tests can replace it."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    return datetime.now(UTC)
