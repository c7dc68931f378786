"""The wall clock, which reconcilers take as a value so that tests can give another."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    return datetime.now(UTC)
