"""Finds in a node's log why it does not come up. Called by `ladder` and `rungs`."""

import re
from collections.abc import Iterable

from orchestrator.genesis.chainspec import Node
from orchestrator.readiness.access import Access

_CAUSES = (
    re.compile(r"NetworkKeyNotFound|MissingWorkerBinaries|panicked at|^\s*Error:|^Traceback"),
    re.compile(r"\berror:|\bERROR\b"),
)
"""What a process writes when it dies, then what it may write and still live. The first pattern that matches counts."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NUMBERED = re.compile(r"^\s*0: ")
"""The first line of an error report in the style of eyre. The node prints it below a bare `Error:`."""


def cause(log: str) -> str | None:
    """The last line of a log that tells why the process ended or does not work. None if no line does."""
    lines = _COLOURS.sub("", log).splitlines()
    for pattern in _CAUSES:
        for number in reversed(range(len(lines))):
            if pattern.search(lines[number]):
                below = next((line for line in lines[number + 1 :] if line.strip()), "")
                told = [lines[number], below] if _NUMBERED.match(below) else [lines[number]]
                return " ".join(line.strip() for line in told)
    return None


def first(access: Access, nodes: Iterable[Node]) -> str | None:
    """The name and the cause of the first node whose logs tell a cause. None if none do."""
    for node in nodes:
        for log in access.logs(node):
            if (found := cause(log)) is not None:
                return f"{node.name}: {found}"
    return None
