"""How long the suite took when it ran last, as `make unit` and `make test` keep it."""

import json
from pathlib import Path

GOALS = {"unit": 90.0, "test": 1200.0}
"""Seconds on two cores, with the lab's programs in the cache."""


def kept(name: str) -> Path:
    return Path("build/durations") / f"{name}.json"


def seconds(name: str) -> float:
    return float(json.loads(kept(name).read_text())["seconds"])
