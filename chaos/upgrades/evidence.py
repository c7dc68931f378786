"""What tells of failures that nothing returns: events under extrinsics that succeed, and panics in logs.

Called by `reconciler`; what it finds goes into the `World` that `plan` judges.
"""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from chaos.nodes import Node
from orchestrator.chain import Event, SubstrateReader, Upgrader
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError

_PANIC = re.compile(r"^(?!.*\[Relaychain\]).*panicked at.*$", re.MULTILINE)
"""Lines of the relay node inside a collator tell of another chain than the collator's."""
_LINE = 300
"""Characters of a log line that a status quotes."""


class Events:
    """Follows the chain's events from a block on, each block once."""

    def __init__(self) -> None:
        self._next: int | None = None

    def failure(self, reader: SubstrateReader, upgrader: Upgrader, *, since: int, best: int, code: bytes) -> str | None:
        """An event that says that the upgrade failed, in a block after `since`. Raises ChainError."""
        first = max(since + 1, self._next or 0)
        for number in range(first, best + 1):
            block = reader.hash_at(number)
            for event in upgrader.events(block) if block else ():
                if said := _failure(event, code):
                    return f"{said} in block {number}"
            self._next = number + 1
        return None


def _failure(event: Event, code: bytes) -> str | None:
    name = f"{event.pallet}.{event.name}"
    if name == "System.RejectedInvalidAuthorizedUpgrade" and event.data.get("code_hash") == "0x" + code.hex():
        return f"{name}: {event.data.get('error')}"
    result = event.data.get("sudo_result") if name == "Sudo.Sudid" else None
    if isinstance(result, dict) and "Err" in result:
        return f"{name}: the call as root failed: {result['Err']}"
    return None


def panics(cluster: Cluster, nodes: Iterable[Node], threads: ThreadPoolExecutor, *, seconds: int) -> Mapping[str, str]:
    """Of each node that has logged a panic in the last seconds, the last such line."""

    def look(node: Node) -> tuple[str, str | None]:
        try:
            log = cluster.logs(node.name, container="node", since_seconds=max(1, seconds), tail=400)
        except ClusterError:  # It is being replaced; the other nodes' logs still count.
            return node.name, None
        lines = _PANIC.findall(log)
        return node.name, lines[-1].strip()[:_LINE] if lines else None

    return {name: line for name, line in threads.map(look, nodes) if line is not None}
