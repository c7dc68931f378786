"""What happened between two blocks, read block by block. Called by the controller and by gates.

By numbers and never by subscription: what was missed while nobody listened is read all the same.
"""

from collections.abc import Iterator

from orchestrator.chain.port import Event, RuntimeReader
from orchestrator.chain.reader import SubstrateReader
from orchestrator.errors import ChainError


def events_between(
    reader: SubstrateReader, runtime: RuntimeReader, first: int, last: int
) -> Iterator[tuple[int, Event]]:
    """The events of blocks first to last, each with its block. Above the finalised block they may still change.

    Raises:
        ChainError: when the node does not answer, or has a block or its state no more.
    """
    for number in range(first, last + 1):
        block = reader.hash_at(number)
        if block is None:
            raise ChainError(f"{reader.rpc.node}: has no block {number}")
        for event in runtime.events(block):
            yield number, event
