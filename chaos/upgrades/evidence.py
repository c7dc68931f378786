"""Finds failures that no call returns: error events of extrinsics that succeeded, and panics in logs.

Called by `reconciler`. The findings go into the `UpgradeWorld` that `plan` judges.
"""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from chaos.nodes import Node
from chaos.upgrades.observe import Reference
from orchestrator import chain
from orchestrator.chain import Event, RuntimeReader
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError

_PANIC = re.compile(r"^(?!.*\[Relaychain\]).*panicked at .*(?:(?<=:)\n.*)?$", re.MULTILINE)
"""A panic's place and its message. The message is on the next line if the first one ends with a colon.

Lines of the relay node inside a collator are left out, because they are about another chain.
"""
_LINE = 300
"""Characters of a log line that a status quotes."""


class Events:
    """Reads the chain's events from a block on: each finalised block once, and blocks above finality at every call."""

    def __init__(self) -> None:
        self._next = 0

    def failure(self, at: Reference, runtime: RuntimeReader, *, since: int, code: bytes) -> str | None:
        """The first event after block `since` that says the upgrade failed, or None. Raises ChainError."""
        first = max(since + 1, self._next)
        for number, event in chain.events_between(at.reader, runtime, first, at.best.number):
            if said := _failure(event, code):
                return f"{said} in block {number}"
        self._next = max(self._next, at.finalized.number + 1)
        return None


def _failure(event: Event, code: bytes) -> str | None:
    if event.title == "System.RejectedInvalidAuthorizedUpgrade" and event.data.get("code_hash") == "0x" + code.hex():
        return f"{event.title}: {event.data.get('error')}"
    result = event.data.get("sudo_result") if event.title == "Sudo.Sudid" else None
    if isinstance(result, dict) and "Err" in result:
        return f"{event.title}: the call as root failed: {result['Err']}"
    return None


def panics(cluster: Cluster, nodes: Iterable[Node], threads: ThreadPoolExecutor, *, seconds: int) -> Mapping[str, str]:
    """The last panic in the log of each node, within the last `seconds`. Nodes without a panic are left out."""

    def look(node: Node) -> tuple[str, str | None]:
        try:
            log = cluster.logs(node.name, container="node", since_seconds=max(1, seconds), tail=400)
        except ClusterError:  # It is being replaced; the other nodes' logs still count.
            return node.name, None
        lines = _PANIC.findall(log)
        return node.name, " ".join(lines[-1].split())[:_LINE] if lines else None

    return {name: line for name, line in threads.map(look, nodes) if line is not None}
