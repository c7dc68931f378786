"""The page that says where things are keeps to the order of the layers, and names only what is there."""

import re
import tomllib
from pathlib import Path

HOME = Path(__file__).parents[2]
ROWS = [line.split("|")[2] for line in (HOME / "docs" / "whats-here.md").read_text().splitlines() if line[:1] == "|"][
    2:
]
PLACES = [re.search(r"`([a-z-]+(?:/[a-z_.-]+)*)", row)[1] for row in ROWS]


def layers():
    """The modules of each layer, from the lowest up."""
    contracts = tomllib.loads((HOME / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[module.removeprefix("orchestrator.") for module in layer.split(" | ")] for layer in reversed(found)]


def test_rows_have_the_order_of_the_layers_and_leave_none_out():
    level = {module: number for number, layer in enumerate(layers()) for module in layer}
    modules = [place.split("/")[1].removesuffix(".py") for place in PLACES if place.startswith("orchestrator/")]
    assert set(modules) == set(level)
    assert [level[module] for module in modules] == sorted(level[module] for module in modules)


def test_every_place_is_there():
    assert [place for place in PLACES if not (HOME / place).exists()] == []
