"""The names that the model's runtimes tell are those that their code uses: no more, and no fewer."""

import ast
from pathlib import Path

import pytest

from simnode.state import names

STATE = Path(names.__file__).parent


def literals(files, functions):
    """`Pallet.Name` of each call of these functions that names both in its text."""
    found = set()
    for file in files:
        for call in ast.walk(ast.parse((STATE / f"{file}.py").read_text())):
            called = isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", ""))
            if called in functions and len(call.args) > 1 and isinstance(call.args[0], ast.Constant):
                second = (part.value for part in ast.walk(call.args[1]) if isinstance(part, ast.Constant))
                found |= {f"{call.args[0].value}.{name}" for name in second}
    return found


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (("model", "storage"), names.COMMON),
        (("relay", "paras", "inclusion"), names.RELAY),
        (("para",), names.PARACHAIN),
    ],
)
def test_are_those_of_the_code(files, told):
    assert literals(files, {"item", "para_item"}) == told.storage
    assert literals(files, {"deposit"}) == told.events
