"""The points of time at which everything is sampled: the multiples of the scrape interval in Unix time. Pure.

Times are whole milliseconds, which is Prometheus' own resolution, so that no point is lost to rounding. With 0.1 s as
the interval, a quotient of floating-point numbers is wrong by more than a point is wide in a million.
"""

import math

Points = tuple[int, int]
"""A stretch of points: the first and the last, both included."""

_CLOSE = 1e-3
"""Milliseconds. A double holds today's time to a quarter of a thousandth of one."""


def first_point(when: float, step: float) -> int:
    """The first point that is not before the time (Unix seconds), on a grid of `step` seconds."""
    return -(-math.ceil(when * 1000 - _CLOSE) // _millis(step))


def last_point(when: float, step: float) -> int:
    """The last point that is not after the time."""
    return math.floor(when * 1000 + _CLOSE) // _millis(step)


def nearest_point(when: float, step: float) -> int:
    """The point that is nearest to the time."""
    return (2 * round(when * 1000) + _millis(step)) // (2 * _millis(step))


def time_of(point: int, step: float) -> float:
    """The time of a point, Unix seconds."""
    return point * _millis(step) / 1000


def _millis(step: float) -> int:
    return max(1, round(step * 1000))
