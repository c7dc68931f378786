"""How long the suite took when it ran last, and what it did not notice. `make unit`, `test` and `mutants` keep it."""

import json
from pathlib import Path

GOALS = {"unit": 90.0, "test": 1200.0}
"""Seconds on two cores, with the lab's programs in the cache."""


def kept(name: str) -> Path:
    return Path("build/durations") / f"{name}.json"


def seconds(name: str) -> float:
    return float(json.loads(kept(name).read_text())["seconds"])


MUTANTS = Path("build/mutants/score.json")


def unnoticed() -> float:
    """The share of changed lines that no test noticed and nobody explained, of the modules that were tried."""
    counts = json.loads(MUTANTS.read_text()).values()
    return 1.0 - sum(noticed for noticed, _ in counts) / sum(every for _, every in counts)
