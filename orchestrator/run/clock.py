"""Notes once a second where the relay chain stands, so that windows in blocks and sessions can be resolved offline.

Asks a handful of validators, for a fault may have stopped some, and notes the furthest. Used by `lifecycle`.
"""

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from orchestrator.errors import ChainError
from orchestrator.genesis.chainspec import RELAY, Node
from orchestrator.journal import Clock, JournalWriter
from orchestrator.provision.access import Access, each

WITNESSES = 4
PERIOD = 1.0
"""Seconds between two notes."""


@dataclass(frozen=True, slots=True)
class _Stand:
    best: int
    finalized: int
    session: int


class ChainClock:
    """Runs in a thread for the duration of a `with` block; `entries` is everything noted so far."""

    def __init__(self, access: Access, journal: JournalWriter) -> None:
        self._access = access
        self._journal = journal
        self._witnesses = [node for node in access.nodes if node.chain == RELAY and node.authority][:WITNESSES]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._entries: list[Clock] = []

    @property
    def entries(self) -> tuple[Clock, ...]:
        return tuple(self._entries)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(PERIOD):
            stands = [s for s in each(self._witnesses, self._stand).values() if not isinstance(s, ChainError)]
            if stands:
                # The furthest of each by itself: on a divided network no node knows all of them.
                entry = Clock(
                    best=max(stand.best for stand in stands),
                    finalized=max(stand.finalized for stand in stands),
                    session=max(stand.session for stand in stands),
                )
                self._entries.append(self._journal.record(entry))

    def _stand(self, node: Node) -> _Stand:
        reader = self._access.reader(node)
        return _Stand(reader.best().number, reader.finalized().number, reader.session())
