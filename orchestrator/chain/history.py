"""Reads events between two blocks, block by block. Called by the controller and by gates.

It reads by block number, not by subscription, so events that happened while nobody listened are not lost.
"""

from collections.abc import Iterator

from orchestrator.chain.port import Event, RuntimeReader
from orchestrator.chain.reader import SubstrateReader
from orchestrator.errors import ChainError


def events_between(
    reader: SubstrateReader, runtime: RuntimeReader, first: int, last: int
) -> Iterator[tuple[int, Event]]:
    """The events of blocks `first` to `last`, each with its block number. Above finality they may still change.

    Raises:
        ChainError: the node does not answer, or no longer has a block or its state.
    """
    for number in range(first, last + 1):
        block = reader.hash_at(number)
        if block is None:
            raise ChainError(f"{reader.rpc.node}: has no block {number}")
        for event in runtime.events(block):
            yield number, event
