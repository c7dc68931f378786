"""Keys as every Substrate tool computes them."""

import pytest

from orchestrator.chain import storage_keys as keys


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (keys.SESSION, "cec5070d609dd3497f72bde07fc96ba072763800a36a99fdfc7c10f6415f6ee6"),
        (keys.LAST_RUNTIME_UPGRADE, "26aa394eea5630e07c48ae0c9558cef7f9cce9c888469bb1a0dceaa129672ef8"),
        (
            keys.of_para("Paras", "Heads", 1000),
            "cd710b30bd2eab0352ddcc26417aa1941b3c252fcb29d88eff4f3de5de4476c3b6ff6f7d467b87a9e8030000",
        ),
        (
            keys.of_para("Paras", "Heads", 2000),
            "cd710b30bd2eab0352ddcc26417aa1941b3c252fcb29d88eff4f3de5de4476c363f5a4efb16ffa83d0070000",
        ),
        (keys.CODE, "3a636f6465"),
    ],
    ids=["Session.CurrentIndex", "System.LastRuntimeUpgrade", "Paras.Heads(1000)", "Paras.Heads(2000)", ":code"],
)
def test_keys_are_the_known_ones(key, expected):
    assert key.hex() == expected
